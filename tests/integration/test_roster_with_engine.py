"""A roster beside single clients, through the real engine and before a running Postfix: only who is touched moves."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.lifetime import begin_of
from postseal_core.instants import format_instant
from tests.support.engine import Result
from tests.support.postfix_instance import Boot
from tests.support.rosters import ROSTER, admitted, by_client, changed_lines, leaks, roster_keys
from tests.support.stacks import (
    MailStack,
    handed_out,
    mail_stack,
    resource_outputs,
    table_rows,
    tree,
)
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

NOW = datetime.now(UTC)
# Clients live 60 days; those of SHORT_LIVED 20, so they are due after 10. An old certificate overlaps for 5 days.
FIRST, CHANGED, RETIRED = (NOW + timedelta(days=days) for days in (-11, 0, 6))
LIVES = {FIRST: 20, CHANGED: 60}
"""Days that certificates live which are issued for the first time, and those that come with the change."""
SHORT_LIVED = ("client-03", "client-04", "client-05")
REMOVED, ADDED, REVOKED, HELD = "client-07", "client-31", "client-09", "client-05"
SINGLES = ("alice", "relay2")
# Where the certificate of a client's generation was handed out.
HOLDERS = {
    **{(name, 1): "first" for name in ("alice", "client-01", "client-03", HELD, REMOVED, REVOKED)},
    ("client-03", 2): "changed",
    (HELD, 2): "changed",
    (ADDED, 1): "changed",
    (REVOKED, 2): "again",
}
Clients = dict[str, dict[str, Any]]


def first_clients() -> Clients:
    """Return thirty clients, three of them with shorter lives, one of those with a confirmation."""
    clients: Clients = {name: {"email": f"{name}@example.org"} for name in (f"client-{n:02d}" for n in range(1, 31))}
    for name in SHORT_LIVED:
        clients[name] |= {"validity_hours": 20 * 24}
    clients[HELD] |= {"confirm": True}
    return clients


def later_clients(**changes: dict[str, Any]) -> Clients:
    """Return the clients after one came and one went; `changes` are further fields, by the end of a client's name."""
    clients = first_clients() | {ADDED: {"dns_names": [f"{ADDED}.example.org"]}}
    del clients[REMOVED]
    for name, fields in changes.items():
        clients[name.replace("_", "-")] |= fields
    return clients


def sections(clients: Clients) -> dict[str, Any]:
    """Return a stack file: an authority with a list, two single clients, a roster, and a host that admits them all."""
    return {
        "authority": {"common_name": "Example Mail CA", "path_length": 0, "crl": True, "protect": False},
        "lifetime": {"leaf": {"validity": "60d", "renew_fraction": "1/2", "overlap": "5d"}},
        "clients": {"alice": {"email": "alice@example.org"}, "relay2": {"dns_names": ["relay2.example.org"]}},
        "rosters": {"staff": {"clients": clients, "hand_out": True}},
        "hosts": {
            "mx1": {
                "myhostname": "mx1.example.org",
                "relay_clients": list(SINGLES),
                "relay_rosters": ["staff"],
            }
        },
    }


@dataclass(frozen=True, slots=True)
class Moment:
    """Files and state after one `up`."""

    out: Path
    state: Mapping[str, Any]

    @property
    def roster(self) -> Mapping[str, Any]:
        """The outputs of the roster."""
        return resource_outputs(self.state, ROSTER)["staff"]

    @property
    def issued(self) -> dict[str, dict[str, Any]]:
        """The public record of each client."""
        return by_client(self.roster["issued"])

    @property
    def rows(self) -> dict[str, str]:
        """The rows of the host, by fingerprint."""
        return table_rows(self.out / "mx1/postfix")

    def holder(self, name: str) -> Credential:
        """What a client was handed."""
        kind = "clients" if name in SINGLES else "rosters/staff"
        return handed_out(self.out, name, kind)

    def material(self) -> dict[str, tuple[str, str]]:
        """Certificate and key of each client of the roster, as the state has them."""
        keys = roster_keys(self.roster)
        return {name: (record["certificate_pem"], keys[name]) for name, record in self.issued.items()}


@dataclass(slots=True)
class Life:
    """What one stack went through."""

    mail: MailStack
    shown: dict[str, Result] = field(default_factory=dict)
    written: str = ""
    moments: dict[str, Moment] = field(default_factory=dict)

    def __getitem__(self, moment: str) -> Moment:
        return self.moments[moment]

    def up(self, moment: str, clients: Clients, clock: datetime) -> None:
        """Declare, look at previews, deploy, look again, and keep what is there then."""
        self.mail.declare(sections(clients), clock=clock)
        self.shown[moment] = self.mail.stack.preview(diff=True).expect_success()
        self.shown[f"{moment}, up"] = self.mail.stack.up().expect_success()
        out = self.mail.project.parent / "kept" / moment
        shutil.copytree(self.mail.out, out)
        self.written += str(self.mail.stack.preview(as_json=True)) + str(self.mail.stack.run("stack", "export"))
        self.moments[moment] = Moment(out, self.mail.stack.export(show_secrets=True))

    def people(self) -> dict[tuple[str, int], Credential]:
        """Return some of those who ever got a certificate, by name and generation, and a stranger."""
        stranger = ThrowAwayAuthority().issue_client("stranger")
        return {("stranger", 1): stranger} | {who: self[moment].holder(who[0]) for who, moment in HOLDERS.items()}


@pytest.fixture(scope="module")
def life(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Let a stack live: first day, a day with changes, a revocation, a new certificate after it, retirement."""
    lived = Life(mail_stack(tmp_path_factory.mktemp("roster"), engine_home))
    lived.up("first", first_clients(), FIRST)
    lived.shown["settled"] = lived.mail.stack.preview(expect_no_changes=True)
    lived.up("changed", later_clients(), CHANGED)
    lived.up("revoked", later_clients(client_09={"revoke": "keyCompromise"}), CHANGED)
    lived.mail.declare(sections(later_clients()), clock=CHANGED)
    lived.shown["taken back"] = lived.mail.stack.up()
    issued_again = {"revoke": "keyCompromise", "issue_again": True}
    lived.up("again", later_clients(client_09=issued_again), CHANGED)
    lived.up("retired", later_clients(client_09=issued_again), RETIRED)
    confirmed = {"confirmed_generation": 2}
    lived.up("confirmed", later_clients(client_09=issued_again, client_05=confirmed), RETIRED)
    lived.mail.declare(sections(later_clients(client_09=issued_again, client_05=confirmed)), clock=FIRST)
    lived.shown["behind"] = lived.mail.stack.preview(expect_no_changes=True)
    lived.shown["refresh"] = lived.mail.stack.refresh("--expect-no-changes")
    return lived


def test_nothing_changes_without_a_reason(life: Life) -> None:
    """A second preview finds nothing, nor does a refresh after all that happened."""
    assert life.shown["settled"].is_success, str(life.shown["settled"])
    assert life.shown["refresh"].is_success, str(life.shown["refresh"])


def test_a_preview_shows_the_clients_that_change_and_no_other(life: Life) -> None:
    """One came, one went, three are due: five lines, with generations and dates; of the others not even a name."""
    shown = life.shown["changed"].stdout
    lines = changed_lines(shown)
    assert set(lines) == {ADDED, REMOVED, *SHORT_LIVED}
    ends = {begun: format_instant(begin_of(begun) + timedelta(days=days))[:10] for begun, days in LIVES.items()}
    overlap = format_instant(CHANGED + timedelta(days=5))[:10]
    assert lines[ADDED] == f"added, g1 until {ends[CHANGED]}"
    assert lines[REMOVED].startswith("removed, g1 no longer accepted; not revoked: ")
    for name in SHORT_LIVED:
        until = ends[FIRST] if name == HELD else overlap
        assert re.fullmatch(
            rf"g1 -> g2 until \S+, renewal due since \S+: half of 20 d have passed; g1 accepted until {until}",
            lines[name],
        ), lines[name]
    untouched = life["first"].issued.keys() - lines.keys()
    assert [name for name in untouched if name in shown] == []
    summary = "30 clients: 3 renewed, 1 added, 1 removed; next due "
    assert any(line.lstrip().startswith("~ summary") and f'=> "{summary}' in line for line in shown.splitlines())


def test_only_the_clients_of_the_preview_are_issued_anew(life: Life) -> None:
    """Certificate and key of everybody else are the same bytes, in the state and in the files."""
    before, after = life["first"].material(), life["changed"].material()
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {ADDED, REMOVED, *SHORT_LIVED}
    files = tree(life["first"].out / "rosters/staff"), tree(life["changed"].out / "rosters/staff")
    touched = {path.split("/")[0] for path in {*files[0], *files[1]} if files[0].get(path) != files[1].get(path)}
    assert touched == changed


def test_the_table_follows_the_roster_and_keeps_the_single_clients(life: Life) -> None:
    """In the overlap the three that were renewed have two rows, the removed one has none, single ones keep theirs."""
    first, changed = life["first"], life["changed"]
    singles = {row: text for row, text in first.rows.items() if text.split()[0] in SINGLES}
    assert len(singles) == len(SINGLES)
    assert singles.items() <= changed.rows.items()
    everybody = (*SINGLES, *first.issued)
    assert set(first.rows) == {first.holder(name).fingerprint_sha256 for name in everybody}
    new = {changed.holder(name).fingerprint_sha256 for name in (*SHORT_LIVED, ADDED)}
    gone = {first.holder(REMOVED).fingerprint_sha256}
    assert set(changed.rows) == set(first.rows) - gone | new


def test_a_revoked_client_of_a_roster_is_out_and_stands_in_the_list(life: Life) -> None:
    """One line in the preview, no row, an entry in the authority's list; taking it back is refused with its place."""
    assert changed_lines(life.shown["revoked"].stdout) == {REVOKED: "g1 revoked for keyCompromise, no longer accepted"}
    assert life["first"].holder(REVOKED).fingerprint_sha256 not in life["revoked"].rows
    assert set(life["changed"].rows) - set(life["revoked"].rows) == {life["first"].holder(REVOKED).fingerprint_sha256}
    (listing,) = resource_outputs(life["revoked"].state, "postseal:index:RevocationList").values()
    serial_number = life["first"].issued[REVOKED]["serial_number"]
    assert [(each["serial_number"], each["reason"]) for each in listing["revoked"]] == [
        (serial_number, "keyCompromise")
    ]
    refused = life.shown["taken back"]
    assert not refused.is_success
    assert f"clients.{REVOKED}: generation 1 was revoked on " in str(refused)
    assert "only certificateHold can be taken back" in str(refused)


def test_a_revoked_client_is_issued_again_with_another_key(life: Life) -> None:
    """Only that client changes, its old certificate stays out and in the list."""
    assert set(changed_lines(life.shown["again"].stdout)) == {REVOKED}
    old, new = life["first"].holder(REVOKED), life["again"].holder(REVOKED)
    assert old.public_key_fingerprint_sha256 != new.public_key_fingerprint_sha256
    assert set(life["again"].rows) - set(life["revoked"].rows) == {new.fingerprint_sha256}
    (before,) = resource_outputs(life["revoked"].state, "postseal:index:RevocationList").values()
    (after,) = resource_outputs(life["again"].state, "postseal:index:RevocationList").values()
    assert after == before


def test_an_unconfirmed_renewal_keeps_the_old_certificate_beyond_the_overlap(life: Life) -> None:
    """After the overlap two old certificates retire; the one to be confirmed stays until the stack says so."""
    old = {name: life["first"].holder(name).fingerprint_sha256 for name in SHORT_LIVED}
    retired = {name for name, fingerprint in old.items() if fingerprint not in life["retired"].rows}
    assert retired == {*SHORT_LIVED} - {HELD}
    lines = changed_lines(life.shown["retired"].stdout)
    assert {lines.get(name) for name in retired} == {"g1 retired"}
    assert HELD not in lines
    assert set(changed_lines(life.shown["confirmed"].stdout)) == {HELD}
    assert set(life["retired"].rows) - set(life["confirmed"].rows) == {old[HELD]}


def test_a_clock_that_jumps_back_changes_nothing_and_says_so(life: Life) -> None:
    """Certificates from the future are kept; one line counts those that wait for the clock."""
    behind = life.shown["behind"]
    assert behind.is_success, str(behind)
    assert re.search(
        r"the clock says \S+, before the current certificate's not_before \S+: nothing is renewed", str(behind)
    )


def test_no_key_of_a_client_is_shown_or_stored_in_clear(life: Life) -> None:
    """Neither alone nor packed with the others in a preview, an `up` or the state; the search finds what is there."""
    printed = life.written + "".join(map(str, life.shown.values()))
    assert [name for moment in ("first", "changed", "again") for name in leaks(life[moment].state, printed)] == []
    everything = json.dumps(life["first"].state) + "".join(roster_keys(life["first"].roster).values())
    assert set(leaks(life["first"].state, everything)) == {"roster staff", *life["first"].issued}


@pytest.mark.needs_postfix
def test_postfix_admits_whom_the_roster_lists_and_nobody_else(life: Life, postfix_instance: Boot) -> None:
    """Old and new certificates in the overlap; not who was removed or revoked, and not a stranger."""
    people = life.people()
    always = {("alice", 1), ("client-01", 1)}
    old, new = {("client-03", 1), (HELD, 1)}, {("client-03", 2), (HELD, 2), (ADDED, 1)}
    expected = {
        "first": always | old | {(REMOVED, 1), (REVOKED, 1)},
        "changed": always | old | new | {(REVOKED, 1)},
        "revoked": always | old | new,
        "again": always | old | new | {(REVOKED, 2)},
        "retired": always | new | {(HELD, 1), (REVOKED, 2)},
        "confirmed": always | new | {(REVOKED, 2)},
    }
    instance = postfix_instance(life["first"].out / "mx1/postfix")
    assert {moment: admitted(instance, life[moment].out, people) for moment in expected} == expected
    assert instance.complaints() == []
