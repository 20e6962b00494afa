"""The audit's edge for a host elsewhere: everything is asked of the host program, which changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from postfix.audit.judgement import Audit, settled
from postfix.audit.record import HostRecord, SeenTable, Wanted
from postfix.deploy.bundle import request
from postfix.deploy.foresight_form import HostSaid, answers_in, archive_of, is_asked_on_host, read_said
from postfix.deploy.host_files import MAIN_CF, MASTER_CF
from postfix.deploy.session import HostSession
from postfix.effective.visitors import Answer, Question
from postfix.public_file import PublicFile
from postseal.audit.gathering import AuditError, version_of
from postseal_core.files.tree import OF_ANOTHER, FileEntry

__all__ = ["audit_host"]

_OTHERS_WRITE: Final = 0o022
_ENCODING: Final = ("utf-8", "surrogateescape")
_NOT_LOOKED_FOR: Final = (
    "only files that the configuration names are looked at on another machine: not when a table was changed, nor which "
    "certificates lie beside"
)


def audit_host(session: HostSession, now: datetime) -> tuple[HostRecord, Audit]:
    """Ask a host and judge it at an aware instant.

    Args:
        session: The way to its configuration directory.
        now: When the audit is meant for.

    Raises:
        AuditError: There is no main.cf that can be read.
        DeployError: The host cannot be reached, or does not answer.
    """
    return settled(_base(session), now, partial(_with, session=session))


def _base(session: HostSession) -> HostRecord:
    files = {name: file for name in (MAIN_CF, MASTER_CF) if (file := session.read(name))}
    if MAIN_CF not in files:
        raise AuditError(f"{session.root}/{MAIN_CF} is not there: name the directory of main.cf")
    said = _said(session)
    record = HostRecord(
        directory=session.root,
        root=session.root,
        captures=said.live,
        addresses=said.addresses or None,
        complaints=dict(_complaints(session, files)),
        not_seen=(_NOT_LOOKED_FOR,),
        main_cf=files[MAIN_CF].content.decode(*_ENCODING),
        master_cf=files[MASTER_CF].content.decode(*_ENCODING) if MASTER_CF in files else "",
    )
    return replace(record, version=version_of(record))


def _said(session: HostSession) -> HostSaid:
    return read_said(session.ask_program(request("foresee", session.root, "-", archive_of({}))), session.root)


def _complaints(session: HostSession, files: dict[str, FileEntry]) -> Iterator[tuple[str, str]]:
    """Yield why others than root decide what a file says."""
    digests = session.present(files)
    for name, file in files.items():
        if digests.get(name, "").endswith(OF_ANOTHER):
            yield f"{session.root}/{name}", "it belongs to another user than root"
        elif file.mode & _OTHERS_WRITE:
            yield f"{session.root}/{name}", f"others than root may write it (mode {file.mode:04o})"


def _with(record: HostRecord, wanted: Wanted, session: HostSession) -> HostRecord:
    """Return the record with what was wanted; all of it is answered, if only with what is not known."""
    return replace(
        record,
        files={**record.files, **{path: _file(session, path) for path in wanted.files}},
        tables={**record.tables, **{name: _table(session, name) for name in wanted.tables}},
        answers={**record.answers, **_answers(session, wanted.questions)},
    )


def _file(session: HostSession, path: str) -> PublicFile:
    is_plain = path.startswith("/") and not {"\n", "\t", "\0"} & {*path}
    return session.read_public(path) if is_plain else PublicFile(path, is_hidden=True)


def _table(session: HostSession, name: str) -> SeenTable:
    """Return the rows of a table below the configuration directory; no other file may be read there."""
    _, _, path = name.partition(":")
    relative = path.removeprefix(f"{session.root}/")
    if relative == path or {"\n", "\t", "\0"} & {*path} or ".." in path.split("/"):
        return SeenTable(is_hidden=path.startswith("/"))
    if relative not in session.present([relative]):
        return SeenTable()
    file = session.read(relative)
    return SeenTable(source=file.content.decode(*_ENCODING), has_source=True) if file else SeenTable(is_hidden=True)


def _answers(session: HostSession, questions: frozenset[Question]) -> dict[Question, Answer]:
    asked = {question for question in questions if is_asked_on_host(question)}
    found = dict.fromkeys(questions, Answer.UNKNOWN)
    if asked:
        output = session.ask_program(request("foresee", session.root, "-", archive_of({}, {"live": asked})))
        found |= answers_in(output, {"live": asked}, session.root)["live"]
    return found
