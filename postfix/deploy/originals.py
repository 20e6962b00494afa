"""What a main.cf or master.cf of somebody else would be without ours, byte for byte, to be given back in the end.

It is kept in the mark on the host, as it was before anything of ours was put in. What others edit in the file meanwhile
is carried over line by line: lines of ours are known by their parameters and by the marks around our block, and all
other lines are theirs.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from postfix.lines import BLANKS, Marks, find_block
from postfix.main_cf import MARKS, Definition, Entry, parse_main_cf, read_parameters

__all__ = ["given_value", "held_value", "lines_of_others", "original_values", "rebased", "without_ours"]

_HELD: Final = "base64:"


def lines_of_others(text: str, names: Collection[str]) -> list[int]:
    """Return the numbers, from 0, of the lines of main.cf that are neither of parameters in `names` nor our marks.

    Comments inside the value of such a parameter are of others. Raises ConfigError for marks that are not one pair.
    """
    ours = {number for start, entry in _numbered(text) for number in _lines_of_definition(start, entry, names)}
    lines = text.split("\n")
    return [number for number in range(len(lines)) if number not in ours | _lines_of_marks(lines, MARKS)]


def lines_outside(text: str, marks: Marks) -> list[int]:
    """Return the numbers, from 0, of the lines that are not in our block."""
    lines = text.split("\n")
    block = find_block(lines, marks)
    inside = set(range(block.start, block.stop)) if block else set()
    return [number for number in range(len(lines)) if number not in inside | _lines_of_marks(lines, marks)]


def without_ours(text: str, names: Collection[str]) -> str:
    """Return main.cf without our parameters and marks, where nothing is known of what was there before."""
    lines = text.split("\n")
    return "\n".join(lines[number] for number in lines_of_others(text, names))


def rebased(base: str, text: str, names: Collection[str], marks: Marks = MARKS) -> str:
    """Return `base`, the file as it was before ours, with what others have edited in `text` since.

    `names`: parameters that are ours in `text`; empty for a master.cf, of which only the block is ours.
    """
    is_main_cf = marks is MARKS
    kept_before = lines_of_others(base, names) if is_main_cf else lines_outside(base, marks)
    kept_now = lines_of_others(text, names) if is_main_cf else lines_outside(text, marks)
    before, now = base.split("\n"), text.split("\n")
    theirs_before, theirs_now = [before[number] for number in kept_before], [now[number] for number in kept_now]
    # A block of ours begins and ends with an empty line of its own, and what lies there says nothing of others.
    if _trimmed(theirs_before) == _trimmed(theirs_now):
        return base
    old = _without_blank_end(before, kept_before, marks)
    new = [now[number] for number in _without_blank_end(now, kept_now, marks)]
    ends = _ends_of_definitions(base, names) if is_main_cf else {}
    return _edited(before, old, new, ends)


def original_values(base: str, declared: Collection[str]) -> dict[str, str]:
    """Return the values that the declared parameters had in the main.cf of somebody else, as a state can hold them."""
    return {name: held_value(value) for name, value in read_parameters(base).items() if name in declared}


def held_value(value: str) -> str:
    """Return a value as text that any record can hold: one with other bytes than printable text in base64."""
    if value.isprintable() and not value.startswith(_HELD):
        return value
    return _HELD + b64encode(value.encode("utf-8", "surrogateescape")).decode()


def given_value(held: str) -> str:
    """Return the value that `held_value` made a text of."""
    if not held.startswith(_HELD):
        return held
    return b64decode(held.removeprefix(_HELD)).decode("utf-8", "surrogateescape")


def _numbered(text: str) -> Iterator[tuple[int, Entry]]:
    """Yield the entries of main.cf with the number of their first line."""
    number = 0
    for entry in parse_main_cf(text):
        yield number, entry
        number += len(entry.lines) if isinstance(entry, Definition) else 1


def _lines_of_definition(start: int, entry: Entry, names: Collection[str]) -> Iterator[int]:
    if isinstance(entry, Definition) and entry.name in names:
        remarks = entry.remark_numbers
        yield from (start + number for number in range(len(entry.lines)) if number not in remarks)


def _lines_of_marks(lines: Sequence[str], marks: Marks) -> set[int]:
    """Return the lines of the marks, and the empty line that we put in front of them."""
    block = find_block(lines, marks)
    if block is None:
        return set()
    gap = {block.start - 1} if block.start and not lines[block.start - 1].strip(BLANKS) else set()
    return {block.start, block.stop - 1} | gap


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Return lines without empty ones at their end."""
    end = len(lines)
    while end and not lines[end - 1].strip(BLANKS):
        end -= 1
    return list(lines[:end])


def _without_blank_end(lines: Sequence[str], kept: Sequence[int], marks: Marks) -> list[int]:
    """Leave out empty lines at the end of a file, where a block of ours begins and ends."""
    block = find_block(lines, marks) or slice(len(lines), len(lines))
    is_ours = {*range(block.start, block.stop)}.difference(kept)
    end = len(lines)
    while end and (end - 1 in is_ours or not lines[end - 1].strip(BLANKS)):
        end -= 1
    return [number for number in kept if number < end]


def _ends_of_definitions(base: str, names: Collection[str]) -> dict[int, int]:
    """Return, for each line of a definition of ours, the line behind it: nothing may be put in between."""
    return {
        number: start + len(entry.lines)
        for start, entry in _numbered(base)
        if isinstance(entry, Definition) and entry.name in names
        for number in range(start, start + len(entry.lines))
    }


def _edited(base: Sequence[str], kept: Sequence[int], now: Sequence[str], ends: Mapping[int, int]) -> str:
    """Return `base` with the lines `kept` edited to `now`; the others stay where they are."""
    inserted: dict[int, list[str]] = {}
    deleted: set[int] = set()
    matcher = SequenceMatcher(None, [base[number] for number in kept], now, autojunk=False)
    for what, start, end, first, last in matcher.get_opcodes():
        if what == "equal":
            continue
        deleted |= {*kept[start:end]}
        behind = ends.get(kept[start - 1], kept[start - 1] + 1) if start else 0
        inserted.setdefault(behind, []).extend(now[first:last])
    lines = []
    for number in range(len(base) + 1):
        lines += inserted.get(number, [])
        lines += [base[number]] if number < len(base) and number not in deleted else []
    return "\n".join(lines)
