"""Names that YAML reads as numbers, dates or flags never name anything: two of them may have become one before."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import pki
from pki.roster.reading import parse_csv, rows_of_mapping
from pki.roster.rows import row_of_line
from postseal_core.errors import ConfigError
from postseal_core.plain_names import LOST_NAME, is_lost_in_yaml
from tests.support.stack_files import problems_of, roster, stack

LOST = ["8", "010", "1000", "0x1f", "0o17", "0b11", "1e3", "12e-4", "2026-01-01", "yes", "no", "on", "off", "true"]
LOST += ["false", "null"]
KEPT = ["y", "n", "ca-1", "alice", "1a", "8-bob", "mx1", "e3", "0x", "x10", "10-20", "nora", "2026-staff", "1e", "10e"]
ONLY_IN_ROSTERS = ["1.5", "1_000", "1.e3", "1e+3", "NULL", "Yes", "0x1F", "TRUE", "1.5E10"]
KEPT_IN_ROSTERS = ["192.0.2.1", "1.5a", "alice@example.org", "Nan"]


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("section", ["authorities", "servers", "clients", "rosters", "hosts"])
def test_a_name_that_yaml_changes_is_refused_in_every_section(section: str, name: str) -> None:
    """`010` and `8` reach the program as one and the same name."""
    raw = stack(**({section: {name: {}}} | ({"authority": None} if section == "authorities" else {})))
    assert (f"{section}.{name}", LOST_NAME) in {(each.path, each.message) for each in problems_of(raw)}


@pytest.mark.parametrize("name", [*LOST, *ONLY_IN_ROSTERS])
def test_a_client_of_a_roster_has_no_such_name(name: str) -> None:
    """Not in a stack file, not in a table, not in the line that a program passes to the plugin."""
    for read in (
        lambda: rows_of_mapping({name: {"email": "a@example.org"}}),
        lambda: parse_csv(f"name,email\n{name},a@example.org\n"),
        lambda: row_of_line(name, f'{{"name":"{name}"}}'),
    ):
        with pytest.raises(ConfigError) as caught:
            read()
        assert [each.message for each in caught.value.problems] == [LOST_NAME]
    found = problems_of(roster(clients={name: {"email": "a@example.org"}}))
    assert (f"rosters.staff.clients.{name}.name", LOST_NAME) in {(each.path, each.message) for each in found}


@pytest.mark.parametrize("name", KEPT)
def test_a_name_with_a_letter_stays_allowed(name: str) -> None:
    """Also one that begins with digits."""
    assert problems_of(stack(clients={name: {"email": "a@example.org"}}, hosts=None)) == []


@pytest.mark.parametrize("name", [*KEPT, *KEPT_IN_ROSTERS])
def test_a_client_of_a_roster_keeps_a_name_with_a_letter(name: str) -> None:
    """And an address, which is no number."""
    assert [row.name for row in rows_of_mapping({name: {}})] == [name]


def test_a_component_has_no_such_name() -> None:
    """A program's names stand in the same reports and files."""
    with pytest.raises(ConfigError, match=r"clients\.010: " + LOST_NAME[:30]):
        pki.ClientCertificate("010", authority=None, email="a@example.org")  # type: ignore[arg-type]


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,15}", fullmatch=True))
def test_whatever_yaml_reads_as_no_text_is_lost(name: str) -> None:
    """Judged by a YAML library."""
    try:
        read: Any = yaml.safe_load(name)
    except ValueError:
        read = None  # looks like a day, and is none
    if not isinstance(read, str):
        assert is_lost_in_yaml(name)
