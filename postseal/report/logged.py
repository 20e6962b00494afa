"""What logs say about the clients of a report: last use, who has not switched, who was not seen; pure.

It is added to a finished inventory, so that no state, date or exit code can follow from a log.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from postseal.report.last_seen import LastSeen
from postseal.report.model import Expiring, Inventory, Kind
from postseal.review.words import moment
from postseal.seen.model import ClientName, Seen, SeenClient
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import listed

__all__ = ["logged", "with_last_seen"]

_NAMES_SHOWN = 50
_CLIENTS = (Kind.CLIENT, Kind.SERVER_AND_CLIENT)


def with_last_seen(inventory: Inventory, seen: Seen, unseen_after_days: int = 0) -> Inventory:
    """Return the inventory with what logs say about each client.

    `unseen_after_days`: for clients that declare none; 0 for no limit.

    Raises:
        ConfigError: the logs were read for another stack.
    """
    if (seen.project, seen.stack) != (inventory.project, inventory.stack):
        message = f"is of the stack {seen.project}/{seen.stack}, not of {inventory.project}/{inventory.stack}"
        raise ConfigError([Problem("--seen", message)])
    by_name = {each.name: each for each in seen.clients}
    items = tuple(_item(item, by_name.get(ClientName(item.roster, item.name)), unseen_after_days)
                  if item.kind in _CLIENTS else item for item in inventory.items)  # fmt: skip
    return replace(inventory, items=items, logs_until=max((each.last_at for each in seen.hosts), default=None))


def _item(item: Expiring, found: SeenClient | None, unseen_after_days: int) -> Expiring:
    if found is None:
        return item
    last = found.last
    told = LastSeen(
        at=last.last_at if last else None,
        generation=last.generation if last else None,
        newest=item.generation if item.accepted else None,
        unseen_days=found.unseen_days,
        limit_days=item.declared.unseen_after_days or unseen_after_days,
    )
    return replace(item, last_seen=told)


def logged(inventory: Inventory, items: Iterable[Expiring]) -> Iterator[str]:
    """Yield what logs say that somebody should look at, and until when they go."""
    if inventory.logs_until is None:
        return
    seen = [(item, item.last_seen) for item in items if item.last_seen]
    behind = [f"{item.name} (g{last.generation}, not g{last.newest})" for item, last in seen if last.is_behind]
    missed = [f"{item.name} ({last.unseen_days:,} d)" for item, last in seen if last.is_missed]
    yield f"logs until {moment(inventory.logs_until)} UTC, by which nothing is retired or let in:"
    yield f"not switched to the newest generation: {listed(behind, _NAMES_SHOWN) or 'nobody that they show'}"
    if any(last.limit_days for _, last in seen):
        yield f"not seen for as long as is declared: {listed(missed, _NAMES_SHOWN) or 'nobody'}"
    unknown = sum(last.unseen_days is None and last.at is None for _, last in seen)
    if unknown:
        yield f"cannot tell: {unknown:,}, since logs of hosts that list them are missing, or no host does"
