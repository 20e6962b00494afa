"""Logical lines and our marked block, which main.cf and master.cf have in common.

In both files a line that starts with a blank continues the one before, and a line whose first character after blanks
is `#`, or that is empty, is a remark wherever it stands (postconf(5), master(5)).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from postseal_core.errors import Problem, refuse

__all__ = ["BLANKS", "Marks", "carriage_return_of", "find_block", "is_remark", "logical_lines"]

BLANKS = " \t\r\v\f"
_END_IS_MISSING = (
    "a block of ours begins here and its end mark is missing, so whose the lines below are cannot be told; put this "
    "line behind the last line that is ours: {}"
)
_BEGIN_IS_MISSING = (
    "a block of ours ends here and begins nowhere above; put this line in front of the first line that is ours, or "
    "delete this mark if nothing is: {}"
)
_SECOND_BLOCK = (
    "a second block of ours begins here, and line {} has a mark of the first one; keep one pair of marks, around the "
    "lines that are ours, and delete the others"
)


def is_remark(line: str) -> bool:
    """Return whether Postfix skips a physical line: a comment, or nothing but blanks."""
    text = line.strip(BLANKS)
    return not text or text.startswith("#")


def logical_lines(lines: Iterable[str]) -> list[list[tuple[int, str]]]:
    """Group physical lines, numbered from 1; every group but the first begins with the start of a logical line.

    A group goes on until the next start, so it may end with remarks that stand between the two.
    """
    groups: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(lines, start=1):
        if not is_remark(line) and line[0] not in BLANKS:
            groups.append([])
        groups[-1].append((number, line))
    return groups


@dataclass(frozen=True, slots=True)
class Marks:
    """The comments around what is ours in a file of others; `file` names that file for messages."""

    file: str
    begin: str
    end: str

    def place(self, number: int) -> str:
        """Return how a message names a line, counted from 1."""
        return f"{self.file} line {number}"

    def is_edited(self, line: str) -> bool:
        """Whether a comment looks like one of the marks, edited by somebody."""
        text = " ".join(line.casefold().split())
        return text.startswith("#") and any(_words_of(mark) in text for mark in (self.begin, self.end))


def _words_of(mark: str) -> str:
    return mark.partition(";")[0].strip("# -").casefold()


def find_block(lines: Sequence[str], marks: Marks) -> slice | None:
    """Return where the block between two marks stands, the marks included; None in a file without any mark.

    Raises ConfigError unless the marks are one begin and behind it one end: with another number nobody can tell whose
    the lines between them are. Each problem has the number of its line.
    """
    found = [(number, line.strip(BLANKS)) for number, line in enumerate(lines, start=1)]
    found = [each for each in found if each[1] in (marks.begin, marks.end) or marks.is_edited(each[1])]
    refuse(_problems_of_marks(found, marks))
    return slice(found[0][0] - 1, found[1][0]) if found else None


def _problems_of_marks(found: Sequence[tuple[int, str]], marks: Marks) -> list[Problem]:
    if [text for _, text in found] in ([], [marks.begin, marks.end]):
        return []
    complaints = sorted(_complaints_of_marks(found, marks))
    return [Problem(f"{marks.file} line {number}", complaint) for number, complaint in complaints]


def _complaints_of_marks(found: Sequence[tuple[int, str]], marks: Marks) -> Iterator[tuple[int, str]]:
    began = earlier = 0
    for number, text in found:
        if text not in (marks.begin, marks.end):
            yield number, f"this mark was edited; write it as one of these two: {marks.begin} / {marks.end}"
            continue
        if text == marks.end and not began:
            yield number, _BEGIN_IS_MISSING.format(marks.begin)
        if text == marks.begin and began:
            yield began, _END_IS_MISSING.format(marks.end)
        if text == marks.begin and earlier:
            yield number, _SECOND_BLOCK.format(earlier)
        began, earlier = (number if text == marks.begin else 0), number
    if began:
        yield began, _END_IS_MISSING.format(marks.end)


def carriage_return_of(text: str) -> str:
    r"""Return the character before `\n` in most lines of a text: `\r` or nothing."""
    return "\r" if text.count("\r\n") * 2 > text.count("\n") else ""
