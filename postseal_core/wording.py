"""Words that messages about mistakes share: the nearest known name, and a value as it is quoted."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

__all__ = ["found", "is_plausible_name", "listed", "nearest_hint", "shown"]

_MAX_SHOWN: Final = 60
_MANY: Final = 8
_LARGEST_SHOWN: Final = 10**_MAX_SHOWN
_MANY_DIGITS: Final = "a number of many digits"
_PLAUSIBLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,29}", re.ASCII)
_BEGINS_PEM: Final = "-----BEGIN"
_PEM: Final = "a PEM block"
_QUOTED: Final = (str, int, float, list, tuple, Mapping)
_NAMES: Final = ((str, "a text"), (Mapping, "a mapping"), (list | tuple, "a list"))


def nearest_hint(
    word: str, known: Collection[str], other_words: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> str:
    """Return `did you mean alice?` where a known word is near, else what the known words are.

    `other_words`: what others say instead of known words, in lower case with underscores, and what is meant by each;
    the first that is known is the hint, also one of which only the part before a point is.
    """
    meant = next((each for each in _meant(word, other_words) if each.partition(".")[0] in known), "")
    if meant:
        return f"did you mean {meant}?"
    spellings = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), spellings, n=1) if len(word) <= _MAX_SHOWN else []
    if found:
        return f"did you mean {spellings[found[0]]}?"
    words = sorted(known)
    listed = ", ".join(words[:_MANY]) + (", ..." if len(words) > _MANY else "")
    return f"expected one of: {listed}" if words else "none is declared"


def _meant(word: str, other_words: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return other_words.get(word.lower().replace("-", "_"), ()) if len(word) <= _MAX_SHOWN else ()


def shown(value: object) -> str:
    """Return a value as a message quotes it, cut after 60 characters; of an object, and of PEM, only what it is."""
    if isinstance(value, str) and _BEGINS_PEM in value:
        return _PEM
    if isinstance(value, str):
        text = repr(value[: _MAX_SHOWN + 1])
    elif isinstance(value, int) and not -_LARGEST_SHOWN < value < _LARGEST_SHOWN:
        return _MANY_DIGITS
    else:
        text = _repr(value) if value is None or isinstance(value, _QUOTED) else f"a {type(value).__name__}"
        if _BEGINS_PEM in text:
            return f"a {type(value).__name__} with {_PEM} in it"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _repr(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits in a list, or a list in itself
        return f"a {type(value).__name__}"


def listed(names: Iterable[str], most: int) -> str:
    """Return names in a line: the first ones in the given order, and how many more there are."""
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more:,} more" if more > 0 else "")


def is_plausible_name(text: str) -> bool:
    """Return whether a text looks like the name of a column or a key, and not like a passphrase.

    Only such a one may be quoted from a file that is perhaps none of ours.
    """
    return _PLAUSIBLE_NAME.fullmatch(text) is not None


def found(value: object) -> str:
    """Return a found value for a message; key material in the wrong place is never quoted."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and _BEGINS_PEM not in value:
        return shown(str(value))
    if isinstance(value, int) and not -_LARGEST_SHOWN < value < _LARGEST_SHOWN:
        return _MANY_DIGITS
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return next((name for kind, name in _NAMES if isinstance(value, kind)), f"a {type(value).__name__}")
