"""Logical lines and our marked block, which main.cf and master.cf have in common.

In both files a line that starts with a blank continues the one before, and a line whose first character after blanks
is `#`, or that is empty, is a remark wherever it stands (postconf(5), master(5)).
"""

from collections.abc import Iterable, Sequence

__all__ = ["BLANKS", "carriage_return_of", "find_block", "is_remark", "logical_lines"]

BLANKS = " \t\r\v\f"


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


def find_block(lines: Sequence[str], begin: str, end: str) -> slice | None:
    """Return where the block between two marks stands, the marks included; None when there is no whole block."""
    texts = [line.strip(BLANKS) for line in lines]
    if end not in texts or begin not in texts[: texts.index(end)]:
        return None
    return slice(texts.index(begin), texts.index(end) + 1)


def carriage_return_of(text: str) -> str:
    r"""Return what stands before `\n` in most lines of a text: `\r` or nothing."""
    return "\r" if text.count("\r\n") * 2 > text.count("\n") else ""
