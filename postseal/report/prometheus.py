"""Render the inventory as metrics in the Prometheus text exposition format, version 0.0.4."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from postseal.report.model import Entry, Inventory, Kind, State, Verb

__all__ = ["render_prometheus"]

_InstantOf = Callable[[Entry], float | None]
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


def render_prometheus(inventory: Inventory, entries: Iterable[Entry]) -> str:
    """Return gauges for every entry, counts by kind and state, and the time of the report.

    Instants are Unix times in seconds, the unit of Prometheus. Labels: stack, kind, roster (only clients of one) and
    name, which together are unique. For a node exporter's textfile directory write it with `--output`.
    """
    families = _families(inventory, tuple(entries))
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _families(inventory: Inventory, entries: tuple[Entry, ...]) -> Iterator[_Family]:
    stack = inventory.stack
    lists = tuple(entry for entry in entries if entry.kind is Kind.REVOCATION_LIST)
    certificates = tuple(entry for entry in entries if entry.kind is not Kind.REVOCATION_LIST)
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
        tuple((_labels(stack, entry), len(entry.accepted)) for entry in certificates if entry.kind in _ADMITTED),
    )
    yield _counts(stack, entries)
    timestamp = int(inventory.now.timestamp())
    description = "The time this report describes, as Unix time."
    yield _Family("postseal_report_timestamp_seconds", description, (({"stack": stack}, timestamp),))


def _not_after(entry: Entry) -> float | None:
    return entry.not_after.timestamp() if entry.not_after else None


def _renew_at(entry: Entry) -> float | None:
    return entry.renew_at.timestamp() if entry.renew_at and not entry.revoked_at else None


def _retire_at(entry: Entry) -> float | None:
    retirements = (action.due.timestamp() for action in entry.actions if action.verb is Verb.RETIRE)
    return min(retirements, default=None)


def _instants(name: str, description: str, stack: str, entries: tuple[Entry, ...], instant: _InstantOf) -> _Family:
    found = ((_labels(stack, entry), instant(entry)) for entry in entries)
    return _Family(name, description, tuple((labels, int(value)) for labels, value in found if value is not None))


def _counts(stack: str, entries: tuple[Entry, ...]) -> _Family:
    counts = Counter((entry.kind, entry.state) for entry in entries)
    kinds = [kind for kind in Kind if any(entry.kind is kind for entry in entries)]
    samples = tuple(
        ({"stack": stack, "kind": kind.value, "state": state.value}, counts[kind, state])
        for kind in kinds
        for state in State
    )
    return _Family("postseal_entries", "How many entries of a kind are in a state.", samples)


def _labels(stack: str, entry: Entry) -> dict[str, str]:
    roster = {"roster": entry.roster} if entry.roster else {}
    return {"stack": stack, "kind": entry.kind.value, **roster, "name": entry.name}


def _label_set(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"
