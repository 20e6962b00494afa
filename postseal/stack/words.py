"""The value types of the stack file and their Python equivalents."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StrictBool, StrictInt, StrictStr

from pki.lifetime import EVERY_RENEWAL, KEEP_KEY
from pki.model import FIRST_SLOT
from pki.reading import bounded
from pki.third_party_answer import read_answer
from pki.verification import load_chain
from postseal_core.bounds import LARGEST_COUNT, LARGEST_STORED_NUMBER, LONGEST_HOURS
from postseal_core.errors import CertificateError
from postseal_core.plain_names import LOST_NAME, is_lost_in_yaml
from postseal_core.wording import shown

__all__ = [
    "NAME_RULE",
    "AnswerFiles",
    "AnswerText",
    "Count",
    "Flag",
    "Hours",
    "ListNumber",
    "NameText",
    "PathText",
    "PemText",
    "RenewKey",
    "Text",
    "Texts",
    "WaitHours",
    "expanded",
    "fault_of_name",
]

NAME_RULE: Final = "1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})([hdw])", re.ASCII)
_HOURS_OF_UNIT: Final[Mapping[str, int]] = {"h": 1, "d": 24, "w": 168}
_RENEW_KEY_WORDS: Final[Mapping[str, int]] = {"always": EVERY_RENEWAL, "never": KEEP_KEY}


def fault_of_name(text: str) -> str:
    """Return why `text` cannot name an authority, server, client, roster or host; empty where it can."""
    if _NAME.fullmatch(text) is None:
        return f"this name cannot be used; expected {NAME_RULE}"
    return LOST_NAME if is_lost_in_yaml(text) else ""


def expanded(key: str) -> BeforeValidator:
    """Return a reader that also accepts a single text as short form of `{key: text}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _hours(value: Any) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    hours = int(match[1]) * _HOURS_OF_UNIT[match[2]] if match else value
    if not isinstance(hours, int) or isinstance(hours, bool) or not 1 <= hours <= LONGEST_HOURS:
        raise ValueError(
            f"got {shown(value)}, expected a duration of at most a hundred years: write 36h, 365d, 52w, or a number of "
            "hours"
        )
    return hours


def _wait_hours(value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _hours(value)


def _renew_key_every(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_COUNT:
        return value
    if isinstance(value, str) and value in _RENEW_KEY_WORDS:
        return _RENEW_KEY_WORDS[value]
    raise ValueError(f"got {shown(value)}, expected always, never, or n for a new key at every n-th renewal")


def _count(value: int) -> int:
    return bounded(value, LARGEST_COUNT)


def _list_number(value: int) -> int:
    return bounded(value, LARGEST_STORED_NUMBER)


def _path(value: str) -> str:
    if not value or re.search(r"[\s,\"'\\\x00-\x1f\x7f]", value):
        raise ValueError(
            f"got {shown(value)}, expected a path without blanks, commas and quotes: Postfix splits lists of files "
            "at them; choose another directory"
        )
    return value


def _name(value: str) -> str:
    if fault := fault_of_name(value):
        raise ValueError(fault)
    return value


def _certificates_pem(value: str) -> str:
    try:
        load_chain(value, what="certificate")
    except CertificateError as error:
        raise ValueError(str(error)) from None
    return value


def _answer(value: str) -> str:
    try:
        read_answer(value, what="certificate")
    except CertificateError as error:
        raise ValueError(str(error)) from None
    return value


def _by_slot(value: Any) -> Any:
    """Return files by the number of a slot; a single one is that of the first slot."""
    if isinstance(value, str):
        return {FIRST_SLOT: value}
    if not isinstance(value, Mapping) or not all(str(key).isdecimal() for key in value):
        raise ValueError(
            f"got {shown(value)}, expected the file of the signed chain, or files by the number of the slot, as "
            "{1: signed/issuing.pem, 2: signed/issuing-2.pem}"
        )
    return {int(str(key)): each for key, each in value.items()}


Text = StrictStr
Texts = tuple[StrictStr, ...]
Flag = StrictBool
Count = Annotated[StrictInt, AfterValidator(_count)]
ListNumber = Annotated[StrictInt, AfterValidator(_list_number)]
NameText = Annotated[StrictStr, AfterValidator(_name)]
PemText = Annotated[StrictStr, AfterValidator(_certificates_pem)]
AnswerText = Annotated[StrictStr, AfterValidator(_answer)]
PathText = Annotated[StrictStr, AfterValidator(_path)]
AnswerFiles = Annotated[Mapping[int, PathText], BeforeValidator(_by_slot)]
Hours = Annotated[int, PlainValidator(_hours)]
WaitHours = Annotated[int, PlainValidator(_wait_hours)]
RenewKey = Annotated[int, PlainValidator(_renew_key_every)]
