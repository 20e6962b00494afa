"""The plugin's memory during one run of the engine: values that one call makes and a later call needs."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["Memory"]

T = TypeVar("T")


class Memory:
    """Values by their type and a key; gone with the process, and never part of the state."""

    def __init__(self) -> None:
        self._values: dict[tuple[type[Any], Hashable], object] = {}
        self._lock = threading.Lock()

    def put(self, kind: type[T], key: Hashable, value: T) -> None:
        """Keep a value, in place of one that was kept under this key."""
        with self._lock:
            self._values[kind, key] = value

    def get(self, kind: type[T], key: Hashable) -> T | None:
        """Return the value of a key, or None where there is none."""
        with self._lock:
            return cast("T | None", self._values.get((kind, key)))

    def keep_first(self, kind: type[T], key: Hashable, value: T) -> T:
        """Return what was kept first under this key: `value`, where there was nothing."""
        with self._lock:
            return cast("T", self._values.setdefault((kind, key), value))

    def made_once(self, kind: type[T], key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, made at the first call; two calls at once may both make it, and get the same."""
        known = self.get(kind, key)
        return self.keep_first(kind, key, make()) if known is None else known

    def __repr__(self) -> str:
        return f"Memory({len(self._values)} values)"
