"""Which programs of Postfix read a parameter, and end where its value is none of its kind.

Names come from `parameter_readers.tsv`, kinds from `postfix.parameters`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from postfix.parameters import known_parameters
from postfix.values import CHECKS

__all__ = ["EVERY_PROGRAM", "Readers", "fault_of_value", "known_readers", "names_read_by"]

EVERY_PROGRAM: Final = "*"
_ALWAYS: Final = frozenset({"boolean", "integer", "size", "time"})
"""Kinds whose wrong values end every program that reads them."""
_TAKEN: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"smtpd_tls_security_level": frozenset({"fingerprint", "secure", "verify"})}
)
"""Words that nobody should write, and that count as another: these three as encrypt."""


@dataclass(frozen=True, slots=True)
class Readers:
    """The programs that read a parameter, by the last part of their path in master.cf(5).

    `empty`: those that end where the value is empty; `words`: those that were seen to end where it is no word of its
    kind. EVERY_PROGRAM in any of them is all.
    """

    programs: frozenset[str]
    empty: frozenset[str]
    words: frozenset[str]


@cache
def known_readers() -> Mapping[str, Readers]:
    """Return the readers by parameter; the table is read once."""
    text = files("postfix").joinpath("parameter_readers.tsv").read_text(encoding="utf-8")
    _header, *rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return MappingProxyType({name: Readers(*(frozenset(each.split()) for each in rest)) for name, *rest in rows})


@cache
def names_read_by(program: str) -> frozenset[str]:
    """Return the parameters that a program reads when it starts; none for a program that is not known."""
    everybody = {name for name, each in known_readers().items() if EVERY_PROGRAM in each.programs}
    own = {name for name, each in known_readers().items() if program in each.programs}
    return frozenset(own | everybody) if own or program == EVERY_PROGRAM else frozenset(everybody)


def fault_of_value(program: str, name: str, value: str) -> str:
    """Return why a program ends with the value of a parameter, references filled in; empty if it does not."""
    readers, parameter = known_readers().get(name), known_parameters().get(name)
    if readers is None or parameter is None or not _has(readers.programs, program):
        return ""
    if not value:
        ends = parameter.kind in _ALWAYS or _has(readers.empty, program)
        return f"{name} is empty" if ends else ""
    if parameter.kind in _ALWAYS or (_has(readers.words, program) and value.lower() not in _TAKEN.get(name, ())):
        return next(_faults(name, parameter.kind, value, parameter.allowed), "")
    return ""


def _faults(name: str, kind: str, value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    # Postfix reads a sign in front of a number, and compares with no least of nothing.
    text = value.removeprefix("+") if kind in _ALWAYS else value
    if kind in ("integer", "size") and allowed[:1] == ("0",):
        text = text.removeprefix("-")
    for fault in CHECKS[kind](text, allowed):
        yield f"{name}: {fault.partition(';')[0]}"


def _has(programs: frozenset[str], program: str) -> bool:
    return program in programs or EVERY_PROGRAM in programs
