"""Look for private keys where others can read them, again and again while something else goes on."""

import os
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.test_authority import Credential

__all__ = ["KeyWatch"]

_OTHERS = 0o077
_ANY_KEY = b"PRIVATE KEY-----"
_OF_OTHER_TESTS = ("pulumi", "python", "pytest")
"""Programs that tests beside this one run, with keys of their own; the host program starts none of them."""
_PAUSE_SECONDS = 0.004


class KeyWatch(threading.Thread):
    """Looks at all files below some directories, and at arguments and environment of every process, until it is left.

    `found`: where a key could be read by somebody else than its owner, each with what is wrong. `rounds`: how often it
    has looked; what is shorter than a round may be missed. Directories above a file are not counted as a protection.
    """

    def __init__(self, *directories: Path, keys: Iterable[Credential]) -> None:
        super().__init__(daemon=True)
        self.found: set[str] = set()
        self.rounds = 0
        self._directories = directories
        # The first line begins alike in every key of a kind.
        self._lines = [each.private_key_pem.splitlines()[2].encode() for each in keys]
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(_PAUSE_SECONDS):
            for directory in self._directories:
                self.found.update(_open_files(directory, self._lines))
            self.found.update(_open_processes(self._lines))
            self.rounds += 1


def _open_files(directory: Path, lines: list[bytes]) -> Iterator[str]:
    for top, _, names in os.walk(directory):
        for name in names:
            path = Path(top, name)
            # Most of what is looked at goes while somebody works.
            with suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_mode & _OTHERS:
                    content = path.read_bytes()
                    if _ANY_KEY in content or any(line in content for line in lines):
                        yield f"{path} {stat.S_IMODE(status.st_mode):o}"


def _open_processes(lines: list[bytes]) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                content = (process / name).read_bytes()
                program = (process / "comm").read_text().strip()
                is_any = _ANY_KEY in content and not program.startswith(_OF_OTHER_TESTS)
                if is_any or any(line in content for line in lines):
                    yield f"{name} of {program}"
