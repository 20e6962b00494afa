"""Asks this machine what its Postfix would find: tables, accounts, ciphers, a server for passwords; an edge."""

import os
import pwd
import shutil
import stat
import subprocess
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from postfix.effective.visitors import INDEX_SUFFIXES, Answer, Asked, Question
from postfix.tables import parse_source
from postseal.audit.files import FileReader

__all__ = ["Asker", "program"]

_SEARCH_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ONE_SECONDS: Final = 3.0
_SOCKETS: Final = Path("/proc/net/unix")
_CYRUS: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_FATAL: Final = (b"fatal: ", b"panic: ")


def program(name: str) -> str | None:
    """Return where a program is; Postfix's lie in sbin, which is not on every user's PATH."""
    return shutil.which(name, path=_SEARCH_PATH)


class Asker:
    """Answers questions; UNKNOWN is what it may not ask, or has no time for.

    `is_live`: programs of Postfix may open what this configuration names.
    """

    def __init__(self, place: Path, root: str, *, is_live: bool, is_copy: bool, stop_at: float) -> None:
        self._place = place
        self._is_live = is_live
        self._is_copy = is_copy
        self._stop_at = stop_at
        self._reader = FileReader(place, root, is_copy=is_copy)
        self._is_usable: bool | None = None

    def answers(self, questions: Collection[Question]) -> dict[Question, Answer]:
        """Return an answer to each question."""
        tables: dict[str, list[Question]] = defaultdict(list)
        found: dict[Question, Answer] = {}
        for question in sorted(questions, key=lambda each: (each.asked.name, each.where, each.key)):
            if question.asked is Asked.LOOKUP:
                tables[question.where].append(question)
            else:
                found[question] = self._one(question)
        for table, some in tables.items():
            found |= self._lookups(table, some)
        return found

    def _one(self, question: Question) -> Answer:
        if self._has_no_time() or "\0" in question.where:
            return Answer.UNKNOWN
        if self._is_copy:
            # What the OpenSSL here has, that of another host mostly has as well; the other way round nobody knows.
            has_ciphers = question.asked is Asked.CIPHERS and self._ciphers(question.where) is Answer.YES
            return Answer.YES if has_ciphers else Answer.UNKNOWN
        match question.asked:
            case Asked.READABLE:
                return _readable(question.where, question.key)
            case Asked.CIPHERS:
                return self._ciphers(question.where)
            case Asked.LOGIN:
                return _login(question, self._queue_directory())
            case _:
                return Answer.UNKNOWN

    def _has_no_time(self) -> bool:
        return time.monotonic() > self._stop_at

    def _run(self, command: list[str], said: bytes = b"") -> subprocess.CompletedProcess[bytes] | None:
        seconds = min(_ONE_SECONDS, self._stop_at - time.monotonic())
        if seconds <= 0:
            return None
        try:
            return subprocess.run(
                command, input=said, capture_output=True, timeout=seconds, check=False, env={"LC_ALL": "C"}
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            return None

    def _ciphers(self, words: str) -> Answer:
        openssl = program("openssl")
        done = self._run([openssl, "ciphers", words]) if openssl and not words.startswith("-") else None
        if done is None:
            return Answer.UNKNOWN
        return Answer.NO if done.returncode else Answer.YES

    def _queue_directory(self) -> str:
        postconf = program("postconf")
        done = self._run([postconf, "-c", str(self._place), "-xh", "queue_directory"]) if postconf else None
        return os.fsdecode(done.stdout).strip() if done else ""

    def _lookups(self, table: str, questions: list[Question]) -> Mapping[Question, Answer]:
        postmap = program("postmap")
        if not (self._is_live and postmap):
            return {each: self._in_source(each) for each in questions}
        keys = "".join(f"{each.key}\n" for each in questions).encode("utf-8", "surrogateescape")
        done = None if "\0" in table else self._run([postmap, "-c", str(self._place), "-q", "-", table], keys)
        if done is None:
            return dict.fromkeys(questions, Answer.UNKNOWN)
        if any(word in done.stderr for word in _FATAL):
            is_mine = b"ermission denied" in done.stderr and os.geteuid() != 0
            is_broken = not is_mine and self._can_look_up(postmap)
            return dict.fromkeys(questions, Answer.BROKEN if is_broken else Answer.UNKNOWN)
        if done.returncode > 1:
            return dict.fromkeys(questions, Answer.UNKNOWN)
        found = {line.split(b"\t")[0].decode("utf-8", "surrogateescape") for line in done.stdout.split(b"\n")}
        return {each: Answer.YES if each.key in found else Answer.NO for each in questions}

    def _can_look_up(self, postmap: str) -> bool:
        """Return whether lookups work at all: not the table may be at fault, but the configuration."""
        if self._is_usable is None:
            done = self._run([postmap, "-c", str(self._place), "-q", "any", "static:any"])
            self._is_usable = done is not None and not done.returncode
        return self._is_usable

    def _in_source(self, question: Question) -> Answer:
        """Return what the source of a table says, whose index is not opened; never that it is broken."""
        kind, _, _ = question.where.partition(":")
        if kind == "static":
            return Answer.YES
        table = self._reader.table(question.where) if INDEX_SUFFIXES.get(kind) or kind == "texthash" else None
        if table is None or not table.has_source:
            return Answer.UNKNOWN
        keys = {row.key.lower() for row in parse_source(table.source)}
        return Answer.YES if question.key.lower() in keys else Answer.NO


def _readable(path: str, account: str) -> Answer:
    try:
        status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return Answer.BROKEN
    except OSError:
        return Answer.UNKNOWN
    if account == "root":
        return Answer.YES
    if os.geteuid() != 0:
        return Answer.UNKNOWN
    try:
        user = pwd.getpwnam(account)
        done = subprocess.run(
            ["/usr/bin/test", "-r", path],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=os.getgrouplist(account, user.pw_gid),
            timeout=_ONE_SECONDS,
            check=False,
        )
    except (KeyError, OSError, subprocess.SubprocessError):
        return Answer.UNKNOWN
    del status
    return Answer.NO if done.returncode else Answer.YES


def _login(question: Question, queue_directory: str) -> Answer:
    """Return whether there is anybody to ask; asked himself, he would write of strangers into his log."""
    if question.key == "cyrus":
        found = (each for place in _CYRUS for each in Path(place).glob("**/sasl2/lib*.so*"))
        return Answer.YES if any("libsasldb" not in each.name for each in found) else Answer.NO
    if question.key != "dovecot" or question.where.startswith("inet:"):
        return Answer.UNKNOWN
    path = question.where if question.where.startswith("/") else f"{queue_directory}/{question.where}"
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            return Answer.NO
        listening = {line.rpartition(" ")[2] for line in _SOCKETS.read_text(errors="replace").splitlines()}
    except (FileNotFoundError, NotADirectoryError):
        return Answer.NO if Path("/proc/net").exists() else Answer.UNKNOWN
    except OSError:
        return Answer.UNKNOWN
    return Answer.YES if path in listening else Answer.UNKNOWN
