"""What is found about a change to a host, by the rule that makes it worth a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from postfix.effective.soundness import Fault, Harm
from postfix.parameter_readers import EVERY_PROGRAM

__all__ = ["Finding", "Rule", "findings_of_faults"]


class Rule(StrEnum):
    """Why a finding is one; those with R are refused unless they are accepted, those with S are shown."""

    UNKNOWN = "R0"
    STRANGERS_GAIN = "R1"
    LISTED_REFUSED = "R2"
    TLS_WEAKER = "R3"
    SERVICE_LOST = "R4"
    VALUE_FOLLOWS = "R5"
    TAKEN_AWAY = "R6"
    VALUE_CHANGES = "S1"
    OVERRIDDEN = "S2"
    OFFERS_MORE = "S3"
    CANNOT_TELL = "S4"
    OPEN_ALREADY = "S5"
    SO_BEFORE = "S6"
    IGNORED = "S7"
    REFUSED_HERE = "S8"
    CLOSES = "S9"

    @property
    def word(self) -> str:
        """The rule as people write it to accept its findings, as `listed_refused`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding; `place`: a listener or a parameter, `message`: a lower-case sentence without a secret."""

    rule: Rule
    place: str
    message: str

    @property
    def is_refused(self) -> bool:
        """Whether the change must not be made unless somebody accepts this."""
        return self.rule.startswith("R")


def findings_of_faults(before: tuple[Fault, ...], after: tuple[Fault, ...]) -> Iterator[Finding]:
    """Return what a change breaks, and what was broken before."""
    for fault in after:
        new = Rule.IGNORED if fault.harm is Harm.IGNORED else Rule.SERVICE_LOST
        rule = Rule.SO_BEFORE if fault in before else new
        program = "Postfix" if fault.program == EVERY_PROGRAM else fault.program
        yield Finding(rule, fault.place, f"{program} {fault.harm.value}: {fault.message}")
