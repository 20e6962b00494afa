"""Writes an adoption as YAML for the stack file, with comments; pure."""

from collections.abc import Iterable, Iterator
from typing import Final

import yaml

from postseal.adopt.adoption import Adoption
from postseal_core.errors import Problem

__all__ = ["render_adoption"]

_STAYS: Final = (
    "Not declared, and left on the host as it is: how mail is sent (relayhost, transports, smtp_tls_...), domains,",
    "maps, restriction lists but smtpd_relay_restrictions, master.cf, and the server certificate.",
)


def render_adoption(adoption: Adoption, root: str, project: str) -> str:
    """Return the text of entries below `config:`; comments say what the first preview will name."""
    comments = [*_head(adoption, root), *_listed("It closes to strangers:", adoption.closed)]
    comments += [*_listed("The first preview names these changes of main.cf:", adoption.values)]
    comments += _listed("It tells beside:", adoption.told)
    comments += [*_STAYS, *_listed("Left out:", adoption.remarks)]
    document = {"config": {f"{project}:hosts": {adoption.name: adoption.entry}}}
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)
    return "\n".join([*(f"# {line}" for line in comments), body])


def _head(adoption: Adoption, root: str) -> Iterator[str]:
    yield str(Problem("", f"What brings {root} into a stack. Put it below config: of the stack file."))
    who = "Nobody gains by it, and strangers alone lose" if adoption.closed else "Nobody gains or loses by it"
    rows = "" if adoption.remarks else "no row, "
    answers = "" if adoption.closed else "no listener's answer, "
    yield f"{who}: {rows}{answers}no trust and no route changes."
    yield from ["What has no effect now is left out, as named below."] if adoption.remarks else []


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    shown = [str(Problem("", line)) for line in lines]
    yield from [title, *(f"  {line}" for line in shown)] if shown else []
