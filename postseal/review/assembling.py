"""Put a review together from what both stack files lead to; pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pki.hand_out.records import HandOutInputs
from pki.revocation_list.records import NOT_KNOWN_YET
from postseal.review.certificates import certificate_changes, may_change
from postseal.review.clients import Clients
from postseal.review.hosts import host_reviews
from postseal.review.model import FilesChange, ResourceChange, Review
from postseal.review.runs import Compared
from postseal.review.steps import Operation, Run, Step, short_type
from postseal_core.errors import Problem
from postseal_core.values import MUST_BE_KNOWN, is_unknown, known

__all__ = ["assembled"]

_UNKNOWN: Final = (MUST_BE_KNOWN, NOT_KNOWN_YET)
_SECTIONS: Final = {
    "ClientCertificate": "clients",
    "ClientRoster": "rosters",
    "Pkcs12": "clients",
    "PostfixHost": "hosts",
    "ServerCertificate": "servers",
    "ThirdPartyClientCertificate": "clients",
}
"""Which section of a stack file declares a resource, where it is there under its own name."""


def assembled(compared: Compared, names: tuple[str, str], now: datetime) -> Review:
    """Return the review of what the stack file after leads to; `names`: of project and stack."""
    due, new = compared.due, compared.new
    steps = list(new.steps.values())
    return Review(
        project=names[0],
        stack=names[1],
        at=now,
        hosts=host_reviews(steps, Clients(steps), now),
        certificates=certificate_changes(due.steps, new.steps),
        files=tuple(_files(steps)),
        resources=tuple(
            ResourceChange(each.urn, each.operation.value, tuple(sorted(each.changes)))
            for each in steps
            if each.operation not in (Operation.SAME, Operation.REFUSED)
        ),
        problems=_problems(new),
        before_problems=_problems(due) if due is not new else (),
        notes=tuple(sorted({*new.notes, *_notes(steps)})),
    )


def _problems(run: Run) -> tuple[Problem, ...]:
    """Return what is refused; what is unknown only because something else is refused says nothing beside that."""
    found = sorted({*run.problems, *_refused(run)})
    return tuple([each for each in found if not each.message.startswith(_UNKNOWN)] or found)


def _refused(run: Run) -> Iterator[Problem]:
    """Yield what the plugin would refuse, with its place in the stack file where the resource has one of its own."""
    return (problem.below(_place(step)) for step in run.steps.values() for problem in step.problems)


def _place(step: Step) -> str:
    section = _SECTIONS.get(short_type(step.type))
    return f"{section}.{step.name}" if section else f"{short_type(step.type)} {step.name}"


def _notes(steps: list[Step]) -> Iterator[str]:
    """Yield what the plugin tells beside resources that stay as they are: of others their changes tell it."""
    for step in steps:
        if step.operation is Operation.SAME and not step.is_host:
            yield from step.notes


def _files(steps: list[Step]) -> Iterator[FilesChange]:
    perhaps = {each.name for each in steps if may_change(each)}
    for step in sorted(steps, key=lambda each: each.name):
        if short_type(step.type) != "HandOut" or step.operation in (Operation.SAME, Operation.REFUSED):
            continue
        old = step.before if isinstance(step.before, HandOutInputs) else None
        new = step.after if isinstance(step.after, HandOutInputs) and step.operation is not Operation.DELETE else None
        before, after = (each.content if each else {} for each in (old, new))
        is_moved = bool(old and new and old.directory != new.directory)
        written = [path for path in after if is_moved or is_unknown(after[path]) or before.get(path) != after[path]]
        lines = {path for path in after if old and new and old.folders.get(path) != new.folders.get(path)}
        may = {path for path in written if path.rpartition("/")[2] in perhaps and path not in lines and path in before}
        yield FilesChange(
            step.name,
            directory=(new or old).directory if new or old else "",  # type: ignore[union-attr]
            told={path: known(line) for path, line in (new.folders if new else {}).items() if not is_unknown(line)},
            written=tuple(sorted({*written, *lines} - may)),
            may=tuple(sorted(may)),
            gone=tuple(sorted(before.keys() - after.keys())),
        )
