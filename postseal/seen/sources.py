"""Where logs come from: files, plain or compressed, standard input, and the journal; an edge."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from postseal.seen.lines import LONGEST_LINE_BYTES
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import shown

__all__ = ["STANDARD_INPUT", "bounded_lines", "journal_lines", "lines_of", "zone_of"]

STANDARD_INPUT: Final = "-"
_JOURNAL: Final = (
    "journalctl",
    "--unit=postfix*",
    "--output=json",
    "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_HOSTNAME",
    "--no-pager",
    "--quiet",
)
_WHAT_TO_GIVE: Final = "name the logs, as /var/log/mail.log, or - for standard input"
_ZSTD_MODULE: Final = "compression.zstd"


def _zstd(stream: IO[bytes]) -> IO[bytes]:
    try:
        module: Any = import_module(_ZSTD_MODULE)
    except ModuleNotFoundError:
        raise ConfigError(
            [Problem("LOG", "is compressed with zstd, which needs Python 3.14; write zstdcat LOG | postseal seen -")]
        ) from None
    opened: IO[bytes] = module.ZstdFile(stream)
    return opened


def _gzip(stream: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))


# Asked by their first bytes, so that standard input may be compressed as well.
_COMPRESSIONS: Final[Mapping[bytes, Callable[[IO[bytes]], IO[bytes]]]] = MappingProxyType(
    {b"\x1f\x8b": _gzip, b"BZh": bz2.BZ2File, b"\xfd7zXZ\x00": lzma.LZMAFile, b"\x28\xb5\x2f\xfd": _zstd}
)
_LONGEST_MAGIC: Final = max(map(len, _COMPRESSIONS))


def lines_of(path: str) -> Iterator[bytes | None]:
    """Yield the lines of a log, None for one that is too long; nothing is kept of it.

    Raises:
        ConfigError: it cannot be read, or is damaged.
    """
    with _readable(path), _opened(path) as stream:
        yield from bounded_lines(stream)


@contextlib.contextmanager
def _readable(path: str) -> Iterator[None]:
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        yield
    except ConfigError as error:
        raise ConfigError([Problem(name, each.message) for each in error.problems]) from None
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise ConfigError([Problem(name, "is compressed, and damaged or cut; nothing was counted")]) from error
    except OSError as error:
        raise ConfigError([Problem(name, f"cannot be read ({error.strerror or error})")]) from error


@contextlib.contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with contextlib.ExitStack() as stack:
        if path == STANDARD_INPUT:
            plain: io.BufferedReader = sys.stdin.buffer  # type: ignore[assignment]  # it is one unless replaced
        else:
            plain = stack.enter_context(Path(path).open("rb"))
        begin = plain.peek(_LONGEST_MAGIC)[:_LONGEST_MAGIC]
        unpacked = next((open_ for magic, open_ in _COMPRESSIONS.items() if begin.startswith(magic)), None)
        yield stack.enter_context(unpacked(plain)) if unpacked else plain


def bounded_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines; of one that is longer than anything Postfix writes only that it is there."""
    while line := stream.readline(LONGEST_LINE_BYTES):
        if len(line) < LONGEST_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE_BYTES)
        yield None


def journal_lines() -> Iterator[bytes | None]:
    """Yield what Postfix's units have written to the journal of this machine.

    Raises:
        ConfigError: there is no journalctl here, or it fails.
    """
    if not shutil.which(_JOURNAL[0]):
        raise ConfigError([Problem("LOG", f"there is no journalctl here; {_WHAT_TO_GIVE}")])
    with subprocess.Popen(
        _JOURNAL, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is piped
        assert process.stderr is not None  # noqa: S101 - it is piped
        yield from bounded_lines(process.stdout)
        said = process.stderr.read(2000).decode("utf-8", "replace").strip()
    if process.returncode:
        lines = said.splitlines() or ["no message"]
        message = f"journalctl fails with exit code {process.returncode} ({shown(lines[0])}); {_WHAT_TO_GIVE}"
        raise ConfigError([Problem("LOG", message)])


def zone_of(name: str) -> tuple[Callable[[datetime], datetime], str]:
    """Return how time stamps without a zone become instants, and a sentence that says so.

    `name`: of the time zone database, as `Europe/Berlin`; empty: the zone of this machine.

    Raises:
        ConfigError: there is no such zone.
    """
    if not name:
        here = os.environ.get("TZ") or datetime.now().astimezone().tzname()
        return lambda naive: naive.astimezone(), f"time stamps without a zone read in that of this machine ({here})"
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{shown(name)} is no time zone that this machine knows; write UTC, or one as Europe/Berlin"
        raise ConfigError([Problem("--zone", message)]) from None
    return lambda naive: naive.replace(tzinfo=zone), f"time stamps without a zone read in {name}"
