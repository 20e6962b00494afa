"""Carry out the steps of a plan over a session, with everything put back if one of them fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from postfix.deploy.commands import index_table, is_running, reload
from postfix.deploy.host_files import Table
from postfix.deploy.session import HostSession, name_beside
from postfix.deploy.steps import (
    AGE_SECONDS,
    BuildTable,
    GiveBack,
    KeepOriginal,
    MakeDirectory,
    Place,
    Reload,
    Remove,
    RemoveDirectory,
    Step,
    WriteFile,
)
from postfix.deploy.undo import UndoLog
from postseal_core.errors import DeployError
from postseal_core.files.tree import kept_name

__all__ = ["Execution"]


class Execution:
    """One run over a host: `places` has a session for each place of the plan, `scratch` the staged configuration."""

    def __init__(self, places: Mapping[Place, HostSession], scratch: HostSession) -> None:
        self._places = places
        self._scratch = scratch
        self._undo_log = UndoLog()
        self.has_reloaded = False

    def carry_out(self, steps: Sequence[Step], last: Sequence[Step] = ()) -> None:
        """Carry out all steps in order, removals behind the others, and `last` when all is done.

        Raises DeployError, which says what is there now: the files as they were before if a step up to the reload
        fails, and after that the new ones.
        """
        removals = [step for step in steps if isinstance(step, Remove | RemoveDirectory)]
        try:
            for step in steps:
                if step not in removals:
                    self._do(step)
        except DeployError as error:
            raise DeployError(f"{error}; {self._undo_log.undo()}") from error
        except BaseException:
            self._undo_log.undo()
            raise
        try:
            self._undo_log.keep()
            for step in (*removals, *last):
                self._do_for_good(step)
        except DeployError as error:
            raise DeployError(
                f"all is deployed, but not all that is obsolete is removed or noted as gone: {error}"
            ) from error

    def _do(self, step: Step) -> None:
        match step:
            case MakeDirectory(place, directory):
                self._undo_log.before_writing(self._places[place], directory.path)
                self._places[place].make_directory(directory)
            case WriteFile(place, entry):
                self._undo_log.before_writing(self._places[place], entry.path)
                self._places[place].write(entry, age_seconds=AGE_SECONDS)
            case KeepOriginal(place, path):
                self._undo_log.before_writing(self._places[place], kept_name(path))
                self._places[place].link(path, kept_name(path))
            case GiveBack(place, path):
                self._give_back(self._places[place], path)
            case BuildTable(table):
                self._build(self._places[Place.CONFIG], table)
            case Reload():
                if is_running(self._places[Place.CONFIG]):
                    reload(self._places[Place.CONFIG])
                    self.has_reloaded = True

    def _do_for_good(self, step: Step) -> None:
        match step:
            case Remove(place, path):
                self._places[place].remove(path)
            case RemoveDirectory(place, path):
                self._places[place].remove_directory(path)
            case WriteFile(place, entry):
                self._places[place].write(entry)

    def _give_back(self, session: HostSession, path: str) -> None:
        """Put back the kept file through a second link; its kept name is removed last, when nothing can fail."""
        temporary = name_beside(path)
        self._undo_log.before_writing(session, path)
        session.remove(temporary)
        session.link(kept_name(path), temporary)
        session.rename(temporary, path)

    def _build(self, session: HostSession, table: Table) -> None:
        """Index under a temporary name: postmap writes in place, and a truncated hash is an empty table."""
        path = table.source.path
        temporary = name_beside(path)
        renamed = ((temporary + table.index_suffix, path + table.index_suffix), (temporary, path))
        try:
            source = replace(table.source, path=temporary)
            session.write(source, age_seconds=AGE_SECONDS)
            index_table(session, replace(table, source=source), self._scratch.root)
            for _, final in renamed:
                self._undo_log.before_writing(session, final)
            for new, final in renamed:
                session.rename(new, final)
        finally:
            for new, _ in renamed:
                session.remove(new)
