"""Clients that come all the while, each with the certificates that it has by turns; nothing is ever queued."""

import threading
from dataclasses import dataclass, field
from itertools import cycle
from types import TracebackType
from typing import Self

from tests.support.smtp_probe import ProbeResult, probe
from tests.support.test_authority import Credential

__all__ = ["ClientLoad"]

_PAUSE_SECONDS = 0.02
_LIMIT = 5000


@dataclass
class ClientLoad:
    """Some threads that ask a server on loopback to relay, one session after the other, until it is left.

    `credentials`: what they show by turns; it may be replaced at any time. `refused`: what was said to those who were
    not admitted, or how they were cut off. `sessions`: how many were admitted.
    """

    port: int
    credentials: tuple[Credential, ...]
    threads: int = 3
    sessions: int = 0
    served: set[str | None] = field(default_factory=set)
    refused: list[ProbeResult | Exception] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._running = [threading.Thread(target=self._come, args=(each,), daemon=True) for each in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._running:
            thread.join()

    def _come(self, first: int) -> None:
        for turn in cycle(range(first, first + _LIMIT)):
            if self._over.wait(_PAUSE_SECONDS) or self.sessions > _LIMIT:
                return
            credentials = self.credentials
            try:
                seen: ProbeResult | Exception = probe(
                    self.port, client_certificate=credentials[turn % len(credentials)]
                )
            except OSError as error:
                seen = error
            self._note(seen)

    def _note(self, seen: ProbeResult | Exception) -> None:
        with self._lock:
            if isinstance(seen, ProbeResult) and seen.may_relay:
                self.sessions += 1
                self.served.add(seen.served_fingerprint_sha256)
            else:
                self.refused.append(seen)
