"""Words that messages about mistakes share: the nearest known name, and a value as it is quoted."""

import difflib
from collections.abc import Collection, Mapping
from typing import Final

__all__ = ["found", "nearest_hint", "shown"]

_MAX_SHOWN: Final = 60
_MANY: Final = 8
_LARGEST_SHOWN: Final = 10**_MAX_SHOWN
_BEGINS_PEM: Final = "-----BEGIN"
_QUOTED: Final = (str, int, float, list, tuple, Mapping)
_NAMES: Final = ((str, "a text"), (Mapping, "a mapping"), (list | tuple, "a list"))


def nearest_hint(word: str, known: Collection[str]) -> str:
    """Return `did you mean alice?` where a known word is near, else what the known words are."""
    spellings = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), spellings, n=1)
    if found:
        return f"did you mean {spellings[found[0]]}?"
    words = sorted(known)
    listed = ", ".join(words[:_MANY]) + (", ..." if len(words) > _MANY else "")
    return f"expected one of: {listed}" if words else "none is declared"


def shown(value: object) -> str:
    """Return a value as a message quotes it, cut after 60 characters; of an object only what it is."""
    text = repr(value) if value is None or isinstance(value, _QUOTED) else f"a {type(value).__name__}"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def found(value: object) -> str:
    """Return what a message says was found: never key material, which somebody may have put at the wrong place."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and _BEGINS_PEM not in value:
        return shown(str(value))
    if isinstance(value, int) and not -_LARGEST_SHOWN < value < _LARGEST_SHOWN:
        return "a number of many digits"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return next((name for kind, name in _NAMES if isinstance(value, kind)), f"a {type(value).__name__}")
