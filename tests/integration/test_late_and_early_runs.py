"""A stack that nobody ran for years, a clock that jumps back, resources with other names, through the real engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postseal_core.instants import parse_instant
from tests.support.engine import Result, Stack, write_project
from tests.support.rosters import ROSTER, changed_lines, unpacked
from tests.support.stacks import (
    MailStack,
    certificates,
    handed_out,
    mail_stack,
    open_parts,
    resource_outputs,
    table_rows,
    told_of_generations,
    tree,
)

pytestmark = pytest.mark.needs_engine

FIRST = datetime(2027, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MEMBERS, SINGLES = ("anna", "ben"), ("alice", "bob")


def sections(**alice: Any) -> dict[str, Any]:
    """Return a stack file with something of every kind that has dates; `alice`: further fields of hers."""
    return {
        "authority": {"common_name": "Example Mail CA", "crl": True, "protect": False},
        "lifetime": {"leaf": {"validity": "60d", "renew_fraction": "1/2", "overlap": "5d"}},
        "clients": {"alice": {"email": "alice@example.org"} | alice, "bob": {"email": "bob@example.org"}},
        "rosters": {"staff": {"clients": {n: {"email": f"{n}@example.org"} for n in MEMBERS}, "hand_out": True}},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": list(SINGLES), "relay_rosters": ["staff"]}},
    }


@dataclass(slots=True)
class Years:
    """What one stack went through: what commands said, and its open state and files by the name of a moment."""

    mail: MailStack
    said: dict[str, Result] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    rows: dict[str, set[str]] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)

    def keep(self, moment: str) -> None:
        """Keep what there is now."""
        out = self.mail.out
        self.states[moment], self.files[moment] = self.mail.stack.export(), tree(out)
        self.rows[moment] = set(table_rows(out / "mx1/postfix"))
        holders = [handed_out(out, name) for name in SINGLES]
        holders += [handed_out(out, name, "rosters/staff") for name in MEMBERS]
        self.held[moment] = {each.fingerprint_sha256 for each in holders}


@pytest.fixture(scope="module")
def years(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Years:
    """Bring a stack up, set its clock back, forget it for a year, and then for ten."""
    lived = Years(mail_stack(tmp_path_factory.mktemp("years"), engine_home))
    mail, stack = lived.mail, lived.mail.stack
    mail.declare(sections(), clock=FIRST)
    stack.up().expect_success()
    lived.keep("first")
    mail.declare(sections(), clock=FIRST - 10 * DAY)
    lived.said["behind"] = stack.up()
    mail.declare(sections(organization="Example"), clock=FIRST - 10 * DAY)
    lived.said["change behind"] = stack.up()
    lived.keep("behind")
    for moment, days in (("a year late", 400), ("ten years late", 3700)):
        mail.declare(sections(), clock=FIRST + days * DAY)
        lived.said[moment] = stack.preview(diff=True).expect_success()
        stack.up().expect_success()
        lived.keep(moment)
        lived.said[f"{moment}, again"] = stack.preview(expect_no_changes=True)
    lived.said["import"] = stack.run("import", "postseal:index:Certificate", "alice", "alice", "--yes")
    return lived


def test_a_clock_that_jumps_back_issues_nothing_and_the_message_names_it(years: Years) -> None:
    """Every certificate says that it waits; a host does not take what is not valid yet; both name the clock."""
    behind = str(years.said["behind"])
    waiting = "the clock says 2026-12-22T12:00:00Z, before the current certificate's not_before 2027-01-01T11:00:00Z"
    assert f"{waiting}: nothing is renewed or retired" in behind
    assert f"2 x {waiting}" in behind
    refusal = "is not valid before 2027-01-01T11:00:00Z, and the clock says 2026-12-22T12:00:00Z: correct the clock"
    assert not years.said["behind"].is_success
    assert f"tls/mx1.pem.chain[0]: {refusal}" in behind
    assert f"{waiting}: nothing is issued backwards in time; correct the clock" in str(years.said["change behind"])
    assert open_parts(years.states["behind"]) == open_parts(years.states["first"])
    assert years.files["behind"] == years.files["first"]


@pytest.mark.parametrize(("moment", "before"), [("a year late", "first"), ("ten years late", "a year late")])
def test_a_late_run_replaces_everything_in_one_go(years: Years, moment: str, before: str) -> None:
    """One `up`, after which nothing is left to do; what had expired is not accepted again, not even for the overlap."""
    assert years.said[f"{moment}, again"].is_success, str(years.said[f"{moment}, again"])
    assert years.rows[moment] == years.held[moment]
    assert years.held[moment].isdisjoint(years.held[before])
    lines = changed_lines(years.said[moment].stdout)
    assert set(lines) == {*MEMBERS}
    assert all(" expired on 20" in line for line in lines.values())
    shown = years.said[moment].stdout
    assert all(" expired on 20" in told_of_generations(shown, name) for name in ("mx1", *SINGLES))


def test_an_authority_that_expired_before_its_leaves_is_renewed_first(years: Years) -> None:
    """In the same run it gets new dates with its old key, and what it signs then lives as long as declared."""
    issued, before = certificates(years.states["ten years late"]), certificates(years.states["a year late"])
    assert issued["authority"]["generation"] == 2
    key = "public_key_fingerprint_sha256"
    assert issued["authority"][key] == before["authority"][key]
    (roster,) = resource_outputs(years.states["ten years late"], ROSTER).values()
    leaves = [*(issued[name] for name in ("mx1", *SINGLES)), *unpacked(roster["issued"])]
    for leaf in leaves:
        assert parse_instant(leaf["not_after"]) - parse_instant(leaf["not_before"]) == 60 * DAY
        assert parse_instant(leaf["not_after"]) < parse_instant(issued["authority"]["not_after"])


def test_importing_a_certificate_says_what_to_do_instead(years: Years) -> None:
    """`pulumi import` has no key to go with the certificate; the stack file has the words for it."""
    assert not years.said["import"].is_success
    assert "postseal:index:Certificate cannot be imported; declare it" in str(years.said["import"])


def test_a_replacement_is_refused_in_preview_and_up_and_changes_nothing(years: Years) -> None:
    """It would begin with generation 1 again; the sentence says what to do, and a hand-out may be made anew."""
    stack, state = years.mail.stack, open_parts(years.mail.stack.export())
    files = tree(years.mail.out)
    for pattern in ("**::postseal:index:ClientCertificate::alice", "**::staff"):
        for run in (stack.preview, stack.up):
            said = run("--replace", pattern)
            assert not said.is_success
            assert "cannot be replaced: with --replace its history would begin anew" in str(said)
            assert "`revoke: superseded` with `issue_again: true`" in str(said)
    assert open_parts(stack.export()) == state
    assert tree(years.mail.out) == files
    assert stack.preview(expect_no_changes=True).is_success


RENAMING_PROGRAM = """
import pki
import postfix
import pulumi

ca_name, roster_name = pulumi.Config().require("names").split()
was = {"mail-ca": [], "main-ca": [pulumi.Alias(name="mail-ca")], "staff": [], "people": [pulumi.Alias(name="staff")]}
ca_options = pulumi.ResourceOptions(protect=False, aliases=was[ca_name])
ca = pki.CertificateAuthority(ca_name, common_name="Example Mail CA", opts=ca_options)
mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
staff = pki.ClientRoster(
    roster_name,
    authority=ca,
    clients={"anna": {"email": "anna@example.org"}},
    opts=pulumi.ResourceOptions(aliases=was[roster_name]),
)
target = postfix.Directory("out/mx1/postfix")
postfix.MailServer("mx1", myhostname="mx1.example.org", certificate=mx1, target=target, relay_rosters=[staff])
"""


def test_an_authority_and_a_roster_keep_everything_under_other_names(
    new_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    """With an alias neither key nor certificate changes, of the authority or below it, and no row of the host."""
    stack = new_stack(write_project(tmp_path / "project", RENAMING_PROGRAM))
    states, rows = [], []
    for names in ("mail-ca staff", "main-ca people"):
        stack.set_config("names", names)
        stack.up().expect_success()
        states.append(stack.export())
        rows.append(table_rows(stack.project / "out/mx1/postfix"))
    assert rows[0] == rows[1]
    issued = [{each["certificate_pem"] for each in certificates(state).values()} for state in states]
    rosters = [resource_outputs(state, ROSTER) for state in states]
    assert issued[0] == issued[1]
    assert set(certificates(states[1])) == {"main-ca", "mx1"}
    (before,), (after,) = (unpacked(roster["issued"]) for roster in (rosters[0]["staff"], rosters[1]["people"]))
    assert before["certificate_pem"] == after["certificate_pem"]
    assert stack.preview(expect_no_changes=True).is_success
