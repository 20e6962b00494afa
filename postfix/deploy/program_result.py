"""What the host program says at its end, as a record and as sentences."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from postseal_core.errors import DeployError, visible

__all__ = [
    "End",
    "Evidence",
    "Fault",
    "KeptState",
    "ProgramResult",
    "failure_of",
    "read_result",
    "sentence_of_recovery",
    "sentences_of_evidence",
]


class End(StrEnum):
    """How a run of the program ended."""

    COMMITTED = "committed"
    RESTORED = "restored"
    REFUSED = "refused"
    CONFLICT = "conflict"
    STUCK = "stuck"
    BUSY = "busy"
    NOTHING = "nothing"
    """There was nothing to recover."""
    UNKNOWN = "unknown"
    """It was cut off; what it has done the next run finds in the journal."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a run did not end as wanted; `text` is the program's, or a command's."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was asked of the host: `kind` server, table or sessions, and the program's own fields."""

    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptState:
    """An earlier state that stays on a host: as it was before the run at `time` (ISO 8601, UTC) of `owner`."""

    number: int
    time: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramResult:
    """The end of one run.

    `reloading`: reloaded, restarted, not_running, no_main_cf, or empty. `recovered`: what became of an earlier run that
    was cut off: forward, undo, finished, conflict, or empty. `left`: what is obsolete and could not be removed, with
    the reason where there is one. `index_digests`: what postmap made, by path. `is_at_work`: an end that is unknown may
    still come. `kept`: the earlier states that stay on the host, the oldest first. `rolled_back`: to which
    of them, by number, and when the host was taken back by hand.
    """

    end: End
    faults: tuple[Fault, ...] = ()
    reloading: str = ""
    recovered: str = ""
    left: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()
    index_digests: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[KeptState, ...] = ()
    rolled_back: tuple[str, str] | None = None
    is_at_work: bool = False

    @property
    def is_changed_meanwhile(self) -> bool:
        """Whether somebody changed a file between the plan and the change, so that a new plan may succeed."""
        return self.end in (End.REFUSED, End.RESTORED) and any(fault.kind == "changed" for fault in self.faults)


def read_result(text: str) -> ProgramResult:
    """Return the record of what the program printed. Raises DeployError for an output that is cut or no result."""
    rows = [line.split("\t") for line in text.splitlines() if line]
    if not rows or rows[-1] != ["complete"]:
        raise DeployError(
            "the program on the host did not say how it ended; run again: what was begun is finished or undone first"
        )
    try:
        return _result_of(rows)
    except (IndexError, ValueError) as error:
        raise DeployError("the program on the host says what nobody can read; see what runs there") from error


def _result_of(rows: list[list[str]]) -> ProgramResult:
    # Whoever has the host can say anything, and some of it goes to a terminal that is no error.
    told = [[visible(field) for field in row] for row in rows if row[0] != "index"]
    return ProgramResult(
        end=next((End(row[1]) for row in told if row[0] == "end" and row[1] in {*End}), End.NOTHING),
        faults=tuple(Fault(row[1], row[2] if len(row) > 2 else "") for row in told if row[0] == "fault"),  # noqa: PLR2004
        reloading=_last(told, "reloading"),
        recovered=_last(told, "recovered"),
        left=tuple(": ".join(row[1:]) for row in told if row[0] == "left"),
        evidence=tuple(Evidence(row[1], tuple(row[2:])) for row in told if row[0] == "evidence"),
        files=tuple((row[1], row[2], row[3]) for row in told if row[0] == "file"),
        index_digests={row[1]: row[2] for row in rows if row[0] == "index"},
        kept=tuple(KeptState(int(row[1]), row[2], row[3]) for row in told if row[0] == "kept"),
        rolled_back=next(((row[1], row[2]) for row in told if row[0] == "rolled_back"), None),
        is_at_work=["working", "yes"] in told,
    )


def _last(rows: list[list[str]], name: str) -> str:
    return next((row[1] for row in reversed(rows) if row[0] == name), "")


_FAULTS: Final = {
    "postconf": "postconf finds fault with the new configuration for {root}: {text}",
    "table": "postmap cannot make {text}",
    "main": "no program of Postfix runs with the main.cf of {root}, so nothing can be proven: {text}; mend that there",
    "lookup": "the table does not answer as declared: {text}",
    "changed": "{text} was changed by somebody else after it was looked at",
    "place": "{text}",
    "trial": "the new configuration was run beside, and does not do what is declared: {text}",
    "running": "it cannot be told whether a Postfix runs with {root}: {text}; see what `postconf -c {root}` says",
    "queue": "queue_directory would go {text} while Postfix runs; stop it, run again, and start it",
    "reload": "postfix -c {root} reload failed, see the mail log: {text}",
    "start": "postfix -c {root} start failed, see the mail log: {text}",
    "died": "{text}; see the mail log",
    "probe": "the running Postfix does not do what is declared: {text}; see the mail log",
    "undo": "not everything could be put back: {text}",
    "stuck": "Postfix does not answer as it did before: {text}",
    "bundle": "the bundle cannot be used: {text}; run again, with one version of Postseal on both sides",
    "missing": "this host lacks {text}; it needs coreutils, util-linux, iproute2, openssl, tar, sed, grep and Postfix",
    "user": "only root may deploy to {root}",
    "state": "no earlier state has the number {text}",
    "lost": (
        "the earlier state {text}: somebody has removed that from {root}/.postseal/kept; go back to a state that is "
        "whole"
    ),
    "changed_since": (
        "{text} was changed by somebody else since, and a rollback would lose that; put it back by hand, or have "
        "`pulumi up` bring what is declared"
    ),
    "conflict": "{text} was changed by somebody else after a run had been cut off, so nothing there is touched",
}

_AFTERWARDS: Final = {
    End.REFUSED: "nothing was changed",
    End.RESTORED: "all files are as they were before, and Postfix answers as it did",
    End.STUCK: "see `postfix -c {root} status` and the mail log, and run again",
    End.CONFLICT: "see that the files are as they should be, remove {root}/.postseal/journal, and run again",
    End.UNKNOWN: "what was begun is finished or undone by the next run; run again",
}


def failure_of(result: ProgramResult, root: str) -> str | None:
    """Return the sentence of a run that did not bring the host to its declaration; None for one that did."""
    if result.end in (End.COMMITTED, End.NOTHING):
        return None
    if result.end is End.BUSY:
        return f"another run is at work on {root}; nothing was changed, try again"
    reasons = "; ".join(_sentences(result, root)) or "the run was cut off"
    return f"{reasons}; {_AFTERWARDS[result.end].format(root=root)}{_way_out(result)}"


def _sentences(result: ProgramResult, root: str) -> Iterator[str]:
    for fault in result.faults:
        if fault.kind == "type":
            table_type, _, text = fault.text.partition(": ")
            yield f"this host cannot make {table_type} tables ({text})"
        else:
            # The text may have braces of its own.
            yield _FAULTS.get(fault.kind, "{text}").format(root=root, text=fault.text)


def _way_out(result: ProgramResult) -> str:
    is_type = any(fault.kind == "type" for fault in result.faults)
    return "; install the package of that table type, or declare texthash" if is_type else ""


_WEAK: Final = {
    "broken": "{} offers TLS and cannot do it, so nothing is known of what it serves; see the mail log",
    "dead": "{} does not answer, and did not before; see the mail log",
}
_SERVER_FIELDS: Final = 3
_SESSIONS_FIELDS: Final = 2


def sentences_of_evidence(evidence: Iterable[Evidence]) -> list[str]:
    """Return what a reader should know of servers and sessions that are not as one would wish, though none is ours."""
    lines = []
    for each in evidence:
        if each.kind == "server" and len(each.fields) >= _SERVER_FIELDS and each.fields[2] in _WEAK:
            lines.append(_WEAK[each.fields[2]].format(each.fields[0]))
        if each.kind == "sessions" and len(each.fields) == _SESSIONS_FIELDS:
            lines += _sentences_of_sessions(*each.fields)
    return lines


def _sentences_of_sessions(cut: str, left: str) -> Iterator[str]:
    if cut != "0":
        sessions, were = ("session", "was") if cut == "1" else ("sessions", "were")
        yield f"{cut} open {sessions}, which still had the rows from before, {were} cut"
    if left != "0":
        what = "open session still has" if left == "1" else "open sessions still have"
        yield f"{left} {what} the rows from before and could not be cut; such a session ends by itself"


_RECOVERIES: Final = {
    "forward": "an earlier run was cut off before Postfix had read the new files; it was finished",
    "undo": "an earlier run was cut off half-way; what it had changed was put back first",
    "finished": "an earlier run was cut off before it had cleared up; it was finished",
}


def sentence_of_recovery(result: ProgramResult) -> str:
    """Return what became of an earlier run that was cut off; empty where there was none."""
    if result.recovered == "forward" and result.end is not End.COMMITTED:
        return "an earlier run was cut off before Postfix had read the new files; they failed, and were put back"
    return _RECOVERIES.get(result.recovered, "")
