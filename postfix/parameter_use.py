"""Which parameters may be set by name: none that decides who relays, what is run, or whose files are used.

Nor one that another key of the host says. All can be named under `unchecked`, where a reviewer sees them.
"""

from collections.abc import Collection, Iterable, Iterator
from types import MappingProxyType

from postfix.parameters import Parameter, ParameterClass, nearest_name, parameter_named
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["REFUSED", "problems_of_unchecked", "problems_of_use"]

REFUSED = MappingProxyType(
    {
        ParameterClass.EXEC: "decides what is run or loaded, or from where",
        ParameterClass.RELAY: "decides who may relay or submit",
        ParameterClass.IDENTITY: "decides whose accounts, files and directories are used",
    }
)
"""The classes of parameters that cannot be set by name alone, and what each decides."""

_NEAR = 0.75


def _advice(name: str) -> str:
    return f"if it has to be, name {name} under unchecked, where a reviewer sees it"


def _fault_of_known(parameter: Parameter, name: str) -> str | None:
    if parameter.key:
        return f"this host's {parameter.key} decides it; leave it out here and declare it there, or {_advice(name)}"
    decides = REFUSED.get(parameter.decides)
    return f"this {decides}; {_advice(name)}" if decides else None


def _fault_of_unknown(name: str) -> str:
    nearest = nearest_name(name, cutoff=_NEAR)
    hint = f"did you mean {nearest}? Else " if nearest else ""
    return f"nobody knows what this parameter decides; {hint}{_advice(name)}"


def problems_of_use(
    parameters: Iterable[str], *, unchecked: Collection[str], services: Collection[str] | None
) -> Iterator[Problem]:
    """Report parameters that may not be set by name: see above, and those that nobody knows.

    `services`: names of the services in master.cf, for parameters of single services; None where nobody knows them.
    """
    for name in parameters:
        if name in unchecked:
            continue
        parameter = parameter_named(name, services=services)
        fault = _fault_of_known(parameter, name) if parameter else _fault_of_unknown(name)
        if fault:
            yield Problem(name, fault)


def problems_of_unchecked(parameters: Collection[str], unchecked: Collection[str]) -> Iterator[Problem]:
    """Report names in `unchecked` that no parameter has."""
    for name in unchecked:
        if name not in parameters:
            yield Problem("", f"{shown(name)} is set nowhere; leave it out, or set it")
