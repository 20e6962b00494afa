"""What the command `rollback` says of the earlier states that a host keeps, and which of them is meant."""

from collections.abc import Sequence

from postfix.deploy.program_result import KeptState
from postseal_core.errors import ConfigError, Problem

__all__ = ["chosen_state", "render_rollback", "render_states"]


def render_states(states: Sequence[KeptState], place: str) -> str:
    """Return a line for each earlier state, the last one first."""
    lines = [f"{each.number:>4}  {_words(each)}\n" for each in reversed(states)]
    return "".join(lines) or f"{place} keeps no earlier state\n"


def render_rollback(state: KeptState, place: str, reloading: str) -> str:
    """Return what was done, and what comes next."""
    answering = "" if reloading == "not_running" else ", and its servers answer as they did then"
    return (
        f"{place} is {_words(state)}{answering}\n"
        "the next preview says so; `pulumi up` brings again what is declared, so change the stack file before it\n"
    )


def chosen_state(states: Sequence[KeptState], number: int | None, place: str) -> KeptState:
    """Return the state with a number, without one the last. Raises ConfigError with those that there are."""
    if not states:
        message = f"{place} keeps no earlier state; `kept_generations` of the target says how many stay"
        raise ConfigError([Problem("DIR", message)])
    if number is None:
        return states[-1]
    for each in states:
        if each.number == number:
            return each
    known = ", ".join(str(each.number) for each in states)
    raise ConfigError([Problem("--to", f"got {number}, expected the number of a kept state: {known}")])


def _words(state: KeptState) -> str:
    who = state.owner if state.owner not in ("", "-") else "somebody"
    return f"as it was before {state.time or 'a time that is not known'}, when {who} deployed to it"
