"""Try an entry on a host, on paper: what it would change about who may relay, trust and values; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from postfix.audit.host_view import STRANGER, HostView
from postfix.effective.comparison import Finding, Rule, View, compared
from postfix.effective.listeners import values_of_service
from postfix.effective.verdicts import Judgement
from postfix.effective.visitors import Answer, Asked, Kind
from postfix.list_items import split_list
from postfix.networks import network_of
from postfix.parameters import is_list
from postfix.rendering import CLIENT_TABLE, render_parameters
from postfix.restriction_walk import Verdict
from postseal.stack.config import load_stack
from postseal_core.errors import ConfigError

__all__ = ["Trial", "tried"]

_OURS: Final = f"/{CLIENT_TABLE}"
_MOST_ROUNDS: Final = 8
_MOST_NETWORKS: Final = 4
_CLOSED: Final = (Verdict.PERMIT, Verdict.REFUSE)
_PROXIED: Final = "proxy_read_maps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What an entry would do; `values`: parameters that change, as sentences, `told`: what a preview says beside.

    `closed`: the listeners that let strangers relay now, and would not any more. `acceptable`: what of that does no
    harm, as the stack file's `accept` has it.
    """

    obstacles: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    acceptable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def tried(view: HostView, name: str, entry: Mapping[str, Any]) -> Trial:
    """Return what the first `up` with an entry would change on a host."""
    try:
        config = load_stack({"hosts": {name: dict(entry)}}, [], stack_name="adopt")
    except ConfigError as error:
        return Trial(obstacles=tuple(map(str, error.problems)))
    declaration = config.hosts[name].declaration
    declared = render_parameters(declaration)
    after = _after(view, declared)
    inside = [(replace(view, address=each), _after(replace(view, address=each), declared)) for each in _inside(view)]
    has_clients = bool(entry.get("extra_relay_clients"))
    before_view, after_view = (
        View(each.configuration, _of_those(each, has_clients=has_clients)) for each in (view, after)
    )
    accepted = entry.get("accept", {})
    findings = compared(before_view, after_view, frozenset(declared))
    refused = [each for each in findings if each.is_refused and not _is_accepted(each, accepted)]
    return Trial(
        obstacles=(
            *(_sentence(each) for each in refused),
            *_changed_verdicts(view, after, has_clients=has_clients),
            *dict.fromkeys(each for pair in inside for each in _changed_verdicts(*pair, has_clients=has_clients)),
        ),
        values=tuple(_changed_values(view, after, declared)),
        told=tuple(_sentence(each) for each in findings if not each.is_refused and each.rule is not Rule.OPEN_ALREADY),
        closed=tuple(
            dict.fromkeys(listener for listener, kind in after.by_visitor if _closes(view, after, listener, kind))
        ),
        acceptable=_acceptable(refused),
    )


def _inside(view: HostView) -> Iterator[str]:
    """Yield an address in each of the networks of the host: who comes from there must not gain or lose either."""
    networks = [network_of(each) for each in split_list(view.main["mynetworks"])]
    yield from dict.fromkeys(str(each[min(1, each.num_addresses - 1)]) for each in networks[:_MOST_NETWORKS] if each)


def _after(view: HostView, declared: Mapping[str, str]) -> HostView:
    configuration = replace(
        view.configuration,
        parameters={**view.configuration.parameters, **declared},
        written={**view.configuration.written, **declared},
    )
    record = replace(view.record, captures=None, configuration=configuration)
    for _ in range(_MOST_ROUNDS):
        found = HostView(record, address=view.address)
        unknown = {each for each in found.missing if each.asked is Asked.LOOKUP and each.where.endswith(_OURS)}
        if not unknown:
            break
        # Only the clients of the entry stand in our table, and the listed one is among them.
        record = replace(record, answers={**record.answers, **dict.fromkeys(unknown, Answer.NO)})
    return found


def _of_those(view: HostView, *, has_clients: bool) -> tuple[Judgement, ...]:
    """Return the judgements, without those on a listed client where the entry lists none."""
    return tuple(each for each in view.judgements if has_clients or each.visitor is not Kind.LISTED)


def _acceptable(refused: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Return what does no harm: rows that are all in the entry, and which tables proxymap(8) may open."""
    rows = [each.place for each in refused if each.rule is Rule.TAKEN_AWAY and "listed in" in each.message]
    follows = [each.place for each in refused if each.rule is Rule.VALUE_FOLLOWS and each.place == _PROXIED]
    found = {"taken_away": tuple(each.removesuffix("/inet") for each in rows), "value_follows": tuple(follows)}
    return {word: places for word, places in found.items() if places}


def _is_accepted(finding: Finding, accepted: Mapping[str, Iterable[str]]) -> bool:
    return finding.place.removesuffix("/inet") in accepted.get(finding.rule.word, ())


def _sentence(finding: Finding) -> str:
    return f"{finding.place}: {finding.message}" if finding.place else finding.message


def _changed_verdicts(view: HostView, after: HostView, *, has_clients: bool) -> Iterator[str]:
    """Yield listeners that decide otherwise about any client; an open relay that is closed is better."""
    for (listener, kind), new in after.by_visitor.items():
        if kind is Kind.LISTED and not has_clients:
            continue
        old = view.by_visitor.get((listener, kind))
        if old and old.verdict is not new.verdict and not _closes(view, after, listener, kind):
            who = f"{listener}: clients ({kind}, from {view.address})"
            by = "; ".join(new.causes) or "nothing"
            yield f"{who}: {old.verdict.value} -> {new.verdict.value}, by {by}"


def _closes(view: HostView, after: HostView, listener: str, kind: Kind) -> bool:
    """Return whether a listener that lets strangers of a kind relay would refuse them."""
    is_stranger = view.address == STRANGER and kind not in (Kind.LISTED, Kind.USER)
    old, new = (each.by_visitor.get((listener, kind)) for each in (view, after))
    return is_stranger and old is not None and new is not None and (old.verdict, new.verdict) == _CLOSED


def _changed_values(view: HostView, after: HostView, declared: Mapping[str, str]) -> Iterator[str]:
    old, new = (values_of_service(each.configuration, "") for each in (view, after))
    for name in sorted(declared):
        items = [split_list(each[name]) if is_list(name) else each[name].split() for each in (old, new)]
        if items[0] != items[1]:
            yield f"{name}: {' '.join(old[name].split()) or 'empty'} -> {' '.join(new[name].split()) or 'empty'}"
