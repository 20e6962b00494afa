"""Read the clients of a roster from CSV or YAML text, for programs; mistakes become sentences without a traceback."""

from collections.abc import Callable

from pki.roster import reading
from pki.roster.rows import RosterRow
from postseal_core.errors import ConfigError, Problem
from postseal_core.program import ArgumentError
from postseal_core.values import MUST_BE_KNOWN, is_deferred
from postseal_core.wording import found

__all__ = ["parse_csv", "parse_yaml"]

_Rows = tuple[RosterRow, ...]


def parse_csv(text: str) -> tuple[RosterRow, ...]:
    """Return the clients of CSV text (RFC 4180), for `ClientRoster`.

        clients = pki.parse_csv(Path("staff.csv").read_text(encoding="utf-8"))

    Args:
        text: A header of field names, `name` among them, then one line for each client. Lists are separated by `;`
            within their cell; an empty cell leaves the field out; lines without any content are skipped; a byte order
            mark at the beginning is ignored.

    Raises:
        ConfigError: everything that is wrong, with line numbers.
    """
    return _read(reading.parse_csv, text)


def parse_yaml(text: str) -> tuple[RosterRow, ...]:
    """Return the clients of YAML text, for `ClientRoster`.

        clients = pki.parse_yaml(Path("staff.yaml").read_text(encoding="utf-8"))

    Args:
        text: A mapping from names to fields, or a list of entries with a `name`. Names are words, no numbers;
            lists are YAML lists.

    Raises:
        ConfigError: everything that is wrong, with line numbers; also a key that stands twice in one mapping.
    """
    return _read(reading.parse_yaml, text)


def _read(parse: Callable[[str], _Rows], text: object) -> _Rows:
    if not isinstance(text, str):
        fault = MUST_BE_KNOWN if is_deferred(text) else f"got {found(text)}, expected the text of a file"
        raise ArgumentError([Problem("text", fault)])
    try:
        return parse(text)
    except ConfigError as error:
        raise ArgumentError(error.problems) from None
