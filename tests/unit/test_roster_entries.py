"""Clients are found in a file with their lines; what is wrong with a file's form is told where it stands."""

import pytest

from pki.roster import entries, plain_yaml
from pki.roster.entries import Entries, Entry, PlacedProblem, entries_of_csv, entries_of_yaml
from pki.roster.rows import COLUMNS
from postseal_core.errors import Problem

KNOWN = f"the columns are: {', '.join(COLUMNS)}"
FEW = "has one client more than"


def wrong(*problems: tuple[int, str]) -> Entries:
    """Return what is found in a file with these problems, each of a line."""
    return Entries(problems=tuple(PlacedProblem(line, Problem("", message)) for line, message in problems))


def faults(found: Entries) -> list[tuple[int, str]]:
    """Return the lines and messages of problems; there are no clients beside them."""
    assert found.entries == ()
    return [(each.line, each.problem.message) for each in found.problems]


@pytest.mark.parametrize(
    "text", ["name,email\na,x\nb,y\n", "name,email\r\na,x\r\nb,y\r\n", "\ufeffname,email\na,x\nb,y"]
)
def test_a_table_is_found_whatever_its_line_ends(text: str) -> None:
    """As a spreadsheet of Windows writes it, with a byte order mark, or without an end of its last line."""
    assert entries_of_csv(text) == Entries(
        (Entry(2, 2, {"name": "a", "email": "x"}), Entry(3, 3, {"name": "b", "email": "y"}))
    )


def test_cells_are_stripped_empty_ones_left_out_and_short_lines_end_early() -> None:
    """Blanks around a name of a column or a cell mean nothing."""
    found = entries_of_csv("name , email,organization\n\n a , ,Example\nb\n , , \n")
    assert found == Entries((Entry(3, 3, {"name": "a", "organization": "Example"}), Entry(4, 4, {"name": "b"})))


HEADERS = {
    "name,mail,email": [(1, f"unknown column 'mail'; {KNOWN}")],
    "name,two words,email,3rd": [(1, f"column 2 is unknown; {KNOWN}"), (1, f"column 4 is unknown; {KNOWN}")],
    "name,email,name,email": [(1, "column 'email' stands there twice"), (1, "column 'name' stands there twice")],
    "email": [(1, f"has no column `name`; it is the header, with columns of: {', '.join(COLUMNS)}")],
    "mail,phone": [(1, f"has no column `name`; it is the header, with columns of: {', '.join(COLUMNS)}")],
}


@pytest.mark.parametrize("header", HEADERS)
def test_the_header_is_the_first_line_and_its_columns_are_counted_from_one(header: str) -> None:
    """Every column that is wrong is told, with its name where it looks like one."""
    assert faults(entries_of_csv(f"{header}\n")) == HEADERS[header]


def test_a_header_is_as_wide_as_its_bound_and_no_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wider one is told by its width alone."""
    monkeypatch.setattr(entries, "MOST_COLUMNS", 3)
    assert entries_of_csv("name,email,organization\n") == Entries()
    assert faults(entries_of_csv("name,email,organization,x\n")) == [
        (1, f"has 4 columns, expected at most 3; {KNOWN}"),
    ]


@pytest.mark.parametrize(
    ("three", "four", "line"),
    [
        ("name\na\nb\n\nc\n", "name\na\nb\n\nc\nd\ne\n", 6),
        ("a:\nb:\n\nc:\n", "a:\nb:\n\nc:\nd:\ne:\n", 5),
        ("- name: a\n- name: b\n- name: c\n", "- name: a\n- name: b\n- name: c\n- name: d\n- name: e\n", 4),
    ],
    ids=["csv", "mapping", "list"],
)
def test_a_roster_has_as_many_clients_as_its_bound_and_no_more(
    monkeypatch: pytest.MonkeyPatch, three: str, four: str, line: int
) -> None:
    """The first that is too many is told with its line."""
    monkeypatch.setattr(entries, "MOST_ROWS", 3)
    find = entries_of_csv if three.startswith("name\n") else entries_of_yaml
    assert len(find(three).entries) == 3
    [(place, message)] = faults(find(four))
    assert (place, message.startswith(FEW)) == (line, True)


def test_a_text_is_as_large_as_its_bound_and_no_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is told in MiB."""
    monkeypatch.setattr(entries, "LARGEST_FILE_BYTES", 2 * 2**20)
    text = "name\n" + "\n" * (2 * 2**20 - 5)
    assert entries_of_csv(text) == Entries()
    too_large = "is the first of a text larger than 2 MiB, which no roster needs"
    assert faults(entries_of_csv(f"{text}\n")) == [(1, too_large)]
    assert faults(entries_of_yaml(f"{text}\n")) == [(1, too_large)]


def test_half_a_character_is_told_in_the_first_line() -> None:
    """No text can be written that holds one."""
    half = "is no text: it holds half of a character, which cannot be written as UTF-8"
    assert faults(entries_of_csv("name\n\ud800\n")) == faults(entries_of_yaml("a: \ud800\n")) == [(1, half)]


def test_lines_with_more_cells_than_the_header_are_all_told() -> None:
    """One with as many is right."""
    found = entries_of_csv("name,email\na,x,y\nb,z\nc,x,y,z\n")
    message = "cells, the header has 2; quote a cell that has a comma"
    assert faults(found) == [(2, f"has 3 {message}"), (4, f"has 4 {message}")]


def test_a_cell_that_never_ends_is_told_with_the_line_where_reading_stopped() -> None:
    """It is no CSV."""
    [(line, message)] = faults(entries_of_csv('name,email\na,x\n"b,y\nc,z\n'))
    assert (line, message.startswith("is not CSV: ")) == (4, True)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: {}\nb: {}\na: {}\n", [(3, 1)]),
        ("a: {email: x, email: y}\nb: {}\nc:\n  email: x\n  email: y\n", [(1, 1), (5, 4)]),
        ("- name: a\n- name: b\n  name: c\n", [(3, 2)]),
        ("a: {dns_names: [{x: 1,\n x: 2}]}\n", [(2, 1)]),
    ],
)
def test_each_key_that_stands_twice_is_told_with_both_lines(text: str, problems: list[tuple[int, int]]) -> None:
    """At any depth, also where something else is wrong as well."""
    told = [(line, f"has a key that stands at line {first} already; declare it once") for line, first in problems]
    assert faults(entries_of_yaml(text)) == told


def test_a_file_of_another_shape_is_told_where_it_has_one() -> None:
    """A word is no roster; a number is no client, and nothing at all is one without fields."""
    whole = "expected a mapping from client names to fields, or a list of clients"
    assert entries_of_yaml("\nalice\n") == wrong((1, whole))
    fields = "expected the fields of a client, as `email: alice@example.org`"
    assert entries_of_yaml("a: 4\nb: {}\nc: [x]\nd:\n") == wrong((1, fields), (3, fields))
    assert entries_of_yaml("- {name: a}\n- b\n") == wrong((2, fields))
    assert entries_of_yaml("") == Entries()


def test_clients_of_yaml_come_with_the_line_of_the_entry_and_of_the_name() -> None:
    """Below a key both are one; in a list the name may stand further down, or be missing."""
    assert entries_of_yaml("a:\nb:\n  email: x\n") == Entries(
        (Entry(1, 1, None, "a"), Entry(2, 2, {"email": "x"}, "b")),
    )
    assert entries_of_yaml("- email: x\n  name: a\n-\n- email: y\n") == Entries(
        (Entry(1, 2, {"email": "x", "name": "a"}), Entry(3, 3, None), Entry(4, 4, {"email": "y"}))
    )


LINES = {
    "a: {}\nb: \x07\n": (2, "holds a control character; remove it"),
    "\x07": (1, "holds a control character; remove it"),
    "a: {}\n\nb: &x {}\n": (3, "has an alias or an anchor"),
    "a: {}\nb: !x {}\n": (2, "has a tag"),
    "a: {}\nb: {<<: {}}\n": (2, "has a merge key"),
    "a: {}\n---\nb: {}\n": (2, "begins a second document"),
    "a: {}\nb: [\n": (3, "is not YAML: "),
    "a: {}\nb: {email: 2026-13-45}\n": (2, "a value looks like a number or a day and is none"),
    "a: {}\nb: {email: 0777}\n": (2, "a number is none in decimal digits"),
}


@pytest.mark.parametrize("text", LINES, ids=repr)
def test_what_is_more_than_plain_yaml_is_told_with_its_line(text: str) -> None:
    """Whatever it is."""
    [(line, message)] = faults(entries_of_yaml(text))
    assert (line, message[: len(LINES[text][1])]) == LINES[text]


def test_quoted_merge_signs_are_words() -> None:
    """Only the bare sign merges; `-7` is a number like any other."""
    assert entries_of_yaml("a: {'<<': x, n: -7}\n") == Entries((Entry(1, 1, {"<<": "x", "n": -7}, "a"),))


def test_yaml_is_as_deep_as_its_bound_and_no_deeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mappings and lists count alike, and those that have ended count no more."""
    monkeypatch.setattr(plain_yaml, "DEEPEST", 3)
    assert len(entries_of_yaml("a: {x: [1], y: [2]}\nb: {x: [1]}\n").entries) == 2
    [(line, message)] = faults(entries_of_yaml("a: {x: [1]}\nb: {x: [[1]]}\n"))
    assert (line, message.startswith("is nested too deeply")) == (2, True)


def test_yaml_has_as_many_values_as_its_bound_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a text is counted in events: here a mapping in a document in a stream, and its two words."""
    text = "a:\nb:\n"  # stream, document, mapping, a, nothing, b, nothing, and three ends: the last is number 9
    monkeypatch.setattr(plain_yaml, "_MOST_EVENTS", 9)
    assert len(entries_of_yaml(text).entries) == 2
    monkeypatch.setattr(plain_yaml, "_MOST_EVENTS", 8)
    assert [message[:34] for _, message in faults(entries_of_yaml(text))] == ["is the end of what is read: there "]
