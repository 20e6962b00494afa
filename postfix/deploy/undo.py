"""Record the changes of a running deployment and undo them if it fails."""

from dataclasses import dataclass

from postfix.deploy.session import HostSession, name_beside
from postseal_core.errors import DeployError
from postseal_core.files.tree import ROOT

__all__ = ["UndoLog"]


@dataclass(frozen=True, slots=True)
class _Change:
    session: HostSession
    path: str
    backup: str | None

    @property
    def place(self) -> str:
        return f"{self.session.root}/{self.path}".removesuffix(ROOT)

    def undo(self) -> None:
        if self.path.endswith("/"):
            self.session.remove_directory(self.path)
        elif self.backup is None:
            self.session.remove(self.path)
        elif self.backup in self.session.present([self.backup]):
            self.session.rename(self.backup, self.path)
            # Two names of one file: rename(2) does nothing if the file was not replaced yet.
            self.session.remove(self.backup)


class UndoLog:
    """Keep what is replaced under a second name in its own directory, until everything is well.

    What is put back is the very file that was there, with its owner, mode and dates. Backups that an interrupted run
    leaves are temporary files to `HostSession.remove_leftovers`.
    """

    def __init__(self) -> None:
        self._changes: list[_Change] = []

    def before_writing(self, session: HostSession, path: str) -> None:
        """Note that a file is about to be written or replaced, or a directory (slash at the end) to be made."""
        is_there = path in session.present([path])
        if is_there and path.endswith("/"):
            return
        change = _Change(session, path, f"{name_beside(path)}.old" if is_there else None)
        self._changes.append(change)
        if change.backup:
            session.link(path, change.backup)

    def keep(self) -> None:
        """Make the changes final: remove what was kept of the earlier files."""
        for change in self._changes:
            if change.backup:
                change.session.remove(change.backup)
        self._changes.clear()

    def undo(self) -> str:
        """Put everything back, the last change first, and return a sentence that says what is there now."""
        failures = []
        for change in reversed(self._changes):
            try:
                change.undo()
            except DeployError as error:
                failures.append(f"{change.place} ({error})")
        self._changes.clear()
        if failures:
            return f"NOT everything could be put back; these are still new: {'; '.join(failures)}"
        return "all files are as they were before"
