"""A client moves into a roster and out again through the stack file: no row of the host ever changes for it."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.support.engine import Result
from tests.support.rosters import by_client
from tests.support.stacks import MailStack, certificates, mail_stack, resource_outputs, revealed, table_rows

pytestmark = pytest.mark.needs_engine

START = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ALICE = {"email": "alice@example.org"}
STAFF: dict[str, Any] = {"clients": {"bob": {"email": "bob@example.org"}}, "hand_out": True, "pkcs12": "modern"}
WITH_ALICE = STAFF | {"clients": {"alice": ALICE} | STAFF["clients"]}
MOVED = ("into", "inside", "out", "outside")
HOST = "postseal:index:PostfixHost"
TABLE = "mx1/postfix/relay_clientcerts"


def sections(staff: Mapping[str, Any], **alice: Any) -> dict[str, Any]:
    """Return a stack file with a roster and, where something is said of her there, with alice in `clients`."""
    relaying = {"relay_clients": ["alice"]} if alice else {}
    clients = {"carol": {"email": "carol@example.org"}} | ({"alice": alice | {"pkcs12": "modern"}} if alice else {})
    return {
        "authority": {"common_name": "Example Mail CA", "path_length": 0, "crl": True, "protect": False},
        "lifetime": {"leaf": {"validity": "60d", "renew_fraction": "1/2", "overlap": "5d"}},
        "clients": clients,
        "rosters": {"staff": staff},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_rosters": ["staff"], **relaying}},
    }


@dataclass(frozen=True, slots=True)
class _Moment:
    """Files, state and outputs after one `up`."""

    out: Path
    state: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def places(self) -> dict[str, dict[str, Any]]:
        """What there is of alice at each place, her key in clear."""
        single = certificates(self.state).get("alice")
        roster = resource_outputs(self.state, "postseal:index:ClientRoster")["staff"]
        issued, keys = by_client(roster["issued"]), by_client(revealed(roster["private_keys"]))
        found = {"single": {**single, "private_key_pem": revealed(single["private_key_pem"])}} if single else {}
        return found | ({"roster": issued["alice"] | keys["alice"]} if "alice" in issued else {})

    @property
    def folders(self) -> set[str]:
        """The folders that alice is handed."""
        return {str(path.parent.relative_to(self.out)) for path in self.out.rglob("alice.cert.pem")}


@dataclass
class Story:
    """What one stack went through."""

    mail: MailStack
    shown: dict[str, Result] = field(default_factory=dict)
    moments: dict[str, _Moment] = field(default_factory=dict)

    def move(self, moment: str, declared: Mapping[str, Any], clock: datetime) -> None:
        """Preview, do a step of a move, and state that nothing is left to do."""
        self.mail.declare(declared, clock=clock)
        self.shown[moment] = self.mail.stack.preview("--suppress-outputs", diff=True).expect_success()
        self.up(moment, declared, clock)
        self.mail.stack.preview(expect_no_changes=True).expect_success()

    def up(self, moment: str, declared: Mapping[str, Any], clock: datetime) -> None:
        """Declare, deploy, and keep what is there then."""
        self.mail.declare(declared, clock=clock)
        self.mail.stack.up().expect_success()
        out = self.mail.project.parent / "kept" / moment
        shutil.copytree(self.mail.out, out)
        self.moments[moment] = _Moment(
            out, self.mail.stack.export(show_secrets=True), self.mail.stack.outputs(show_secrets=True)
        )


@pytest.fixture(scope="module")
def story(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Let alice renew, move into the roster and out again, and her first certificate retire."""
    told = Story(mail_stack(tmp_path_factory.mktemp("moving"), engine_home))
    told.up("first", sections(STAFF, **ALICE), START)
    renewed = START + 31 * DAY
    told.up("renewed", sections(STAFF, **ALICE), renewed)
    told.move("into", sections(WITH_ALICE | {"take_over": ["alice"]}, **ALICE), renewed + DAY)
    told.move("inside", sections(WITH_ALICE), renewed + DAY)
    told.move("out", sections(WITH_ALICE, **ALICE, take_over_from="staff"), renewed + 2 * DAY)
    told.move("outside", sections(STAFF, **ALICE), renewed + 2 * DAY)
    told.up("retired", sections(STAFF, **ALICE), renewed + 6 * DAY)
    return told


def test_rows_of_the_host_are_the_same_at_every_step(story: Story) -> None:
    """Both generations of alice are listed once each, before, between and after; the table does not change a byte."""
    table = (story.moments["renewed"].out / TABLE).read_bytes()
    rows = table_rows(story.moments["renewed"].out / "mx1/postfix").values()
    assert [row.partition(" not_after")[0] for row in rows if row.startswith("alice ")] == [
        "alice generation=1",
        "alice generation=2",
    ]
    assert {moment: (story.moments[moment].out / TABLE).read_bytes() == table for moment in MOVED} == dict.fromkeys(
        MOVED, True
    )


def test_certificate_and_key_are_the_same_at_both_places_and_after_both_moves(story: Story) -> None:
    """For one `up` alice is at both places, then at the new one only."""
    places = {moment: set(story.moments[moment].places) for moment in MOVED}
    both = {"single", "roster"}
    assert places == {"into": both, "inside": {"roster"}, "out": both, "outside": {"single"}}
    names = ("certificate_pem", "private_key_pem", "generation", "not_after", "previous", "revoked")
    kept = story.moments["renewed"].places["single"]
    for moment in MOVED:
        for place in story.moments[moment].places.values():
            assert {name: place[name] for name in names} == {name: kept[name] for name in names}


def test_previews_say_that_a_certificate_is_taken_over_as_it_is(story: Story) -> None:
    """A reviewer reads it at the new place; at the old one the resource or the line goes; the host is left alone."""
    into, out = story.shown["into"].stdout, story.shown["out"].stdout
    end = story.moments["renewed"].places["single"]["not_after"][:10]
    assert f'+ alice: "taken over as it is, g2 until {end}"' in into
    assert re.search(r'reason +: "taken over as it is"', out)
    assert "- postseal:index:ClientCertificate: (delete)" in story.shown["inside"].stdout
    assert '+ alice: "removed, g1 and g2 no longer accepted; not revoked: ' in story.shown["outside"].stdout
    assert all(set(resource_outputs(moment.state, HOST)) == {"mx1"} for moment in story.moments.values())
    assert not [shown for shown in story.shown.values() if HOST in shown.stdout]
    assert not [shown for shown in story.shown.values() if "PRIVATE KEY" in str(shown)]


def test_after_the_move_dates_go_on(story: Story) -> None:
    """The first certificate, which moved twice, retires on the day that was decided before."""
    rows = table_rows(story.moments["retired"].out / "mx1/postfix").values()
    assert [row.partition(" not_after")[0] for row in rows if row.startswith("alice ")] == ["alice generation=2"]


def test_hand_outs_of_the_two_places_do_not_collide(story: Story) -> None:
    """Each place has its folder, and the passphrase that is shown opens the archive of the place that stays."""
    single, roster = "clients/alice", "rosters/staff/alice"
    assert {moment: story.moments[moment].folders for moment in MOVED} == {
        "into": {single, roster},
        "inside": {roster},
        "out": {single, roster},
        "outside": {single},
    }
    for moment, folder in {"into": roster, "inside": roster, "out": single, "outside": single}.items():
        passphrase = story.moments[moment].outputs["pkcs12_passphrases"]["alice"]
        archive = (story.moments[moment].out / folder / "alice.p12").read_bytes()
        opened = pkcs12.load_pkcs12(archive, passphrase.encode())
        assert opened.cert is not None
