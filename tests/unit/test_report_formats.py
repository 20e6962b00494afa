"""Every output format, compared with complete golden outputs and checked against the rules of the format."""

import csv
import io
import json
import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.report.csv_document import COLUMNS, render_csv
from postseal.report.forecast import forecast
from postseal.report.forecast_document import render_forecast, render_forecast_json
from postseal.report.icalendar import fold_line, render_icalendar
from postseal.report.inventory import build_inventory
from postseal.report.json_document import render_json
from postseal.report.model import Expiring, Inventory
from postseal.report.prometheus import render_prometheus
from postseal.report.table import TableStyle, render_table
from tests.support.stack_state import NOW, certificate, export, large_stack, mail_stack, requested

GOLDEN = Path(__file__).parents[1] / "golden" / "report"


def with_known_numbers(item: Expiring) -> Expiring:
    """Return the same with a serial number and fingerprints that follow from its name: no two runs issue the same."""
    accepted = (
        replace(row, fingerprint=_fingerprint(item.name if row.generation == item.generation else f"{item.name}#1"))
        for row in item.accepted
    )
    serial_number = f"{sum(item.name.encode()):040x}" if item.serial_number else ""
    return replace(item, serial_number=serial_number, accepted=tuple(accepted))


def _fingerprint(word: str) -> str:
    """Return 32 octets in colon-separated upper-case hexadecimal."""
    octets = (word.encode() * 32)[:32]
    return ":".join(f"{octet:02X}" for octet in octets)


ISSUED = build_inventory(mail_stack(), NOW)
INVENTORY = replace(ISSUED, items=tuple(map(with_known_numbers, ISSUED.items)))
UNTIL = NOW + timedelta(days=200)
EVENTS = forecast(mail_stack(), NOW, UNTIL)

RENDERED = {
    "report.json": render_json(INVENTORY, INVENTORY.items),
    "report.csv": render_csv(INVENTORY.items),
    "report.prom": render_prometheus(INVENTORY, INVENTORY.items),
    "report.ics": render_icalendar(INVENTORY, INVENTORY.items),
    "report.80.txt": render_table(INVENTORY, INVENTORY.items, TableStyle(width=80)),
    "report.130.txt": render_table(INVENTORY, INVENTORY.items, TableStyle(width=130)),
    "report.color.txt": render_table(INVENTORY, INVENTORY.items, TableStyle(width=80, has_color=True)),
    "forecast.txt": render_forecast(EVENTS, NOW, UNTIL, TableStyle(width=80)),
    "forecast.json": render_forecast_json(EVENTS, NOW, UNTIL),
}


@pytest.mark.parametrize("name", RENDERED)
def test_output_is_the_golden_one(name: str) -> None:
    """Outputs change only where somebody means them to; `UPDATE_GOLDEN=1` writes them anew for review."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_bytes(RENDERED[name].encode())
    command = "UPDATE_GOLDEN=1 .venv/bin/pytest tests/unit/test_report_formats.py"
    assert RENDERED[name].encode() == path.read_bytes(), f"run `{command}`, and review the diff of {path}"


def test_csv_reads_back_with_every_name_intact() -> None:
    """Commas, quotes and backslashes in names survive a CSV reader."""
    rows = list(csv.DictReader(io.StringIO(RENDERED["report.csv"], newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["name"] for row in rows] == [item.name for item in INVENTORY.items]


def test_json_says_its_schema_and_the_exit_code() -> None:
    """A reader can refuse a version it does not know."""
    document = json.loads(RENDERED["report.json"])
    assert (document["schema"], document["version"], document["exit_code"]) == ("postseal-report", 1, 2)


# The text exposition format, version 0.0.4, as a grammar.
_METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_PAIR = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({_METRIC})\{{({_PAIR}(?:,{_PAIR})*)\}} (-?[0-9]+)")
COMMENT = re.compile(rf"# (?:HELP ({_METRIC}) [^\n]+|TYPE ({_METRIC}) gauge)")


def parse_exposition(text: str) -> dict[tuple[str, str], int]:
    """Return the samples of an exposition; fail where it breaks a rule of the format."""
    assert text.endswith("\n")
    samples: dict[tuple[str, str], int] = {}
    described: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            match = COMMENT.fullmatch(line)
            assert match, line
            described.append(match[1] or match[2])
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert described[-2:] == [match[1]] * 2, "samples follow their own HELP and TYPE"
            assert (match[1], match[2]) not in samples, "no series twice"
            samples[match[1], match[2]] = int(match[3])
    assert all(described.count(name) == 2 for name in described), "one HELP and one TYPE for each metric"
    return samples


def test_metrics_follow_the_exposition_format() -> None:
    """Every line parses, no series occurs twice, and the values are Unix seconds."""
    samples = parse_exposition(RENDERED["report.prom"])
    now = int(NOW.timestamp())
    assert samples["postseal_report_timestamp_seconds", 'stack="prod"'] == now
    labels = 'stack="prod",kind="client",name="alice"'
    assert samples["postseal_certificate_not_after_seconds", labels] == now + 361 * 86400
    assert samples["postseal_certificate_renew_at_seconds", labels] == now + 239 * 86400
    assert samples["postseal_certificate_retire_at_seconds", labels] == now + 10 * 86400
    assert samples["postseal_certificate_accepted_fingerprints", labels] == 2


def test_metrics_count_every_state_of_a_kind() -> None:
    """A state without items is 0 and not absent, so that an alert on it can resolve."""
    samples = parse_exposition(RENDERED["report.prom"])
    assert samples["postseal_entries", 'stack="prod",kind="client",state="overdue"'] == 2
    assert samples["postseal_entries", 'stack="prod",kind="server",state="expired"'] == 0


@given(st.text(min_size=1, max_size=20))
def test_any_name_survives_the_exposition_format(name: str) -> None:
    """Backslashes, quotes and line feeds are escaped so that they read back as they were."""
    inventory = build_inventory(export(certificate(name, common_name="anything")), NOW)
    samples = parse_exposition(render_prometheus(inventory, inventory.items))
    labels = next(labels for metric, labels in samples if metric == "postseal_certificate_not_after_seconds")
    escaped = labels.split('name="', 1)[1].removesuffix('"')
    assert re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], escaped) == name


def unfolded(calendar: str) -> list[str]:
    """Return the content lines of an iCalendar stream (RFC 5545 section 3.1)."""
    assert calendar.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", calendar)
    return calendar.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200))
def test_folded_lines_have_at_most_75_octets_and_unfold_to_themselves(line: str) -> None:
    """A line is cut between characters, never inside one."""
    folded = fold_line(line)
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == line


def test_calendar_has_one_event_with_an_alarm_for_each_next_action() -> None:
    """What is revoked has no event; all others have exactly one with everything that RFC 5545 requires."""
    lines = unfolded(RENDERED["report.ics"])
    events = sum(item.next_action is not None for item in INVENTORY.items)
    assert lines[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Postseal//Expiry report//EN"]
    for required in ("BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "DTSTAMP:20261122T200000Z"):
        assert lines.count(required) == events
    assert len({line for line in lines if line.startswith("UID:")}) == events


def _uids(inventory: Inventory) -> list[str]:
    return [line for line in unfolded(render_icalendar(inventory, inventory.items)) if line.startswith("UID:")]


def test_an_event_keeps_its_uid_when_its_date_moves_and_gets_a_new_one_after_the_renewal() -> None:
    """A calendar that reads the next report moves the event, and after the renewal makes a new one."""
    today, moved, renewed = (
        build_inventory(export(each), NOW)
        for each in (certificate("mx1"), certificate("mx1", renew_at=99), certificate("mx1", previous=(-99,)))
    )
    assert _uids(today) == _uids(moved)
    assert _uids(today) != _uids(renewed)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int) -> None:
    """Names are shortened, not wrapped."""
    text = render_table(INVENTORY, INVENTORY.items, TableStyle(width=width))
    assert all(len(line) <= width for line in text.splitlines())


def test_the_rest_of_a_group_that_needs_nothing_is_called_fine() -> None:
    """Where all that needs attention is shown, the rest is just a number."""
    inventory = build_inventory(large_stack(9), NOW)
    text = render_table(inventory, inventory.items, TableStyle(rows=4))
    assert "and 5 more that are fine" in text


def test_control_characters_in_names_do_not_reach_the_terminal() -> None:
    """A name cannot move the cursor, clear the screen or pretend to be markup."""
    inventory = build_inventory(export(certificate("\x1b[2Jevil\r[red]\u202e", common_name="evil")), NOW)
    text = render_table(inventory, inventory.items, TableStyle())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text


def test_a_retirement_that_is_due_says_which_generation() -> None:
    """The next action of a client in its overlap names the generation that leaves."""
    inventory = build_inventory(export(certificate("a", previous=(-100.5, 5))), NOW)
    assert "retire generation 2  2026-11-27" in render_table(inventory, inventory.items, TableStyle())


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_csv_is_a_formula(sign: str) -> None:
    """A spreadsheet would compute it, and a formula may fetch from, and send to, the Internet."""
    subject = f"{sign}HYPERLINK(1)"
    (row,) = csv.DictReader(io.StringIO(render_csv([replace(ISSUED.items[0], subject=subject)]), newline=""))
    assert row["subject"] == f"'{subject}"
    assert row["days_left"] == str(ISSUED.items[0].days_left)


def test_a_table_shows_no_control_character_of_a_state() -> None:
    """Names of the project and the stack come from the file that is read, as all others do."""
    hostile = "x\x1b[31m\u202ey"
    items = tuple(replace(each, name=hostile, subject=hostile) for each in INVENTORY.items)
    inventory = replace(INVENTORY, project=hostile, stack=hostile, items=items)
    text = render_table(inventory, items, TableStyle(width=130))
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("renew_at", "is_told"), [(10, True), (-1, True), (300, False)])
def test_the_table_says_what_a_new_request_is(renew_at: int, is_told: bool) -> None:  # noqa: FBT001
    """Nothing can be fetched anywhere: the device has to make a key. What is not near needs no words."""
    inventory = build_inventory(export(requested("printer", renew_at=renew_at, not_after=365)), NOW)
    text = render_table(inventory, inventory.items, TableStyle())
    assert "new request" in text
    assert (
        "printer: the key is where the request was made; have a new key and a request made there" in text
    ) is is_told
