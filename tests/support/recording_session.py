"""A host in a temporary directory: real files, Postfix's commands played by a script, failures on demand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from postfix.deploy.session import CommandResult
from postfix.deploy.sessions.local import LocalSession
from postseal_core.errors import DeployError
from postseal_core.files.tree import Directory, Entry

__all__ = ["RecordingSession", "Script"]

_SUFFIXES = {"hash": ".db", "lmdb": ".lmdb"}


@dataclass
class Script:
    """How the host behaves, and what was done to it.

    `changes` and `commands` are in order. The change number `fails_at` (from 1) fails: before it is done, or once it is
    done if `fails_late`. `complaints`: what a command (`postmap`, `postfix reload`) says on stderr when it fails;
    `staged_complaints`: when it fails in a scratch directory; ROOT in them is the directory.
    """

    is_running: bool = True
    user: str = "0"
    queue_directory: str = ""
    complaints: dict[str, str] = field(default_factory=dict)
    staged_complaints: dict[str, str] = field(default_factory=dict)
    fails_at: int = 0
    fails_late: bool = False
    changes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def change(self, name: str, act: Callable[[], None]) -> None:
        """Do and note one change, or fail."""
        self.changes.append(name)
        is_failing = len(self.changes) == self.fails_at
        if not is_failing or self.fails_late:
            act()
        if is_failing:
            raise DeployError(f"{name} failed")


class RecordingSession(LocalSession):
    """A local session whose commands are played by `script`; the scratch directory never fails and is not noted."""

    def __init__(self, root: Path, script: Script) -> None:
        super().__init__(root)
        self.script = script

    def at(self, root: str) -> Self:
        """Return a session for another directory with the same script."""
        return type(self)(Path(root), self.script)

    @contextmanager
    def scratch(self) -> Iterator[Self]:
        """Give a scratch directory on which nothing fails."""
        with super().scratch() as session:
            session.script = Script(complaints=self.script.staged_complaints, commands=self.script.commands)
            yield session

    def make_directory(self, directory: Directory) -> None:
        """Note and do it."""
        self.script.change(f"make {directory.path}", lambda: super(RecordingSession, self).make_directory(directory))

    def write(self, entry: Entry, *, age_seconds: int = 0) -> None:
        """Note and do it."""
        act: Callable[[], None] = lambda: super(RecordingSession, self).write(entry, age_seconds=age_seconds)  # noqa: E731
        self.script.change(f"write {entry.path}", act)

    def rename(self, path: str, other: str) -> None:
        """Note and do it."""
        self.script.change(f"rename {other}", lambda: super(RecordingSession, self).rename(path, other))

    def link(self, path: str, other: str) -> None:
        """Note and do it."""
        self.script.change(f"link {path}", lambda: super(RecordingSession, self).link(path, other))

    def run(self, arguments: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        """Play a command."""
        name, verb = arguments[0], arguments[-1]
        self.script.commands.append(f"{name} {verb}".replace(self.root, "."))
        complaint = self.script.complaints.get(f"{name} {verb}", self.script.complaints.get(name, ""))
        if name == "postmap" and not complaint:
            kind, _, path = verb.partition(":")
            Path(path + _SUFFIXES[kind]).write_bytes(b"index of " + Path(path).read_bytes())
        answers = {"id": f"{self.script.user}\n", "postconf": f"{self.script.queue_directory}\n"}
        has_failed = bool(complaint) or (verb == "status" and not self.script.is_running)
        return CommandResult(int(has_failed), answers.get(name, ""), complaint.replace("ROOT", self.root))
