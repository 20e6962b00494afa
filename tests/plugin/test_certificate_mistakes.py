"""What a program hands in wrongly: told as a sentence for each place, never as an internal error."""

from typing import Any

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.resource_properties import client, issued_by, key_pem, root, server

MUST_BE_KNOWN = "must be known before `pulumi up`, not the output of another resource"


@pytest.fixture
def issuer(plugin: PluginRuns) -> dict[str, Any]:
    """Return what a certificate needs of a root that exists."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    return issued_by(authority.outputs)


@pytest.fixture
def leaf(plugin: PluginRuns) -> Resource:
    """Return a certificate that does not exist yet."""
    return plugin.resource("ServerCertificate", "mx1")


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a number where a text belongs": ({"organization": 7}, "organization", "expected a text"),
    "one text where a list belongs": ({"dns_names": "c.example.org"}, "dns_names", "expected a list"),
    "a number in a list of texts": ({"dns_names": ["mx1.example.org", 25]}, "dns_names[1]", "expected a text"),
    "a text where a number belongs": ({"validity_hours": "8760"}, "validity_hours", "expected a whole number"),
    "a part where a whole number belongs": ({"validity_hours": 1.5}, "validity_hours", "expected a whole number"),
    "a word where yes or no belongs": ({"confirm": "yes"}, "confirm", "expected true or false"),
    "an unknown word": (
        {"match": "fingerprint"},
        "match",
        "got 'fingerprint', expected one of: certificate, public_key",
    ),
    "no fraction": ({"renew_fraction": "two"}, "renew_fraction", "got 'two', expected a fraction, as 2/3"),
    "a part of nothing": ({"renew_fraction": "2/0"}, "renew_fraction", "got '2/0', expected a fraction, as 2/3"),
    "a text where the issuer belongs": ({"issuer": "mail-ca"}, "issuer", "expected a mapping"),
    "a key that nobody knows": ({"organisation": "Example"}, "organisation", "did you mean organization?"),
    "an unknown value that a decision depends on": ({"validity_hours": UNKNOWN}, "validity_hours", MUST_BE_KNOWN),
    "an unknown name": ({"dns_names": [UNKNOWN]}, "dns_names[0]", MUST_BE_KNOWN),
    "an unknown list of names": ({"dns_names": UNKNOWN}, "dns_names", MUST_BE_KNOWN),
    "an unknown profile": ({"profile": UNKNOWN}, "profile", MUST_BE_KNOWN),
    "no country": ({"country": "Germany"}, "country", "expected two capital letters of ISO 3166, as 'DE'"),
    "a key that is no text": ({"private_key_pem": 7}, "private_key_pem", "expected a text"),
}


@pytest.mark.parametrize(("changes", "path", "end"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_of_a_program_is_told_at_its_place(
    plugin: PluginRuns, leaf: Resource, issuer: dict[str, Any], changes: dict[str, Any], path: str, end: str
) -> None:
    """One sentence with the path of what is wrong, and what was expected."""
    (problem,) = plugin.problems(leaf, server(issuer) | changes)
    assert problem.startswith(f"{path}: ")
    assert problem.endswith(end)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"slot": "mail-ca"}, "issuer.slot"),
        ({"generation": "first"}, "issuer.generation"),
        ({"not_after": "tomorrow"}, "issuer.not_after"),
        ({"above": [{"name": "root"}]}, "issuer.above[0].generation"),
        ({"crl_urls": "http://example.org/ca.crl"}, "issuer.crl_urls"),
        ({"standby_hours": UNKNOWN}, "issuer.standby_hours"),
        ({"standby": 336}, "issuer.standby"),
    ],
)
def test_a_mistake_about_the_issuer_is_told_at_its_place(
    plugin: PluginRuns, leaf: Resource, issuer: dict[str, Any], changes: dict[str, Any], path: str
) -> None:
    """Paths lead into what is nested."""
    declared = server({"issuer": issuer["issuer"] | changes})
    assert [problem.partition(": ")[0] for problem in plugin.problems(leaf, declared)] == [path]


def test_all_mistakes_are_told_at_once(plugin: PluginRuns, leaf: Resource, issuer: dict[str, Any]) -> None:
    """Nobody has to run once for each."""
    declared = server(issuer, organization=7, confirm="yes", dns_names="c.example.org", validity_hours=UNKNOWN)
    paths = {problem.partition(": ")[0] for problem in plugin.problems(leaf, declared)}
    assert paths == {"organization", "confirm", "dns_names", "validity_hours"}


def test_what_is_missing_is_named(plugin: PluginRuns, leaf: Resource) -> None:
    """Also inside of the issuer."""
    problems = plugin.problems(leaf, {"dns_names": ["mx1.example.org"], "issuer": {"slot": "mail-ca/1"}})
    paths = {problem.partition(": ")[0] for problem in problems}
    assert {"name", "profile", "issuer.generation", "issuer.chain_pem", "issuer.private_key_pem"} <= paths


def test_a_key_at_a_wrong_place_is_not_quoted(plugin: PluginRuns, leaf: Resource, issuer: dict[str, Any]) -> None:
    """A secret that is marked as one stays one where a list, a number or another key was expected."""
    plugin.hidden.add(key_pem("mail-ca"))
    wrong = {"private_key_pem": [Secret(key_pem("mail-ca"))], "handover": {"key": Secret(key_pem("mail-ca"))}}
    problems = plugin.problems(leaf, server(issuer) | wrong)
    assert {problem.partition(": ")[0] for problem in problems} == {"private_key_pem", "handover"}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"email": "alice"}, ["email"]),
        ({"email": f"{'a' * 60}@example.org"}, ["email"]),
        ({"email": f"{'a' * 60}@example.org", "common_name": "x" * 65}, ["common_name"]),
        ({"email": "", "dns_names": ["-.example.org"]}, ["dns_names[0]"]),
        ({"email": ""}, ["email"]),
    ],
    ids=["no mailbox", "a mailbox too long for a name", "a name too long", "no host", "no name at all"],
)
def test_a_name_that_was_not_declared_is_told_where_it_comes_from(
    plugin: PluginRuns, issuer: dict[str, Any], changes: dict[str, Any], paths: list[str]
) -> None:
    """A client's common name is by default its first name: what is wrong with it is said there, and once."""
    problems = plugin.problems(plugin.resource("ClientCertificate", "alice"), client(issuer) | changes)
    assert [problem.partition(": ")[0] for problem in problems] == paths
