"""The value types of the stack file and their Python equivalents."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StrictBool, StrictInt, StrictStr

from pki.lifetime import EVERY_RENEWAL, KEEP_KEY
from pki.verification import load_chain
from postseal_core.errors import CertificateError
from postseal_core.wording import shown

__all__ = [
    "NAME_RULE",
    "Count",
    "Flag",
    "Hours",
    "NameText",
    "PathText",
    "PemText",
    "RenewKey",
    "Text",
    "Texts",
    "WaitHours",
    "expanded",
    "is_name",
]

NAME_RULE: Final = "1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([hdw])", re.ASCII)
_HOURS_OF_UNIT: Final[Mapping[str, int]] = {"h": 1, "d": 24, "w": 168}
_RENEW_KEY_WORDS: Final[Mapping[str, int]] = {"always": EVERY_RENEWAL, "never": KEEP_KEY}
_MAX_HOURS: Final = 999_999


def is_name(text: str) -> bool:
    """Return whether `text` may name an authority, server, client, host or transport."""
    return _NAME.fullmatch(text) is not None


def expanded(key: str) -> BeforeValidator:
    """Return how a section is read that may be written as a text alone: the text stands for `{key: text}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _hours(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_HOURS:
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"got {shown(value)}, expected a duration: write 36h, 365d, 52w, or a number of hours")
    return int(match[1]) * _HOURS_OF_UNIT[match[2]]


def _wait_hours(value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _hours(value)


def _renew_key_every(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and value in _RENEW_KEY_WORDS:
        return _RENEW_KEY_WORDS[value]
    raise ValueError(f"got {shown(value)}, expected always, never, or n for a new key at every n-th renewal")


def _path(value: str) -> str:
    if not value or re.search(r"[\s,\"'\\\x00-\x1f\x7f]", value):
        raise ValueError(
            f"got {shown(value)}, expected a path without blanks, commas and quotes: Postfix splits lists of files "
            "at them; choose another directory"
        )
    return value


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(f"this is no name; expected {NAME_RULE}")
    return value


def _certificates_pem(value: str) -> str:
    try:
        load_chain(value, what="certificate")
    except CertificateError as error:
        raise ValueError(str(error)) from None
    return value


Text = StrictStr
Texts = tuple[StrictStr, ...]
Flag = StrictBool
Count = StrictInt
NameText = Annotated[StrictStr, AfterValidator(_name)]
PemText = Annotated[StrictStr, AfterValidator(_certificates_pem)]
PathText = Annotated[StrictStr, AfterValidator(_path)]
Hours = Annotated[int, PlainValidator(_hours)]
WaitHours = Annotated[int, PlainValidator(_wait_hours)]
RenewKey = Annotated[int, PlainValidator(_renew_key_every)]
