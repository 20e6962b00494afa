"""An engine that is called to replace what has a history is refused; first resources and all others are made."""

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.resource_properties import root

URN = "urn:*::postseal:index:Certificate::mail-ca"


def test_a_certificate_that_the_engine_shall_replace_is_refused_with_what_to_do(plugin: PluginRuns) -> None:
    """The engine asks as for a first one; the same request without the switch, and one with a past, are answered."""
    authority, first = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "other-ca")
    plugin.up(authority, root("mail-ca"))
    plugin.replaced = ("urn:pulumi:**::postseal:index:Certificate::mail-ca",)
    plugin.start_run()
    hidden = plugin.resource("Certificate", "mail-ca")
    (problem,) = plugin.problems(hidden, root("mail-ca"))
    assert problem.startswith("cannot be replaced: with --replace its history would begin anew")
    assert "`revoke: superseded` with `issue_again: true`" in problem
    assert authority.check(root("mail-ca"))
    assert first.check(root("other-ca"))
    plugin.replaced = ()
    plugin.start_run()
    assert hidden.check(root("mail-ca"))


@pytest.mark.parametrize("kind", ["HandOut", "Pkcs12"])
def test_what_is_made_anew_from_what_is_declared_may_be_replaced(plugin: PluginRuns, kind: str) -> None:
    """It has no past that anything follows from: whatever is wrong with it, that is not what is told."""
    plugin.replaced = ("**",)
    plugin.start_run()
    problems = plugin.problems(plugin.resource(kind, "a"), {})
    assert not any("cannot be replaced" in problem for problem in problems)
