"""Deploy to the machine this runs on."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from postfix.deploy.program import program_path
from postfix.deploy.session import CommandResult
from postfix.public_file import ABSENT, PublicFile, public_file
from postseal_core.bounds import LARGEST_CHAIN_BYTES
from postseal_core.errors import DeployError
from postseal_core.files.directory import DirectoryWriter

__all__ = ["LocalSession"]

# A table of 100,000 rows, a service that has to be started again, and a journal of an earlier run before that.
_PROGRAM_SECONDS = 600.0
# The longest that one command of the program takes where nothing is changed.
_PATIENCE_SECONDS = 6.0
_SHELL = "/bin/sh"
_SCRATCH = "postseal-scratch-"
# In each scratch directory, locked by who made it: one that nobody locks any more was left by a run that was killed.
_ALIVE = ".alive"

# Postfix's commands lie in sbin, which is not on every user's PATH.
_COMMAND_DIRECTORIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class LocalSession(DirectoryWriter):
    """The machine this runs on, with the rights of whoever runs it."""

    program = program_path()
    shell = _SHELL
    search_path = ":".join(_COMMAND_DIRECTORIES)

    def at(self, root: str) -> Self:
        """Return a session for another directory."""
        return type(self)(Path(root))

    @contextmanager
    def scratch(self) -> Iterator[Self]:
        """Give a session for a fresh private directory below the system's directory for temporary files."""
        _remove_abandoned()
        with tempfile.TemporaryDirectory(prefix=_SCRATCH) as directory, _alive(Path(directory)):
            yield self.at(directory)

    def read_public(self, path: str) -> PublicFile:
        """Return a PEM file without its private keys."""
        try:
            status, content = _read_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            return PublicFile(path, fault=ABSENT)
        except PermissionError:
            is_root = os.geteuid() == 0
            return PublicFile(path, fault="cannot be read by root" if is_root else "", is_hidden=not is_root)
        except OSError as error:
            return PublicFile(path, fault=f"cannot be read: {error.strerror}")
        if not stat.S_ISREG(status.st_mode):
            return PublicFile(path, fault="is no regular file")
        if len(content) > LARGEST_CHAIN_BYTES:
            return PublicFile(path, fault=f"has more than {LARGEST_CHAIN_BYTES // 2**20} MiB")
        return public_file(path, content.decode("ascii", "replace"), is_open=bool(status.st_mode & stat.S_IROTH))

    def run_program(self, said: bytes) -> str:
        """Run the host program here; an interrupt leaves it at work, and the next run finds how it ended."""
        return self.ask_program(said).decode(errors="replace")

    def ask_program(self, said: bytes) -> bytes:
        """Run the host program here and return what it prints as it is."""
        environment = {"PATH": self.search_path}
        with subprocess.Popen(
            [self.shell, self.program], cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            try:
                stdout, _ = process.communicate(said, timeout=_PROGRAM_SECONDS)
            except BaseException as error:
                _end(process)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                message = f"the deployment to {self.root} did not end within {_PROGRAM_SECONDS:g} s and goes on"
                raise DeployError(f"{message}; run again later: it says then how it ended") from error
        return stdout

    def run(self, arguments: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        """Run a command in the root; after the time it and what it started are killed."""
        with subprocess.Popen(
            [_absolute(arguments[0], self.search_path), *arguments[1:]],
            cwd=self.root,
            env={"LC_ALL": "C", "PATH": self.search_path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_seconds)
            except BaseException as error:
                _stop(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    message = f"{' '.join(arguments)} did not end within {timeout_seconds:g} s and was stopped"
                    raise DeployError(message) from error
                raise
        return CommandResult(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


@contextmanager
def _alive(directory: Path) -> Iterator[None]:
    """Show that a scratch directory is in use, for as long as this process lives."""
    # Under its name only once it is locked: others remove what has it and is not.
    unnamed = directory / f"{_ALIVE}.new"
    with unnamed.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(directory / _ALIVE)
        yield


def _remove_abandoned() -> None:
    """Remove scratch directories of runs that were killed; they hold what main.cf says, and no key."""
    for alive in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*/{_ALIVE}"):
        with suppress(OSError):
            if alive.parent.lstat().st_uid == os.geteuid() and not alive.parent.is_symlink():
                with alive.open() as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(alive.parent, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the shell that waits, which may have a directory to remove; what carries out a transaction goes on."""
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a command with all that it started, and wait for its end: an interrupted `with` does not."""
    with suppress(ProcessLookupError):  # by now it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_regular(path: str) -> tuple[os.stat_result, bytes]:
    """Return what a file is, and the content of a regular one: a device, or a pipe, could be read for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return status, b""
        with os.fdopen(os.dup(handle), "rb") as file:
            return status, file.read(LARGEST_CHAIN_BYTES + 1)
    finally:
        os.close(handle)


def _absolute(command: str, search_path: str) -> str:
    found = shutil.which(command, path=search_path)
    if found is None:
        raise DeployError(f"there is no command {command} in {search_path.replace(':', ', ')}; install Postfix")
    return found
