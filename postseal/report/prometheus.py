"""Render the inventory as metrics in the Prometheus text exposition format, version 0.0.4."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from postseal.report.model import Expiring, Inventory, Kind, State, Verb

__all__ = ["render_prometheus"]

_InstantOf = Callable[[Expiring], float | None]
_ADMITTED = (Kind.CLIENT, Kind.SERVER_AND_CLIENT)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric: its name, its help text and its samples as labels and value."""

    name: str
    description: str
    samples: tuple[tuple[Mapping[str, str], int], ...]

    def lines(self) -> Iterator[str]:
        if self.samples:
            yield f"# HELP {self.name} {self.description}"
            yield f"# TYPE {self.name} gauge"
        for labels, value in self.samples:
            yield f"{self.name}{_label_set(labels)} {value}"


def render_prometheus(inventory: Inventory, items: Iterable[Expiring]) -> str:
    """Return gauges for every item, counts by kind and state, and the time of the report.

    Instants are Unix times in seconds, the unit of Prometheus. Labels: stack, kind, roster (only clients of one) and
    name, which together are unique. For a node exporter's textfile directory write it with `--output`.
    """
    families = _families(inventory, tuple(items))
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _families(inventory: Inventory, items: tuple[Expiring, ...]) -> Iterator[_Family]:
    stack = inventory.stack
    lists = tuple(item for item in items if item.kind is Kind.REVOCATION_LIST)
    certificates = tuple(item for item in items if item.kind is not Kind.REVOCATION_LIST)
    for prefix, members, end in (
        ("postseal_certificate", certificates, "not_after"),
        ("postseal_revocation_list", lists, "next_update"),
    ):
        yield _instants(
            f"{prefix}_{end}_seconds", f"When it expires ({end}), as Unix time.", stack, members, _not_after
        )
        yield _instants(
            f"{prefix}_renew_at_seconds", "When it is due for renewal, as Unix time.", stack, members, _renew_at
        )
    yield _instants(
        "postseal_certificate_retire_at_seconds",
        "When the next earlier generation stops being accepted, as Unix time.",
        stack,
        certificates,
        _retire_at,
    )
    yield _Family(
        "postseal_certificate_accepted_fingerprints",
        "How many fingerprints of it the deployed tables accept.",
        tuple((_labels(stack, item), len(item.accepted)) for item in certificates if item.kind in _ADMITTED),
    )
    yield _counts(stack, items)
    yield _Family(
        "postseal_waiting",
        "1: a third party has not signed it yet.",
        tuple((_labels(stack, item), 1) for item in items if item.state is State.WAITING),
    )
    yield _Family(
        "postseal_host_info",
        "1: a Postfix host of the stack, with the kind of its target.",
        tuple(
            ({"stack": stack, "host": each.host, "target": each.kind.value}, 1)
            for each in {(each.host, each.kind): each for each in inventory.hosts.hosts}.values()
        ),
    )
    yield _Family(
        "postseal_on_host_unseen",
        "Something is wrong (fault) with a host's own certificate, or nobody can tell (cannot_tell).",
        tuple(
            ({"stack": stack, "host": each.host, "why": "fault" if each.is_fault else "cannot_tell"}, 1)
            for each in {(each.host, each.is_fault): each for each in inventory.unseen}.values()
        ),
    )
    yield _Family(
        "postseal_host_proven_at_seconds",
        "When the host was last changed and proven, as Unix time.",
        tuple(
            ({"stack": stack, "host": each.host}, int(each.evidence.proven_at.timestamp())) for each in inventory.proven
        ),
    )
    yield _instants(
        "postseal_certificate_seen_at_seconds",
        "When it was last seen on its host, as Unix time.",
        stack,
        items,
        _seen_at,
    )
    yield from _last_seen(stack, items)
    timestamp = int(inventory.now.timestamp())
    description = "The time this report describes, as Unix time."
    yield _Family("postseal_report_timestamp_seconds", description, (({"stack": stack}, timestamp),))


def _last_seen(stack: str, items: tuple[Expiring, ...]) -> Iterator[_Family]:
    yield _instants(
        "postseal_client_last_seen_seconds", "When logs show it last, as Unix time.", stack, items, _last_seen_at
    )
    for name, description, number in (
        ("generation_behind", "1: it used an earlier generation at last, and a newer one is accepted.", _is_behind),
        ("unseen_days", "Days up to the end of the logs in which they do not show it.", _unseen_days),
    ):
        yield _instants(f"postseal_client_{name}", description, stack, items, number)


def _last_seen_at(item: Expiring) -> float | None:
    return item.last_seen.at.timestamp() if item.last_seen and item.last_seen.at else None


def _is_behind(item: Expiring) -> float | None:
    return float(item.last_seen.is_behind) if item.last_seen and item.last_seen.at else None


def _unseen_days(item: Expiring) -> float | None:
    return item.last_seen.unseen_days if item.last_seen else None


def _not_after(item: Expiring) -> float:
    return item.not_after.timestamp()


def _renew_at(item: Expiring) -> float | None:
    return item.renew_at.timestamp() if not item.revoked_at else None


def _seen_at(item: Expiring) -> float | None:
    return item.seen_at.timestamp() if item.seen_at else None


def _retire_at(item: Expiring) -> float | None:
    retirements = (action.due.timestamp() for action in item.actions if action.verb is Verb.RETIRE)
    return min(retirements, default=None)


def _instants(name: str, description: str, stack: str, items: tuple[Expiring, ...], instant: _InstantOf) -> _Family:
    found = ((_labels(stack, item), instant(item)) for item in items)
    return _Family(name, description, tuple((labels, int(value)) for labels, value in found if value is not None))


def _counts(stack: str, items: tuple[Expiring, ...]) -> _Family:
    counts = Counter((item.kind, item.state) for item in items)
    kinds = [kind for kind in Kind if any(item.kind is kind for item in items)]
    samples = tuple(
        ({"stack": stack, "kind": kind.value, "state": state.value}, counts[kind, state])
        for kind in kinds
        for state in State
    )
    return _Family("postseal_entries", "How many entries of a kind are in a state.", samples)


def _labels(stack: str, item: Expiring) -> dict[str, str]:
    roster = {"roster": item.roster} if item.roster else {}
    return {"stack": stack, "kind": item.kind.value, **roster, "name": item.name}


def _label_set(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"
