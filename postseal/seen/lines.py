"""Lines of a mail log: who wrote them, when and where, in the formats of syslog, postlogd(8) and the journal; pure.

Everything in front of the message is written by syslog and by Postfix itself: nobody from outside decides what a line
is taken for, as long as the whole front is read from its begin.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from postseal.seen.instants import LogClock

__all__ = ["LONGEST_LINE_BYTES", "LogLine", "read_line"]

LONGEST_LINE_BYTES: Final = 64 * 1024
"""The longest line that is read: what daemons log is cut to 2,000 characters by Postfix (msg_syslog(3))."""

_STAMP: Final = (
    rb"(?P<stamp>[A-Z][a-z]{2} [ 0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
)
_HOST: Final = rb"(?P<host>[A-Za-z0-9._:-]{1,255})"
# RFC 3164 section 4.1 with the time stamp of it or of RFC 3339; BusyBox names facility and level behind the host.
_TRADITIONAL: Final = re.compile(
    rb"(?:<[0-9]{1,3}>)?" + _STAMP + rb" " + _HOST + rb" (?:[a-z0-9]{1,9}\.[a-z]{1,9} )?"
    rb"(?P<tag>[^\s\[\]]{1,200})\[[0-9]{1,10}\]: (?P<message>.*)",
    re.DOTALL,
)
# RFC 5424 section 6; structured data is passed over.
_RFC_5424: Final = re.compile(
    rb"(?:<[0-9]{1,3}>)?1 " + _STAMP + rb" " + _HOST + rb" (?P<tag>[^\s\[\]]{1,200}) [0-9]{1,10} [^\s]{1,32} "
    rb'(?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\])+) (?:\xef\xbb\xbf)?(?P<message>.*)',
    re.DOTALL,
)
_HOST_NAME: Final = re.compile(_HOST.decode())
_TAG: Final = re.compile(r"[^\s\[\]]{1,200}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: its instant, the host that logged it, the daemon's syslog name as `postfix/smtpd`, and what it says."""

    at: datetime
    host: str
    tag: str
    message: bytes = field(repr=False)


def read_line(line: bytes, clock: LogClock) -> LogLine | None:
    """Return a line without its end; None for one that is in none of the formats."""
    line = line.rstrip(b"\r\n")
    if line[:1] == b"{":
        return _of_journal(line)
    found = _TRADITIONAL.fullmatch(line) or _RFC_5424.fullmatch(line)
    if not found:
        return None
    at = clock.instant(found["stamp"].decode("ascii"))
    tag = found["tag"].decode("utf-8", "replace")
    return LogLine(at, found["host"].decode("ascii"), tag, found["message"]) if at else None


def _of_journal(line: bytes) -> LogLine | None:
    """Return an entry of `journalctl -o json` (systemd.journal-fields(7))."""
    try:
        entry = json.loads(line)
        at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) // 1_000_000, UTC)
        host, tag, message = entry["_HOSTNAME"], entry["SYSLOG_IDENTIFIER"], _message(entry["MESSAGE"])
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        return None
    is_named = isinstance(host, str) and isinstance(tag, str) and _HOST_NAME.fullmatch(host) and _TAG.fullmatch(tag)
    return LogLine(at, host, tag, message) if is_named else None


def _message(said: Any) -> bytes:
    """Return a text, or the list of bytes that the journal makes of what is no UTF-8."""
    return bytes(said) if isinstance(said, list) else said.encode("utf-8", "surrogatepass")
