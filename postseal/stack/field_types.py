"""The words of the stack file: what one value may look like, and what it is on the Python side."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, StrictBool, StrictInt, StrictStr

from pki.lifetime import EVERY_RENEWAL, KEEP_KEY, parse_fraction
from pki.model import KeyAlgorithm
from pki.verification import load_chain
from postseal_core.errors import CertificateError

__all__ = [
    "NAME_RULE",
    "Count",
    "Flag",
    "Hours",
    "KeyAlgorithmWord",
    "NameText",
    "PathText",
    "PemText",
    "RenewFraction",
    "RenewKey",
    "Section",
    "Text",
    "Texts",
    "WaitHours",
    "is_name",
]

NAME_RULE = "1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DURATION = re.compile(r"([1-9][0-9]{0,5})([hdw])", re.ASCII)
_FRACTION = re.compile(r"[0-9]{1,3}/[0-9]{1,3}|[0-9]?\.[0-9]{1,6}|[0-9]", re.ASCII)
_WEAK_RSA = re.compile(r"RSA-([0-9]{1,4})", re.IGNORECASE | re.ASCII)
_HOURS_OF_UNIT = {"h": 1, "d": 24, "w": 168}
_RENEW_KEY_WORDS = {"always": EVERY_RENEWAL, "never": KEEP_KEY}
_LEAST_RSA_BITS = 2048
_MAX_SHOWN = 60
_MAX_HOURS = 999_999


class Section(BaseModel):
    """A mapping in the stack file: its keys are the fields, any other key is an error, nothing can be changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def is_name(text: str) -> bool:
    """Return whether `text` may name an authority, server, client, host or transport."""
    return _NAME.fullmatch(text) is not None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _hours(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_HOURS:
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"got {_shown(value)}, expected a duration: write 36h, 365d, 52w, or a number of hours")
    return int(match[1]) * _HOURS_OF_UNIT[match[2]]


def _wait_hours(value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _hours(value)


def _fraction(value: Any) -> Fraction:
    if isinstance(value, bool) or not _FRACTION.fullmatch(str(value)):
        raise ValueError(f"got {_shown(value)}, expected a part of the lifetime: write 2/3 or 0.66")
    return parse_fraction(value)


def _renew_key_every(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and value in _RENEW_KEY_WORDS:
        return _RENEW_KEY_WORDS[value]
    raise ValueError(f"got {_shown(value)}, expected always, never, or n for a new key at every n-th renewal")


def _key_algorithm(value: Any) -> KeyAlgorithm:
    match = _WEAK_RSA.fullmatch(value) if isinstance(value, str) else None
    if match and int(match[1]) < _LEAST_RSA_BITS:
        raise ValueError(
            f"got {value!r}, which is too weak: OpenSSL refuses it at its default security level; "
            "use ECDSA-P256, or RSA-3072 where a peer knows only RSA"
        )
    if value not in tuple(KeyAlgorithm):
        raise ValueError(f"got {_shown(value)}, expected one of {', '.join(KeyAlgorithm)}")
    return KeyAlgorithm(value)


def _path(value: str) -> str:
    if not value or re.search(r"[\s,\"'\\\x00-\x1f\x7f]", value):
        raise ValueError(
            f"got {_shown(value)}, expected a path without blanks, commas and quotes: Postfix splits lists of files "
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
RenewFraction = Annotated[Fraction, PlainValidator(_fraction)]
RenewKey = Annotated[int, PlainValidator(_renew_key_every)]
KeyAlgorithmWord = Annotated[KeyAlgorithm, PlainValidator(_key_algorithm)]
