"""Boot a rendered Postfix configuration privately on loopback, look at it, and stop it again without a trace.

Nothing outside a fresh work directory is touched, the system's own Postfix and /etc/postfix least of all. Needs root,
because the postfix command does.
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.loopback import greeting, until
from tests.support.postfix_overlay import indexed_tables, loopback_settings, overlay_main_cf
from tests.support.postfix_staging import age_files, copy_rendered, write_master_cf

__all__ = ["Boot", "BootError", "Delivery", "PostfixInstance", "boot"]

COMMAND_SECONDS = 30.0
GREETING_SECONDS = 15.0
STOP_SECONDS = 5.0
LOG_SECONDS = 15.0
NO_INTEREST = re.compile(r"dict_nis_init|open database /etc/aliases")
COMPLAINT = re.compile(r"\b(?:warning|error|fatal|panic): ")
BROKEN_SERVER = re.compile(r"\b(?:fatal|panic): ")

_running: set["PostfixInstance"] = set()


class BootError(Exception):
    """The configuration cannot be started as it is; the message holds what Postfix said."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message to one recipient, as the sending side logged it.

    `status` is sent, deferred, bounced or SOFTBOUNCE; `trust` the word before "TLS connection established" (Untrusted,
    Trusted, Verified), empty without TLS.
    """

    status: str
    dsn: str
    reason: str
    trust: str


@dataclass(slots=True, eq=False)
class PostfixInstance:
    """A Postfix in its own work directory; `boot` makes one. Files below `config_directory` may be replaced freely."""

    work_directory: Path
    ports: Mapping[str, int]
    _started_at: int = 0

    @property
    def config_directory(self) -> Path:
        """Where the configuration lies, the place of /etc/postfix."""
        return self.work_directory / "conf"

    @property
    def queue_directory(self) -> Path:
        """The queue, also the root of chrooted services."""
        return self.work_directory / "spool"

    @property
    def port(self) -> int:
        """Port of the first SMTP server of master.cf."""
        return next(iter(self.ports.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of Postfix's commands, or any other, with a time limit."""
        return subprocess.run(
            arguments,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )

    def start(self) -> None:
        """Prepare tables and dates, start and wait for the greetings; raise BootError if anything complains."""
        self.prepare()
        self._started_at = self.mark()
        _running.add(self)
        if self._postfix("start"):
            raise BootError(f"postfix start failed\n{self.log_since(self._started_at)}")
        self.await_greetings()

    def start_as_it_is(self, *indexed: str) -> None:
        """Start whatever is wrong, and wait for no greeting; `indexed`: tables to index first."""
        age_files(self.config_directory)
        for table in indexed:
            self._silent("postmap", "-c", str(self.config_directory), table)
        _running.add(self)
        if self._postfix("start"):
            raise BootError(f"postfix start failed\n{self.log_since(0)}")

    def reload(self) -> None:
        """Prepare tables and dates again and make the running processes read everything anew."""
        self.prepare()
        if self._postfix("reload"):
            raise BootError(f"postfix reload failed\n{self.log_since(0)}")

    def stop(self) -> None:
        """Stop this instance, by force if it does not go; a stopped one may be started again."""
        pid = self.master_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            if not until(lambda: self.master_pid() is None, STOP_SECONDS):
                self._postfix("stop")
        _running.discard(self)

    def close(self) -> None:
        """Stop and remove the work directory."""
        self.stop()
        shutil.rmtree(self.work_directory)

    def prepare(self) -> None:
        """Set dates back, index tables, fill the chroot; raise BootError if postconf or postmap says anything."""
        age_files(self.config_directory)
        settings = self.postconf("-xn") + self.postconf("-xP")
        for kind, path, holds_files in sorted(indexed_tables(settings, str(self.config_directory))):
            self._silent("postmap", "-c", str(self.config_directory), *["-F"] * holds_files, f"{kind}:{path}")
        for path in re.findall(rf"_CApath = ({re.escape(str(self.config_directory))}/\S+)", settings):
            inside = self.queue_directory / path.removeprefix("/")
            shutil.rmtree(inside, ignore_errors=True)
            shutil.copytree(path, inside, symlinks=True)

    def postconf(self, *arguments: str) -> str:
        """Return what postconf prints about this configuration; raise BootError if it warns."""
        return self._silent("postconf", "-c", str(self.config_directory), *arguments)

    def master_pid(self) -> int | None:
        """Return the process id of the running master, None if there is none."""
        try:
            pid = int((self.queue_directory / "pid/master.pid").read_text())
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if b"/master\0" in command_line else None

    def mark(self) -> int:
        """Return the present end of the log, to read from later."""
        return self._log.stat().st_size if self._log.exists() else 0

    def log_since(self, mark: int) -> str:
        """Return what was logged after `mark`."""
        return self._log.read_bytes()[mark:].decode(errors="replace") if self._log.exists() else ""

    def wait_for_log(self, pattern: str, *, since: int = 0) -> re.Match[str]:
        """Return the first match of `pattern` after `since`; raise TimeoutError with the log if none comes."""
        matches = until(lambda: re.search(pattern, self.log_since(since)), LOG_SECONDS)
        if matches is None:
            raise TimeoutError(f"no {pattern!r} in the log\n{self.log_since(since)}")
        return matches

    def complaints(self, since: int = 0) -> list[str]:
        """Return the lines after `since` in which a daemon warns or fails."""
        lines = self.log_since(since).splitlines()
        return [line for line in lines if COMPLAINT.search(line) and not NO_INTEREST.search(line)]

    def await_greetings(self) -> None:
        """Wait until every SMTP server greets; raise BootError as soon as one of them is seen to die instead."""
        with_tls = {int(port) for port in re.findall(r":(\d+)/inet/smtpd_tls_wrappermode = yes", self.postconf("-xP"))}
        for service, port in self.ports.items():
            if not until(partial(self._greeting, port, has_tls=port in with_tls), GREETING_SECONDS):
                raise BootError(f"{service} on port {port} does not greet\n{self.log_since(0)}")

    def send(self, recipient: str, *, sender: str = "sender@probe.test") -> Delivery:
        """Queue a message and wait until its delivery was tried once."""
        mark = self.mark()
        self._silent("sendmail", "-C", str(self.config_directory), "-f", sender, recipient, stdin="Subject: probe\n\n")
        outcome = rf"to=<{re.escape(recipient)}>, .*dsn=(?P<dsn>\S+), status=(?P<status>\w+) \((?P<reason>.*)\)"
        found = self.wait_for_log(outcome, since=mark)
        trust = re.findall(r"(\w+) TLS connection established to ", self.log_since(mark))
        return Delivery(found["status"], found["dsn"], found["reason"], trust[-1] if trust else "")

    @property
    def _log(self) -> Path:
        return self.work_directory / "log/mail.log"

    def _postfix(self, verb: str) -> int:
        return self.command("postfix", "-c", str(self.config_directory), verb).returncode

    def _silent(self, *arguments: str, stdin: str = "") -> str:
        done = self.command(*arguments, stdin=stdin)
        if done.returncode or done.stderr:
            raise BootError(f"{' '.join(arguments)} exits with {done.returncode}\n{done.stderr}")
        return done.stdout

    def _greeting(self, port: int, *, has_tls: bool) -> str:
        # A server that dies is started again and again, and the client waits all the while.
        if BROKEN_SERVER.search(self.log_since(self._started_at)):
            raise BootError(f"a server died at its start\n{self.log_since(self._started_at)}")
        return greeting(port, has_tls=has_tls)


# What the fixture `postfix_instance` is.
Boot = Callable[..., PostfixInstance]


def boot(
    rendered: Path,
    *,
    overrides: Mapping[str, str | None] | None = None,
    servers: Mapping[str, Mapping[str, str]] | None = None,
    transports: Mapping[str, Mapping[str, str]] | None = None,
    is_chrooted: bool = True,
    installed_at: str = "/etc/postfix",
    is_started: bool = True,
) -> PostfixInstance:
    """Start a copy of the directory `rendered` (main.cf, perhaps master.cf, keys, tables) on ports of 127.0.0.1.

    Settings that keep it private replace those of main.cf; `overrides` come last, and None keeps what is rendered.
    A master.cf that is rendered is used, each inet service on another port; without one a standard set is made.
    `servers` and `transports` add SMTP servers and clients by name, with parameters that differ from main.cf (the
    default is one server, `smtpd`, if master.cf is not rendered). The names stand in the log, and in `ports`.
    Absolute paths below `installed_at` are rewritten to the copy. Raises BootError, and leaves nothing behind, if
    postconf or postmap says anything, if postfix refuses to start, or if a server dies instead of greeting.
    """
    work = Path(tempfile.mkdtemp(prefix="postseal-test-"))
    instance = PostfixInstance(work, {})
    try:
        # The daemons run as another user and must be able to walk down to the queue.
        work.chmod(0o755)
        instance.queue_directory.mkdir()
        (work / "log").mkdir()
        copy_rendered(rendered, instance.config_directory, installed_at=installed_at)
        instance.ports = write_master_cf(instance.config_directory, servers, transports or {}, is_chrooted=is_chrooted)
        settings = {**loopback_settings(str(work)), **(overrides or {})}
        main_cf = instance.config_directory / "main.cf"
        main_cf.write_text(overlay_main_cf(main_cf.read_text(), settings))
        if is_started:
            instance.start()
    except BaseException:
        instance.close()
        raise
    return instance


@atexit.register
def _stop_all() -> None:
    for instance in list(_running):
        instance.stop()
