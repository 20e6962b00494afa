"""Read the fields of a certificate from the stack file, roster rows and component arguments.

The keys follow from `pki.fields`: a section gets a field by being named in the field's `said_by`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StrictBool, StrictInt, StrictStr, create_model

from pki.declared import Said
from pki.fields import FIELDS, DeclaredCertificate, Group, SaidBy
from pki.lifetime import parse_fraction
from pki.model import KeyAlgorithm
from pki.other_words import OTHER_WORDS
from postseal_core.bounds import LARGEST_COUNT, LONGEST_HOURS
from postseal_core.errors import ConfigError
from postseal_core.reading import Raw, Section, read_section
from postseal_core.wording import found, shown

__all__ = ["bounded", "declared_arguments", "field_of_cell", "said_in", "with_fields"]

S = TypeVar("S", bound=Section)

_FRACTION: Final = re.compile(r"[0-9]{1,3}/[0-9]{1,3}|[0-9]?\.[0-9]{1,6}|[0-9]", re.ASCII)
_WEAK_RSA: Final = re.compile(r"RSA-([0-9]{1,4})", re.IGNORECASE | re.ASCII)
_LEAST_RSA_BITS: Final = 2048
_HINTS: Final[Mapping[str, Any]] = get_type_hints(DeclaredCertificate)


@cache
def with_fields(surface: SaidBy, section: type[S], *, is_grouped: bool = True) -> type[S]:
    """Add the certificate fields that may stand in a section to the section's own keys.

    `is_grouped`: fields of a group stand below the group's key, which the section brings itself (`lifetime`) or gets
    (`name_constraints`); otherwise all stand side by side under their own names.
    """
    said = {name: each for name, each in FIELDS.items() if surface in each.said_by}
    direct: dict[str, Any] = {name: _optional(name) for name, each in said.items() if not (is_grouped and each.group)}
    below = [name for name, each in said.items() if each.group is Group.NAME_CONSTRAINTS]
    if is_grouped and below:
        constraints = _model("NameConstraintsSection", Section, {name: _optional(name) for name in below})
        direct[Group.NAME_CONSTRAINTS.value] = (constraints | None, None)
    made = _model(section.__name__, section, direct)
    made.OTHER_WORDS = OTHER_WORDS
    return made


def _model(name: str, base: type[S], definitions: dict[str, Any]) -> type[S]:
    made: type[S] = create_model(name, __base__=base, **definitions)
    made.__doc__ = base.__doc__
    return made


def said_in(section: Section, surface: SaidBy = SaidBy.ALL) -> Said:
    """Return the certificate fields set in a section made by `with_fields`, with those below `name_constraints`.

    `surface`: who says them; a key of the section that is called like a field of others (`pkcs12`) is none of them.
    """
    given = {name: getattr(section, name) for name in section.model_fields_set}
    below = given.pop(Group.NAME_CONSTRAINTS.value, None)
    if isinstance(below, Section):
        given |= {name: getattr(below, name) for name in below.model_fields_set}
    fields = _fields_of(surface)
    said = {name: value for name, value in given.items() if name in fields and value is not None}
    return Said(DeclaredCertificate(**said), frozenset(said))


@cache
def _fields_of(surface: SaidBy) -> frozenset[str]:
    """Return the fields that these may set; cached, since a roster asks once for each row."""
    return frozenset(name for name, each in FIELDS.items() if each.said_by & surface)


def declared_arguments(surface: SaidBy, path: str, arguments: Raw) -> DeclaredCertificate:
    """Return the declaration in a component's keyword arguments; None and empty values count as not set.

    Raises:
        ConfigError: everything that is unknown, of another type, or the output of another resource.
    """
    given = {name: value for name, value in arguments.items() if value is not None and value != ""}
    reading = read_section(given, with_fields(surface, Section, is_grouped=False), path)
    if reading.problems:
        raise ConfigError(reading.problems)
    return said_in(reading.section).values


def field_of_cell(name: str, cell: str) -> object:
    """Read a CSV cell as the value of a field: lists are separated by `;`, flags are true or false.

    What cannot be read is returned as it is, so that its problem is told where all others are.
    """
    hint = _HINTS.get(name, str)
    if hint == tuple[str, ...]:
        return [item.strip() for item in cell.split(";") if item.strip()]
    if hint is bool:
        return {"true": True, "false": False}.get(cell.lower(), cell)
    if int in (hint, *get_args(hint)) and re.fullmatch(r"[0-9]{1,9}", cell, re.ASCII):
        return int(cell)
    return cell


def _optional(name: str) -> tuple[Any, None]:
    """Return the pydantic definition of an optional field."""
    hint = _HINTS[name]
    if name.endswith("_hours"):
        return (_HOURS | None, None)
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    kind = _STRICT.get(hint) or _STRICT.get(kinds[0]) or _word(kinds[0])
    return (kind | None, None)


def _word(kind: type[StrEnum]) -> Any:
    words = ", ".join(each.value for each in kind if each.value)

    def read(value: Any) -> StrEnum:
        if value not in [each.value for each in kind if each.value]:
            raise ValueError(f"got {shown(value)}, expected one of {words}")
        return kind(value)

    return Annotated[kind, PlainValidator(read)]


def bounded(value: int, largest: int) -> int:
    """Return a whole number if it is within +-`largest`; raise ValueError with a sentence otherwise."""
    if not -largest <= value <= largest:
        raise ValueError(f"got {shown(value)}, expected a whole number of at most {largest:,}")
    return value


def _whole_number(largest: int) -> Any:
    return Annotated[StrictInt, AfterValidator(lambda value: bounded(value, largest))]


def _fraction(value: Any) -> Fraction:
    if not _FRACTION.fullmatch(str(value)):
        raise ValueError(f"got {shown(value)}, expected a part of the lifetime: write 2/3 or 0.66")
    return parse_fraction(str(value))


def _key_algorithm(value: Any) -> KeyAlgorithm:
    match = _WEAK_RSA.fullmatch(value) if isinstance(value, str) else None
    if match and int(match[1]) < _LEAST_RSA_BITS:
        raise ValueError(
            f"got {shown(value)}, which is too weak: OpenSSL refuses it at its default security level; "
            "use ECDSA-P256, or RSA-3072 where a peer knows only RSA"
        )
    if value not in tuple(KeyAlgorithm):
        raise ValueError(f"got {shown(value)}, expected one of {', '.join(KeyAlgorithm)}")
    return KeyAlgorithm(value)


def _a_list(value: Any) -> Any:
    # A text is a sequence of letters to Python: `dns_names="mx1"` would be three names. And a set has no order of its
    # own: the first name would be another one in each run, and so the certificate.
    if not isinstance(value, list | tuple):
        raise ValueError(f"got {found(value)}, expected a list, as [first, second]")  # noqa: TRY004 - pydantic's way
    return value


_HOURS: Final = _whole_number(LONGEST_HOURS)
RenewFraction = Annotated[Fraction, PlainValidator(_fraction)]
KeyAlgorithmWord = Annotated[KeyAlgorithm, PlainValidator(_key_algorithm)]
_STRICT: Final[Mapping[Any, Any]] = {
    str: StrictStr,
    bool: StrictBool,
    int: _whole_number(LARGEST_COUNT),
    tuple[str, ...]: Annotated[tuple[StrictStr, ...], BeforeValidator(_a_list)],
    Fraction: RenewFraction,
    KeyAlgorithm: KeyAlgorithmWord,
}
