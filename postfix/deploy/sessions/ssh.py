"""Deploy to another machine by SSH: all that is asked or done there goes through the host program."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final, Self

from postfix.deploy.bundle import request
from postfix.deploy.foresight_form import archive_of_values
from postfix.deploy.host_files import MAIN_CF, MASTER_CF
from postfix.deploy.look_form import Look, read_look, read_values, request_of_look, request_of_mark
from postfix.deploy.program import program_path
from postfix.deploy.program_result import failure_of, read_result
from postfix.deploy.session import AS_IT_IS, Configuration, LostError, UnreachableError
from postfix.deploy.sessions.ssh_connection import SshConnection, connection_to
from postfix.deploy.ssh_command import remote_command
from postfix.deploy.ssh_failures import failure_of_program
from postfix.public_file import FAULTS, PublicFile
from postfix.ssh_access import SshAccess, Sudo
from postseal_core.errors import DeployError
from postseal_core.files.tree import MARK_FILE, ROOT, WORK_DIRECTORY, FileEntry, kept_name

__all__ = ["SshSession", "carried_program"]

# A table of 100,000 rows, a service that has to be started again, a journal of an earlier run, and a slow network.
_PROGRAM_SECONDS: Final = 900.0
_LOOK_SECONDS: Final = 120.0
_ID_BYTES: Final = 16
_WHOLE: Final = b"complete"

_READ_ALWAYS: Final = (MARK_FILE, MAIN_CF, MASTER_CF, kept_name(MAIN_CF), kept_name(MASTER_CF))
_LOOKED_AT_ALWAYS: Final = (ROOT, *(f"{WORK_DIRECTORY}/{name}" for name in ("", "journal/", "unread", "rolled_back")))
_LISTED_ALWAYS: Final = (f"{WORK_DIRECTORY}/", f"{WORK_DIRECTORY}/kept/")


@cache
def carried_program() -> bytes:
    """Return the program that this version brings to a host."""
    return Path(program_path()).read_bytes()


class _Memory:
    """What was asked of one place and what was found, until something is changed there."""

    def __init__(self) -> None:
        self.hints: set[str] = set()
        self.hinted_texts: set[str] = set()
        self.asked: set[str] = set()
        self.asked_texts: set[str] = set()
        self.listed: set[str] = set()
        self.present: dict[str, str] = {}
        self.files: dict[str, FileEntry] = {}
        self.unread: dict[str, str] = {}
        self.names: dict[str, list[str]] = {}

    def anew(self) -> "_Memory":
        """Return one that knows nothing but what was said to come."""
        other = _Memory()
        other.hints, other.hinted_texts = self.hints, self.hinted_texts
        return other


class SshSession:
    """One place on another machine, looked at as rarely as possible.

    `root`: the configuration directory there; `wait_seconds`: how long to wait for a host that does not answer yet.
    """

    def __init__(self, access: SshAccess, root: str, *, program: bytes | None = None) -> None:
        self.root = root
        self.wait_seconds = 0.0
        self._access = access
        self._configuration_root = root
        self._place = "c"
        self._program = program or carried_program()
        self._memory = _Memory()

    def insist(self, wait_seconds: float) -> None:
        """Wait so long for a host that does not answer, and try again where a moment ago nobody got through."""
        self.wait_seconds = wait_seconds
        self._connection.insist()

    def prefetch(self, paths: Iterable[str], *, read: Iterable[str] = ()) -> None:
        """Note what the next look shall include."""
        self._memory.hints.update(paths)
        self._memory.hinted_texts.update(read)

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return digests, from memory where it was looked already."""
        wanted = [*paths]
        if missing := {*wanted} - self._memory.asked:
            self._look(missing)
        return {path: self._memory.present[path] for path in wanted if path in self._memory.present}

    def names(self, directory: str) -> list[str]:
        """Return what a directory holds."""
        if directory not in self._memory.listed:
            self._look((), directories=(directory,))
        return self._memory.names.get(directory, [])

    def read(self, path: str) -> FileEntry | None:
        """Return a file that may leave the host; None for one that must not, unless nothing can be done without it."""
        if path not in self._memory.asked_texts:
            self._look((), texts=(path,))
        if path in self._memory.unread and path in _READ_ALWAYS:
            raise DeployError(f"{self.root}/{path} cannot be read: {self._memory.unread[path]}")
        return self._memory.files.get(path)

    def read_public(self, path: str) -> PublicFile:
        """Return a PEM file; the host replaces each private key by its public half."""
        look = Look(place=self._place, pem_files=(path,))
        seen = read_look(self._ask(request_of_look(self._configuration_root, look), _LOOK_SECONDS), self.root)
        return seen.pem_files.get(path) or PublicFile(path, fault=FAULTS["absent"])

    def parameters(self, names: Sequence[str], configuration: Configuration = AS_IT_IS) -> dict[str, str]:
        """Return parameters as the host's postconf(1) says them."""
        archive = archive_of_values(configuration, names)
        output = self.ask_program(request("foresee", self._configuration_root, "-", archive))
        return read_values(output, self._configuration_root, configuration)

    def write_mark(self, mark: FileEntry | None) -> None:
        """Have the program write or remove the mark."""
        content = mark.content if mark else b""
        digest = sha256(content).hexdigest()
        said = request_of_mark(self._configuration_root, token_hex(_ID_BYTES), digest, self._place, content)
        if failure := failure_of(read_result(self.run_program(said)), self.root):
            raise DeployError(failure)

    def remove_leftovers(self, directories: Iterable[str]) -> None:
        """Do nothing: only the program writes there, and it clears up after itself."""

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Do nothing: the program keeps others away, and compares what it was told with what is there."""
        yield

    def at(self, root: str) -> Self:
        """Return a session for the queue directory of the same host."""
        other = copy(self)
        other.root, other._place, other._memory = root, "q", _Memory()  # noqa: SLF001  # of the same class
        return other

    def run_program(self, said: bytes) -> str:
        """Run the program there; what it has changed is looked at anew."""
        try:
            return self.ask_program(said).decode(errors="replace")
        finally:
            self._memory = self._memory.anew()

    def ask_program(self, said: bytes) -> bytes:
        """Run the program there and return what it prints as it is."""
        return self._ask(said, _PROGRAM_SECONDS)

    @property
    def _connection(self) -> SshConnection:
        return connection_to(self._access)

    def _ask(self, said: bytes, seconds: float) -> bytes:
        is_there = self._access.sudo is Sudo.PROGRAM
        remote = remote_command(self._access, len(self._program))
        stdout, stderr = self._connection.request(
            remote,
            said if is_there else self._program + said,
            timeout_seconds=seconds,
            wait_seconds=self.wait_seconds,
        )
        if not stdout.rstrip().endswith(_WHOLE):
            sentence = failure_of_program(self._access, stderr)
            raise LostError(sentence) if stdout or "sudo:" not in stderr else UnreachableError(sentence)
        return stdout

    def _look(self, paths: Iterable[str], *, texts: Iterable[str] = (), directories: Iterable[str] = ()) -> None:
        """Ask once for these, for what was said to come, and for what is always asked."""
        memory, is_first = self._memory, not self._memory.asked
        always = _place_always(self._place) if is_first else ((), (), ())
        wanted_texts = {*texts, *memory.hinted_texts, *always[1]} - memory.asked_texts
        look = Look(
            place=self._place,
            paths=tuple(sorted({*paths, *memory.hints, *always[0]} - memory.asked)),
            texts=tuple(sorted(wanted_texts)),
            directories=tuple(sorted({*directories, *always[2]} - memory.listed)),
        )
        output = self._answer_to_look(request_of_look(self._configuration_root, look))
        seen = read_look(output, self.root)
        self._require_version(seen.program_sha256)
        memory.asked |= {*look.paths, *look.texts}
        memory.asked_texts |= {*look.texts}
        memory.listed |= {*look.directories}
        memory.present.update(seen.present)
        memory.files.update(seen.files)
        memory.unread.update(seen.unread)
        memory.names.update(seen.names)
        memory.hints.clear()
        memory.hinted_texts.clear()

    def _answer_to_look(self, said: bytes) -> bytes:
        try:
            try:
                output = self._ask(said, _LOOK_SECONDS)
            except LostError:
                # A connection that nobody used for a while may have gone; nothing is changed by asking twice.
                output = self._ask(said, _LOOK_SECONDS)
        except LostError as error:
            raise UnreachableError(f"{error}; nothing was changed") from error
        if b"fault\tform\t" in output:
            self._require_version("")
        return output

    def _require_version(self, found_sha256: str) -> None:
        expected = sha256(self._program).hexdigest()
        if found_sha256 != expected:
            found = f"SHA-256 {found_sha256}" if found_sha256 else "an earlier one"
            raise UnreachableError(
                f"{self._access.program} on {self._access.name} is another version ({found}) than the one that belongs "
                f"to this Postseal (SHA-256 {expected}); `postseal host-program` prints it, docs/ssh-hosts.md says how "
                "to put it there; nothing was changed"
            )


def _place_always(place: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the paths, the texts and the directories that a first look at a place includes."""
    return (_LOOKED_AT_ALWAYS, _READ_ALWAYS, _LISTED_ALWAYS) if place == "c" else ((ROOT,), (MARK_FILE,), ())
