"""Deploy to the machine this runs on."""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from postfix.deploy.program import program_path
from postfix.deploy.session import AS_IT_IS, Configuration
from postfix.deploy.sessions.private_directory import private_directory, remove_abandoned
from postfix.deploy.steps import AGE_SECONDS
from postfix.public_file import FAULTS, PublicFile, public_file
from postseal_core.bounds import LARGEST_CHAIN_BYTES
from postseal_core.errors import DeployError
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import MARK_FILE, FileEntry

__all__ = ["CommandResult", "LocalSession"]

# A table of 100,000 rows, a service that has to be started again, and a journal of an earlier run before that.
_PROGRAM_SECONDS = 600.0
# The longest that one command of the program takes where nothing is changed.
_PATIENCE_SECONDS = 6.0
_COMMAND_SECONDS = 60.0
_SHOWN_LINES = 5
_SHELL = "/bin/sh"
_SCRATCH = "postseal-scratch-"

# Postfix's commands lie in sbin, which is not on every user's PATH.
_COMMAND_DIRECTORIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


class LocalSession(DirectoryWriter):
    """The machine this runs on, with the rights of whoever runs it."""

    program = program_path()
    shell = _SHELL
    search_path = ":".join(_COMMAND_DIRECTORIES)

    def at(self, root: str) -> Self:
        """Return a session for another directory."""
        return type(self)(Path(root))

    def prefetch(self, paths: Iterable[str], *, read: Iterable[str] = ()) -> None:
        """Do nothing: what is here is looked at when it is asked for."""

    def parameters(self, names: Sequence[str], configuration: Configuration = AS_IT_IS) -> dict[str, str]:
        """Return parameters as postconf(1) says them; of a configuration that is to be, from a copy."""
        if not configuration:
            return self._parameters(names, self.root)
        with self.scratch() as scratch:
            for name, content in configuration.items():
                scratch.write(FileEntry(name, content, 0o600), age_seconds=AGE_SECONDS)
            found = self._parameters(names, scratch.root)
            return {name: value.replace(scratch.root, self.root) for name, value in found.items()}

    def _parameters(self, names: Sequence[str], directory: str) -> dict[str, str]:
        result = self.run(["postconf", "-c", directory, "-x", *names], timeout_seconds=_COMMAND_SECONDS)
        if result.returncode:
            lines = [line for line in result.stderr.splitlines() if line.strip()]
            said = "; ".join(lines[:_SHOWN_LINES]) or f"exit status {result.returncode}"
            raise DeployError(f"postconf does not tell the parameters of {self.root}: {said}")
        pairs = (line.partition("=")[::2] for line in result.stdout.splitlines())
        return {name.strip(): value.strip() for name, value in pairs}

    def write_mark(self, mark: FileEntry | None) -> None:
        """Write or remove the mark."""
        if mark:
            self.write(mark)
        else:
            self.remove(MARK_FILE)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other runs away, and remove what those have left that were killed."""
        remove_abandoned(_SCRATCH)
        with super().exclusive():
            yield

    @contextmanager
    def scratch(self) -> Iterator[Self]:
        """Give a session for a fresh private directory below the system's directory for temporary files."""
        with private_directory(_SCRATCH) as directory:
            yield self.at(directory)

    def read_public(self, path: str) -> PublicFile:
        """Return a PEM file without its private keys."""
        try:
            status, content = _read_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            return PublicFile(path, fault=FAULTS["absent"])
        except PermissionError:
            is_root = os.geteuid() == 0
            return PublicFile(path, fault="cannot be read by root" if is_root else "", is_hidden=not is_root)
        except OSError as error:
            return PublicFile(path, fault=f"cannot be read: {error.strerror}")
        if not stat.S_ISREG(status.st_mode):
            return PublicFile(path, fault=FAULTS["irregular"])
        if len(content) > LARGEST_CHAIN_BYTES:
            return PublicFile(path, fault=FAULTS["large"])
        return public_file(path, content.decode("ascii", "replace"), is_open=bool(status.st_mode & stat.S_IROTH))

    def run_program(self, said: bytes) -> str:
        """Run the host program here; an interrupt leaves it at work, and the next run finds how it ended."""
        return self.ask_program(said).decode(errors="replace")

    def ask_program(self, said: bytes) -> bytes:
        """Run the host program here and return what it prints as it is."""
        environment = {"PATH": self.search_path}
        with (
            _in_memory(said) as heard,
            subprocess.Popen(
                [self.shell, self.program], cwd="/", env=environment, stdin=heard, stdout=subprocess.PIPE
            ) as process,
        ):
            try:
                stdout, _ = process.communicate(timeout=_PROGRAM_SECONDS)
            except BaseException as error:
                _end(process)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                message = f"the deployment to {self.root} did not end within {_PROGRAM_SECONDS:g} s and goes on"
                raise DeployError(f"{message}; run again later: it says then how it ended") from error
        return stdout

    def run(self, arguments: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        """Run a command, found by its name, in the root with a clean environment (LC_ALL=C); never through a shell.

        Raises DeployError if there is no such command; after the time it and what it started are killed.
        """
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
def _in_memory(content: bytes) -> Iterator[int]:
    """Give a file that is on no disk, as it may hold keys: what is read of it needs no other process to go on."""
    handle = os.memfd_create("bundle", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(content)
        os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


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
