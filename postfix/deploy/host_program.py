"""Run the host program over a session, and see whether an earlier run of it was cut off."""

from collections.abc import Callable
from secrets import token_hex
from time import sleep

from postfix.deploy.bundle import Bundle, request
from postfix.deploy.program_result import End, ProgramResult, failure_of, read_result, sentence_of_recovery
from postfix.deploy.session import HostSession, LostError, UnreachableError
from postseal_core.errors import DeployError
from postseal_core.files.tree import MARK_FILE, WORK_DIRECTORY

__all__ = [
    "MOUNTED",
    "carry_out",
    "clear_up",
    "earlier_states",
    "has_open_journal",
    "has_unread_files",
    "links_of",
    "prune",
    "raise_failure",
    "recover",
    "roll_back",
    "sentences_of_rollback",
]

MOUNTED = "is mounted on its own"
_JOURNAL = f"{WORK_DIRECTORY}/journal/"
# What a run that was killed leaves: its journal, what runs beside, what was staged, what was sent.
_LEFT = ("journal", "boot", "tx", "in.")
_UNREAD = f"{WORK_DIRECTORY}/unread"
_ROLLED_BACK = f"{WORK_DIRECTORY}/rolled_back"
_ID_BYTES = 16
# A run that somebody else is asked for takes as long as one that is waited for.
_PAUSE_SECONDS = 1.0
_TIMES = 600
_MOST_LOSSES = 5


def carry_out(session: HostSession, bundle: Callable[[str], Bundle]) -> ProgramResult:
    """Hand a bundle to the program and return how it ended; `bundle` makes it from letters that no other run has.

    Where the connection breaks, it is asked how it ended; the program goes on without anybody.
    """
    made = bundle(token_hex(_ID_BYTES))
    try:
        return _ask(session, "run", made.id, made.archive)
    except LostError as error:
        return _ended(session, made, error) or _ask(session, "run", made.id, made.archive)


def _ended(session: HostSession, made: Bundle, lost: LostError) -> ProgramResult | None:
    """Return how a run ended of which the connection broke, as soon as it has; None for one that never began.

    The same run may be asked for a second time then: the program knows it by its id.
    """
    # What was sent may be on its way to a program that is just beginning.
    patience, losses, has_begun = 2, 0, False
    for _ in range(_TIMES):
        try:
            result = _ask(session, "result", made.id)
        except LostError as error:
            losses += 1
            if losses > _MOST_LOSSES:
                raise DeployError(f"{lost}, and then: {error}; run again: it says then how it ended") from error
        except UnreachableError as error:
            message = f"{lost}, and then: {error}; what was begun goes on there without anybody"
            raise DeployError(f"{message}; run again: it says then how it ended") from error
        else:
            has_begun |= result.is_at_work
            patience -= not result.is_at_work
            if result.end is not End.UNKNOWN or patience < 0:
                return result if has_begun or result.end is not End.UNKNOWN else None
        sleep(_PAUSE_SECONDS)
    raise DeployError(f"{lost}; the program on the host is still at work; run again later: it says then how it ended")


def recover(session: HostSession) -> str:
    """Have a run that was cut off finished or undone, and say what became of it; empty where it had changed nothing.

    Raises DeployError where somebody else has changed a file since, or where it could not be put back.
    """
    if not any(name.startswith(_LEFT) for name in session.names(f"{WORK_DIRECTORY}/")):
        return ""
    result = _ask(session, "recover", token_hex(_ID_BYTES))
    if result.end in (End.CONFLICT, End.BUSY, End.UNKNOWN, End.REFUSED) or has_open_journal(session):
        raise_failure(result, session.root)
    return sentence_of_recovery(result)


def earlier_states(session: HostSession) -> ProgramResult:
    """Return the states that are kept on a host, and whether it was taken back to one of them by hand.

    Raises DeployError where that cannot be told.
    """
    result = _ask(session, "inspect", "-")
    raise_failure(result, session.root)
    return result


def sentences_of_rollback(session: HostSession) -> list[str]:
    """Return what to know of a host that was taken back by hand; nothing where it was not, or a run has come since."""
    if _ROLLED_BACK not in session.present([_ROLLED_BACK]):
        return []
    number, time = earlier_states(session).rolled_back or ("?", "an unknown time")
    back = f"{session.root} was taken back by `postseal rollback` at {time}, to its earlier state {number}"
    return [f"{back}; `up` brings again what is declared"]


def roll_back(session: HostSession, number: int) -> ProgramResult:
    """Have the host taken back to a kept state, as a transaction of its own; DeployError where it stays as it is."""
    result = _ask(session, "rollback", token_hex(_ID_BYTES), kept=number)
    raise_failure(result, session.root)
    return result


def clear_up(session: HostSession) -> None:
    """Have what the program keeps on a host go, where nothing of ours is left there."""
    work = f"{WORK_DIRECTORY}/"
    if {*session.present([work, MARK_FILE])} == {work}:
        _ask(session, "recover", token_hex(_ID_BYTES))


def prune(session: HostSession, kept: int) -> None:
    """Have earlier states go of which there are more than shall be kept, oldest first, and the note of a rollback."""
    if _ROLLED_BACK in session.present([_ROLLED_BACK]) or len(session.names(f"{WORK_DIRECTORY}/kept/")) > kept:
        raise_failure(_ask(session, "recover", token_hex(_ID_BYTES), kept=kept), session.root)


def has_open_journal(session: HostSession) -> bool:
    """Whether an earlier run was cut off, and is still to be finished or undone."""
    return _JOURNAL in session.present([_JOURNAL])


def has_unread_files(session: HostSession) -> bool:
    """Whether a running Postfix may not have read the files that are there."""
    return _UNREAD in session.present([_UNREAD])


def links_of(session: HostSession) -> dict[str, str]:
    """Return what is not a plain file of its own among main.cf and master.cf, each with words that say what it is."""
    words = {
        "link": "is a symbolic link to {}",
        "mount": MOUNTED,
        "names": "is one of {} names of a file",
    }
    found = _ask(session, "inspect", "-").files
    return {name: words[kind].format(detail) for kind, detail, name in found if kind in words}


def raise_failure(result: ProgramResult, root: str, way_out: str = "") -> None:
    """Raise DeployError unless the host is as declared; `way_out`: what to do about it, where that is known."""
    if failure := failure_of(result, root):
        raise DeployError(f"{failure}; {way_out}" if way_out else failure)
    if faults := [each for each in result.left if ": " in each]:
        raise DeployError(
            f"all is deployed, but not all that is obsolete is removed or noted as gone: {'; '.join(faults)}"
        )


def _ask(
    session: HostSession, verb: str, transaction_id: str, archive: bytes = b"", *, kept: int | None = None
) -> ProgramResult:
    return read_result(session.run_program(request(verb, session.root, transaction_id, archive, kept=kept)))
