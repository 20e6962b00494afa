"""What logs add to a report: last use, who has not switched, who was not seen; and that nothing follows."""

import csv
import io
import json
import os
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.cli import main
from postseal.report.csv_document import render_csv
from postseal.report.icalendar import render_icalendar
from postseal.report.inventory import build_inventory
from postseal.report.json_document import render_json
from postseal.report.last_seen import LastSeen
from postseal.report.logged import logged, with_last_seen
from postseal.report.model import Expiring, Inventory, exit_code
from postseal.report.page import PageAssets, render_page
from postseal.report.prometheus import render_prometheus
from postseal.report.table import TableStyle, render_table
from postseal.seen.documents import render_json as render_seen
from postseal.seen.model import ClientName, HostLog, Seen, SeenClient, Standing, Use
from postseal.seen.reading import read_seen
from postseal_core.errors import ConfigError
from tests.support.stack_state import NOW, certificate, export, mail_stack, member, roster

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
DAY = timedelta(days=1)
LIMIT = 90
STATE = export(
    certificate("mx1", profile="server"),
    certificate("alice", not_before=-4, not_after=361, renew_at=239, previous=(10,), unseen_after_days=30),
    certificate("bob", unseen_after_days=30),
    certificate("carol", unseen_after_days=30),
    certificate("dave"),
    roster("staff", [member("erin"), member("frank")], unseen_after_days=60),
)
INVENTORY = build_inventory(STATE, NOW)


def client(name: str, *uses: tuple[int | None, float], known: float | None = None, in_roster: str = "") -> SeenClient:
    """Return a client: generations and how many days ago, and for how many days until now it would have been seen."""
    return SeenClient(
        name=ClientName(in_roster, name),
        newest=1,
        uses=tuple(
            Use(
                generation=generation,
                standing=Standing.KEY if generation is None else Standing.CURRENT,
                first_at=NOW - days * DAY,
                last_at=NOW - days * DAY,
                sessions=1,
                hosts=("mx1",),
            )
            for generation, days in uses
        ),
        known_from=None if known is None else NOW - known * DAY,
        known_until=None if known is None else NOW,
    )


LOG = HostLog(
    logged_as="mx1", host="mx1", first_at=NOW - 80 * DAY, last_at=NOW, sessions=9, unnamed=0, named_from=NOW - 80 * DAY
)
SEEN = Seen(
    project="mail-pki",
    stack="prod",
    now=NOW,
    zone="read in UTC",
    hosts=(LOG,),
    clients=(
        client("alice", (1, 2), known=80),
        client("bob", (1, 30), known=80),
        client("carol", known=80),
        client("erin", (1, 59), known=80, in_roster="staff"),
        client("frank", known=None, in_roster="staff"),
        client("dave", (None, 80), known=80),
    ),
)
TOLD = with_last_seen(INVENTORY, SEEN)
RENDERED = {
    "last-seen.txt": render_table(TOLD, TOLD.items, TableStyle(width=120)),
    "last-seen.prom": "".join(
        f"{line}\n" for line in render_prometheus(TOLD, TOLD.items).splitlines() if "postseal_client" in line
    ),
}


def last_seen(inventory: Inventory) -> dict[str, LastSeen]:
    """Return what logs say of each client."""
    return {item.name: item.last_seen for item in inventory.items if item.last_seen}


@pytest.mark.parametrize("name", RENDERED)
def test_output_is_the_golden_one(name: str) -> None:
    """Outputs change only where somebody means them to; `UPDATE_GOLDEN=1` writes them anew for review."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(RENDERED[name])
    assert RENDERED[name] == path.read_text()


def test_each_client_is_told_when_it_was_seen() -> None:
    """With its generation; who has not switched; who was not seen for the time that is declared of it."""
    found = last_seen(TOLD)
    assert found.keys() == {"alice", "bob", "carol", "dave", "erin", "frank"}
    assert {name for name, each in found.items() if each.is_behind} == {"alice"}
    assert {name for name, each in found.items() if each.is_missed} == {"bob", "carol"}
    assert {name: each.unseen_days for name, each in found.items()} == {
        "alice": 2, "bob": 30, "carol": 80, "dave": 80, "erin": 59, "frank": None,
    }  # fmt: skip
    assert {name: each.limit_days for name, each in found.items()} == {
        "alice": 30, "bob": 30, "carol": 30, "dave": 0, "erin": 60, "frank": 60,
    }  # fmt: skip


def test_a_limit_for_all_is_for_those_that_declare_none() -> None:
    """The option of the command."""
    found = last_seen(with_last_seen(INVENTORY, SEEN, 80))
    assert {name for name, each in found.items() if each.is_missed} == {"bob", "carol", "dave"}
    assert not last_seen(with_last_seen(INVENTORY, SEEN, 81))["dave"].is_missed


def test_who_is_accepted_nowhere_is_not_behind() -> None:
    """A revoked client has no newer generation that it could use."""
    inventory = build_inventory(export(certificate("alice", previous=(10,), revoked=-1)), NOW)
    assert not last_seen(with_last_seen(inventory, SEEN))["alice"].is_behind


def test_csv_and_json_say_the_same() -> None:
    """In columns and members of their own; null and empty where nothing is known."""
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(render_csv(TOLD.items), newline=""))}
    entries = {each["name"]: each["last_seen"] for each in json.loads(render_json(TOLD, TOLD.items))["entries"]}
    assert entries["alice"] == {
        "at": "2026-11-20T20:00:00Z",
        "generation": 1,
        "is_behind": True,
        "unseen_days": 2,
        "unseen_after_days": 30,
        "is_missed": False,
    }
    assert entries["frank"] | {"unseen_after_days": None} == {
        "at": None, "generation": None, "is_behind": False, "unseen_days": None, "unseen_after_days": None,
        "is_missed": False,
    }  # fmt: skip
    assert entries["mx1"] is None
    for name, said in entries.items():
        columns = ("last_seen_at", "last_seen_generation", "unseen_days")
        expected = [said and said[each] for each in ("at", "generation", "unseen_days")]
        assert [rows[name][each] for each in columns] == ["" if each is None else str(each) for each in expected]


def test_the_page_says_it_too() -> None:
    """Beside each client, and who should be looked after."""
    page = render_page(TOLD, TOLD.items, PageAssets("", ""))
    assert "<small>seen 2026-11-20 g1, not g2</small>" in page
    assert "bob (30 d), carol (80 d)" in page or "carol (80 d), bob (30 d)" in page
    without = render_page(INVENTORY, INVENTORY.items, PageAssets("", ""))
    assert "Seen in logs" not in without
    assert "<small>seen" not in without


def test_without_logs_nothing_is_said_of_them() -> None:
    """Neither lines nor a column."""
    assert list(logged(INVENTORY, INVENTORY.items)) == []
    assert "Last seen" not in render_table(INVENTORY, INVENTORY.items, TableStyle(width=120))


def test_what_logs_say_of_another_stack_is_refused() -> None:
    """Names may be the same."""
    with pytest.raises(ConfigError, match="mail-pki/test, not of mail-pki/prod"):
        with_last_seen(INVENTORY, replace(SEEN, stack="test"))


INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - a zone follows
    lambda instant: instant.replace(microsecond=0, tzinfo=NOW.tzinfo)
)
USES = st.builds(
    Use,
    generation=st.none() | st.integers(0, 3),
    standing=st.sampled_from(Standing),
    first_at=INSTANTS,
    last_at=INSTANTS,
    sessions=st.integers(1, 9),
    hosts=st.just(("mx1",)),
)
NAMES = sorted({(item.roster, item.name) for item in build_inventory(mail_stack(), NOW).items})
CLIENTS = st.builds(
    SeenClient,
    name=st.sampled_from(NAMES).map(lambda pair: ClientName(*pair)),
    newest=st.none() | st.integers(1, 3),
    uses=st.lists(USES, max_size=2).map(tuple),
    known_from=st.none() | INSTANTS,
    known_until=st.none() | INSTANTS,
)
LOGS = st.builds(
    Seen,
    project=st.just("mail-pki"),
    stack=st.just("prod"),
    now=INSTANTS,
    zone=st.text(max_size=5),
    clients=st.lists(CLIENTS, max_size=8).map(tuple),
    hosts=st.just((LOG,)),
)
WITHOUT_LOGS = build_inventory(mail_stack(), NOW)
DECIDED = [each.name for each in fields(Expiring) if each.name not in ("last_seen", "read_declared")]


@given(LOGS, st.integers(0, 9))
def test_nothing_follows_from_a_log(seen: Seen, limit: int) -> None:
    """Whatever it says: exit code, order, state, dates, next actions and accepted rows are the same as without it."""
    told = with_last_seen(WITHOUT_LOGS, seen, limit)
    assert exit_code(told.items, told.unseen) == exit_code(WITHOUT_LOGS.items, WITHOUT_LOGS.unseen)
    assert [[getattr(item, name) for name in DECIDED] for item in told.items] == [
        [getattr(item, name) for name in DECIDED] for item in WITHOUT_LOGS.items
    ]
    assert replace(told, items=(), logs_until=None) == replace(WITHOUT_LOGS, items=())
    assert render_icalendar(told, told.items) == render_icalendar(WITHOUT_LOGS, WITHOUT_LOGS.items)


@given(LOGS)
def test_a_document_reads_back_as_it_was_written(seen: Seen) -> None:
    """Also with members that a later release has added."""
    document = json.loads(render_seen(seen))
    assert read_seen(document, "seen.json") == seen
    document["later"] = 1
    for each in document["clients"]:
        each["later"] = 1
    assert read_seen(document, "seen.json") == seen


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "postseal-report"}, "is something else; expected what `postseal seen --format json` writes"),
        ({"version": 2}, "has version 2, and this release reads 1"),
        ({"now": "yesterday"}, "seen.json.now: got 'yesterday'"),
        ({"clients": [7]}, r"seen.json.clients\[0\]: got a whole number, expected a mapping"),
        ({"clients": [{"client": "x"}]}, r"seen.json.clients\[0\].roster: missing"),
        ({"clients": "x"}, "seen.json.clients: got a text, expected a list"),
    ],
)
def test_what_is_no_such_document_is_refused(change: dict[str, Any], told: str) -> None:
    """With its place."""
    with pytest.raises(ConfigError, match=told):
        read_seen(json.loads(render_seen(SEEN)) | change, "seen.json")


def run(tmp_path: Path, *arguments: str) -> int:
    """Run the report of STATE."""
    state = tmp_path / "state.json"
    state.write_text(json.dumps(STATE))
    return main(["report", "--file", str(state), "--now", "2026-11-22T20:00:00Z", *arguments])


def test_the_command_shows_what_logs_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code that it has without them."""
    path = tmp_path / "seen.json"
    path.write_text(render_seen(SEEN))
    without = run(tmp_path, "--format", "json")
    capsys.readouterr()
    assert run(tmp_path, "--format", "json", "--seen", str(path), "--unseen-after", "80") == without
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == without
    assert {each["name"] for each in document["entries"] if (each["last_seen"] or {}).get("is_missed")} == {
        "bob", "carol", "dave",
    }  # fmt: skip


def test_the_command_refuses_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence."""
    path = tmp_path / "seen.json"
    path.write_text("{}")
    assert run(tmp_path, "--seen", str(path)) == 3
    assert "postseal seen --format json" in capsys.readouterr().err
    path.write_text("no")
    assert run(tmp_path, "--seen", str(path)) == 3
    assert "expected what `postseal seen --format json` writes" in capsys.readouterr().err
