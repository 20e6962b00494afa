"""The ledger of one host from its stored record; secrets are never looked at."""

from collections.abc import Iterator
from dataclasses import replace

from postfix.host_resource.records import HostRow
from postseal.ledger.records import HostLedger, ledger_of_host
from postseal.report.export import StoredHost, unreadable
from postseal_core.errors import PostsealError, Problem
from postseal_core.packing import unpack_records

__all__ = ["ledger_of_stored"]


def ledger_of_stored(stored: StoredHost, problems: list[Problem]) -> HostLedger:
    """Return who may relay through a host; `problems`: rows that cannot be read are added, and left out."""
    ledger = ledger_of_host(stored.inputs, _rows(stored, problems))
    notes = {"last run": "; ".join(stored.init_errors)} if stored.init_errors else {}
    recorded = stored.state.ledger_digest
    if isinstance(recorded, str) and recorded != ledger.digest:
        notes["digest"] = f"the last `up` recorded {recorded}: somebody has changed the state, or the host (`refresh`)"
    return replace(ledger, to_review={**ledger.to_review, **notes})


def _rows(stored: StoredHost, problems: list[Problem]) -> Iterator[HostRow]:
    packed = stored.state.rows
    if not isinstance(packed, str):
        problems.append(Problem(f"{stored.name}.rows", "nobody knows who may relay there; run `pulumi up`"))
        return
    try:
        yield from unpack_records(HostRow, packed)
    except PostsealError as error:
        problems += unreadable(stored.name, "rows", error)
