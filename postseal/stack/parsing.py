"""Read one value of the configuration, which the engine hands to a program as text."""

import json
from typing import Final

__all__ = ["TooDeep", "parse_value"]

_MOST_DIGITS: Final = 400
"""Of a whole number; longer ones, which Python refuses to convert, become one that every reader refuses."""


class TooDeep:
    """Stands for an object or a list that is nested too deeply to be read at all."""


def parse_value(text: str) -> object:
    """Parse objects and lists from JSON; any other text stays as it is."""
    try:
        return json.loads(text, parse_int=_whole_number)
    except RecursionError:
        return TooDeep()
    except ValueError:
        return text


def _whole_number(digits: str) -> int:
    return int(digits[:_MOST_DIGITS])
