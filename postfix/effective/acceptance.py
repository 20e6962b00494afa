"""What a declaration accepts of what a change does by the way, and what is refused in the end."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from postfix.effective.comparison import Finding, Rule
from postfix.parameters import ParameterClass, nearest_name, parameter_named
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["ACCEPTED_WORDS", "Ruling", "problems_of_accept", "ruled", "word_of"]

ACCEPTED_WORDS: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.word: rule for rule in Rule if rule.startswith("R") and rule is not Rule.UNKNOWN}
)
"""The word for each rule whose findings can be accepted; what nobody knows cannot be."""

_INET: Final = "/inet"
_SERVICE: Final = re.compile(r"[A-Za-z0-9_.:\[\]-]+(/[a-z]+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Findings about a change, by what becomes of them.

    `refused`: the change must not be made. `accepted`: somebody has said that they may be. `told`: all others.
    `unused`: what is accepted and nothing needs, as word and place.
    """

    refused: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    told: tuple[Finding, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()


def word_of(rule: Rule) -> str:
    """Return the word that accepts findings of a rule; empty where they cannot be."""
    return rule.word if rule.word in ACCEPTED_WORDS else ""


def ruled(
    findings: Sequence[Finding], accept: Mapping[str, Iterable[str]], *, excused: Collection[tuple[Rule, str]] = ()
) -> Ruling:
    """Return what becomes of each finding.

    Args:
        findings: All findings about a change.
        accept: Places by the words of `ACCEPTED_WORDS`: listeners, with or without `/inet`, and parameters.
        excused: Findings, by rule and place, that are told and keep nobody from a change.
    """
    said = [(word, place) for word, places in accept.items() for place in places]
    by_finding = {each: [one for one in said if _accepts(*one, each)] for each in findings if each.is_refused}
    refused, told = [], [each for each in findings if not each.is_refused]
    for finding, reasons in by_finding.items():
        if (finding.rule, finding.place) in excused and not reasons:
            told.append(finding)
        elif not reasons:
            refused.append(finding)
    used = {one for reasons in by_finding.values() for one in reasons}
    return Ruling(
        refused=tuple(refused),
        accepted=tuple(each for each, reasons in by_finding.items() if reasons),
        told=tuple(told),
        unused=tuple(one for one in said if one not in used),
    )


def _accepts(word: str, place: str, finding: Finding) -> bool:
    return ACCEPTED_WORDS.get(word) is finding.rule and finding.place in (place, f"{place}{_INET}")


def problems_of_accept(accept: Mapping[str, Sequence[str]], parameters: Iterable[str]) -> Iterator[Problem]:
    """Report words and places that accept nothing; `parameters`: those that the declaration itself says."""
    declared = frozenset(parameters)
    for word, places in accept.items():
        if word not in ACCEPTED_WORDS:
            yield Problem(word, f"got {shown(word)}, expected one of {', '.join(ACCEPTED_WORDS)}")
        elif not places:
            yield Problem(word, "names nothing that is accepted; name a place, or leave it out")
        for place in places if word in ACCEPTED_WORDS else ():
            fault = _fault_of_parameter(place, declared) if word == "value_follows" else _fault_of_service(place)
            if fault:
                yield Problem(word, fault)


def _fault_of_service(place: str) -> str:
    return "" if _SERVICE.fullmatch(place) else f"got {shown(place)}, expected a service of master.cf, as submission"


def _fault_of_parameter(place: str, declared: frozenset[str]) -> str:
    parameter = parameter_named(place)
    if parameter is None:
        nearest = nearest_name(place, cutoff=0.7)
        return f"got {shown(place)}, expected a parameter of main.cf{f', as {nearest}' if nearest else ''}"
    if place in declared:
        return f"{place} is declared for this host, so its value follows nothing; leave it out"
    if parameter.decides in (ParameterClass.LIMITS, ParameterClass.ROUTING):
        return f"a changed value of {place} is told and never refused; leave it out"
    return ""
