"""What a deployment to a host would do, for a preview: nothing is touched, and nobody is kept away."""

from collections.abc import Mapping

from postfix.deploy.checks import require_directory
from postfix.deploy.foreseen import Expectation
from postfix.deploy.foresight import foresee, rows_on_host
from postfix.deploy.foretold import rows_that_go, sentences_of_preview
from postfix.deploy.host_files import Deployed, HostFiles
from postfix.deploy.host_program import has_open_journal, has_unread_files
from postfix.deploy.plan import plan_deployment
from postfix.deploy.session import HostSession
from postfix.deploy.transaction import places_of, situation_of

__all__ = ["preview"]


def preview(
    session: HostSession,
    desired: HostFiles,
    deployed: Deployed,
    owner: str,
    expectation: Expectation,
    *,
    rows: Mapping[str, bytes],
) -> list[str]:
    """Return what `deploy` would change, and why it would refuse to; nothing is touched and nobody is kept away.

    `desired`: files whose content a preview does not know yet may be missing. `rows`: the sources of tables of which
    all rows are known.

    Raises:
        ConfigError: something on the host is in its way.
        DeployError: the host cannot be looked at.
    """
    require_directory(session)
    if has_open_journal(session):
        return ["an earlier run was cut off; `up` first finishes or undoes it, and only then looks at the host"]
    places = places_of(session, desired, deployed)
    situation = situation_of(places, desired, deployed)
    plan = plan_deployment(desired, deployed, situation, owner)
    foreseen = foresee(session, plan, desired, deployed, situation, expectation)
    names = {
        *desired.parameters,
        *deployed.parameters,
        *(foreseen.after.configuration.written if foreseen.after else ()),
    }
    unread = (
        "an earlier run ended before it was sure that Postfix has read the files; `up` has them read, and proves it"
    )
    return [
        *([unread] if has_unread_files(session) else []),
        *sentences_of_preview(foreseen, session.root, names),
        *rows_that_go(rows_on_host(session, desired, expectation), rows),
    ]
