"""Key material of one run in lockers, each opened only for the resource whose own Check has filled it.

The inputs that Check returns name what is in the locker by public digests: that keeps previews and plans quiet, and
anybody can compute them. So a name opens nothing. What opens a locker is the call itself: the resource, the whole of
its checked inputs, and the connection over which Check was asked, on which no other user can speak (`peers`).
"""

import threading
from dataclasses import dataclass

from postseal_core.errors import PostsealError
from postseal_core.plugin.material import MaterialStore

__all__ = ["Holder", "Lockers"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may open a locker.

    `connection`: the caller's end as gRPC names it (`ipv4:127.0.0.1:4711`). `urn`: the resource. `inputs_digest`:
    digest of all inputs that Check returned.
    """

    connection: str
    urn: str
    inputs_digest: str


class Lockers:
    """The lockers of one run; gone with it, and never part of the state."""

    def __init__(self) -> None:
        self._lockers: dict[Holder, MaterialStore] = {}
        self._lock = threading.Lock()

    def fill(self, holder: Holder, material: MaterialStore) -> None:
        """Keep what was handed in for these inputs, in place of what an earlier Check kept for them."""
        with self._lock:
            self._lockers[holder] = material

    def open(self, holder: Holder) -> MaterialStore:
        """Return what was handed in for these inputs; raise PostsealError where their Check was not asked so."""
        with self._lock:
            material = self._lockers.get(holder)
        if material is None:
            raise PostsealError(
                "these inputs did not pass through Check in this run, for this resource and on this connection; "
                "run `pulumi up` again"
            )
        return material

    def __repr__(self) -> str:
        return f"Lockers({len(self._lockers)} resources)"
