"""The parts of which the text of a review consists, whatever it is written in."""

from dataclasses import dataclass

__all__ = ["Block", "Bullets", "Folded", "Heading", "Lines", "Table"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; each item is a label, empty for none, and a text."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of text."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """Lines that are there, and need not be read: `summary` says what they are."""

    summary: str
    lines: tuple[str, ...]


Block = Heading | Bullets | Lines | Table | Folded
