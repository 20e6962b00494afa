"""The audit's edge: reads a configuration directory of this machine, or a copy of one; nothing is changed."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from postfix.audit.judgement import Audit, settled
from postfix.audit.own_reading import RELEASE_OF_DEFAULTS, configuration_of_files
from postfix.audit.record import HostRecord, Wanted
from postfix.effective.captures import CALLS, Captures, Said, configuration_of
from postfix.parameters import PostfixVersion
from postfix.public_file import pem_blocks
from postseal.audit.asking import Asker, program
from postseal.audit.files import FileReader, complaint_about, is_of_root_alone, read_bounded
from postseal_core.errors import PostsealError

__all__ = ["AuditError", "audit_directory", "version_of"]

_SECONDS: Final = 9.0
"""For everything; what could not be asked until then is told as not seen."""
_CALL_SECONDS: Final = 6.0
_LEAST_SECONDS: Final = 0.1
_LARGEST_TEXT: Final = 4 * 1024 * 1024
_LARGEST_SAID: Final = 8 * 1024 * 1024
_MOST_FILES: Final = 2000
_DEEPEST: Final = 4
_LARGEST_CERTIFICATE: Final = 64 * 1024
_ENDINGS: Final = (".pem", ".crt", ".cer", ".cert")
_ENCODING: Final = ("utf-8", "surrogateescape")
_OWN_PLACES: Final = ("/etc/postfix", "/usr/local/etc/postfix", "/opt/homebrew/etc/postfix")
_USUAL: Final = "/etc/postfix"


class AuditError(PostsealError):
    """A directory cannot be read as that of a Postfix host."""


def audit_directory(directory: Path, copy_of: str, now: datetime) -> tuple[HostRecord, Audit]:
    """Read a directory and judge it at an aware instant.

    Args:
        directory: That of main.cf and master.cf.
        copy_of: The directory of another host that it is a copy of; empty if it is that of a Postfix here.
        now: When the audit is meant for.

    Raises:
        AuditError: There is no main.cf that can be read.
    """
    stop_at = time.monotonic() + _SECONDS
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - links of the directory stay as Postfix is told of them
    if _is_copy(place, copy_of):
        _require_below(place)
    main_cf = _text(place / "main.cf", is_needed=True)
    master_cf = _text(place / "master.cf", is_needed=False)
    record = _base(place, copy_of.rstrip("/"), main_cf, master_cf, stop_at)
    reader = FileReader(place, record.root, is_copy=record.is_copy)
    asker = Asker(place, record.root, is_live=_is_live(record), is_copy=record.is_copy, stop_at=stop_at)
    return settled(record, now, lambda known, wanted: _with(known, wanted, reader, asker))


def _is_live(record: HostRecord) -> bool:
    """Return whether what the configuration names may be opened by programs of Postfix, which may load libraries."""
    return not record.is_copy and is_of_root_alone(Path(record.root))


def _is_copy(place: Path, copy_of: str) -> bool:
    return bool(copy_of) or not (is_of_root_alone(place) or str(place) in _OWN_PLACES)


def _require_below(place: Path) -> None:
    """Let no link of a copy, which may be a stranger's, have root read another file here and quote it."""
    top = os.path.realpath(place)
    for name in ("main.cf", "master.cf"):
        if not Path(os.path.realpath(place / name)).is_relative_to(top):
            raise AuditError(f"{place / name} is a link that leads out of the copy: put the file itself there")


def _text(path: Path, *, is_needed: bool) -> str:
    try:
        content = read_bounded(path, _LARGEST_TEXT + 1)
    except OSError as error:
        if is_needed:
            reason = error.strerror or "it is no file"
            raise AuditError(f"{path} cannot be read ({reason}): name the directory of main.cf") from error
        return ""
    if len(content) > _LARGEST_TEXT:
        raise AuditError(f"{path} has more than {_LARGEST_TEXT // 2**20} MiB: this is no configuration of Postfix")
    return content.decode(*_ENCODING)


def _base(place: Path, copy_of: str, main_cf: str, master_cf: str, stop_at: float) -> HostRecord:
    is_copy = _is_copy(place, copy_of)
    root = copy_of or (_USUAL if is_copy else str(place))
    captures, not_seen = _captures(place, root, stop_at, is_copy=is_copy)
    configuration = configuration_of_files(main_cf, master_cf, root) if captures is None else None
    record = HostRecord(
        directory=str(place),
        root=root,
        captures=captures,
        main_cf=main_cf,
        master_cf=master_cf,
        is_root=os.geteuid() == 0,
        is_copy=is_copy,
        addresses=None if is_copy else _addresses(),
        certificates=dict(_certificates(place)),
        complaints={} if is_copy else dict(_complaints(place)),
        not_seen=tuple(not_seen),
    )
    if is_copy:
        record = replace(record, not_seen=(*record.not_seen, _sentence_of_copy(place, root)))
    elif not is_of_root_alone(place):
        reason = "others than root can change this directory, so its tables are not opened here"
        record = replace(record, not_seen=(*record.not_seen, reason))
    if configuration is not None:
        return replace(record, configuration=configuration)
    return record if is_copy else replace(record, version=version_of(record))


def _sentence_of_copy(place: Path, root: str) -> str:
    return f"{place} is read as a copy of {root} of another host: nothing outside of it is looked at"


def _captures(place: Path, root: str, stop_at: float, *, is_copy: bool) -> tuple[Captures | None, list[str]]:
    """Ask postconf(1), all calls at once: each waits two seconds where main.cf is younger than that."""
    postconf = program("postconf")
    if postconf is None:
        reason = f"there is no postconf here: defaults are taken from Postfix {RELEASE_OF_DEFAULTS}"
        return None, [reason]
    processes = {
        name: subprocess.Popen(
            [postconf, "-c", str(place), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"LC_ALL": "C"},
        )
        for name, options in CALLS.items()
        # Of a copy, this machine can say what stands in the files, but not what another Postfix can do.
        if not is_copy or name != "map_types"
    }
    said = {name: _said(process, stop_at) for name, process in processes.items()}
    return Captures(directory=str(place), root=root, **said), []


def _said(process: subprocess.Popen[bytes], stop_at: float) -> Said:
    with process:
        try:
            out, err = process.communicate(timeout=max(stop_at - time.monotonic(), _LEAST_SECONDS))
        except subprocess.TimeoutExpired:
            process.kill()
            return Said(1, "", "it did not answer in time")
    return Said(process.returncode, *(text[:_LARGEST_SAID].decode(*_ENCODING) for text in (out, err)))


def version_of(record: HostRecord) -> PostfixVersion | None:
    """Return the release that postconf(1) told; None where it did not."""
    text = configuration_of(record.captures).parameters.get("mail_version", "") if record.captures else ""
    try:
        return PostfixVersion.from_text(".".join(text.partition("-")[0].split(".")[:2]))
    except ValueError:
        return None


def _addresses() -> frozenset[str] | None:
    command = program("ip")
    if command is None:
        return None
    try:
        done = subprocess.run([command, "-o", "addr", "show"], capture_output=True, timeout=_CALL_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    rows = (line.split() for line in done.stdout.decode(errors="replace").splitlines())
    return frozenset(row[3].partition("/")[0].lower() for row in rows if row[2:3] in (["inet"], ["inet6"]))


def _certificates(place: Path) -> Iterator[tuple[str, str]]:
    """Yield certificates that lie about below a directory, without any key."""
    left = _MOST_FILES
    for directory, names, files in os.walk(place):
        depth = len(Path(directory).relative_to(place).parts)
        names[:] = [] if depth >= _DEEPEST else sorted(name for name in names if not name.startswith("."))
        for name in sorted(each for each in files if each.endswith(_ENDINGS))[: max(left, 0)]:
            left -= 1
            path = Path(directory, name)
            if pem := _certificates_in(path):
                yield str(path), pem


def _certificates_in(path: Path) -> str:
    try:
        content = read_bounded(path, _LARGEST_CERTIFICATE)
    except OSError:
        return ""
    blocks = pem_blocks(content.decode("ascii", "replace"))
    return "\n".join(block for label, block in blocks if label == "CERTIFICATE" and block)


def _complaints(place: Path) -> Iterator[tuple[str, str]]:
    for path in (place, place / "main.cf", place / "master.cf"):
        if complaint := complaint_about(path):
            yield str(path), complaint


def _with(record: HostRecord, wanted: Wanted, reader: FileReader, asker: Asker) -> HostRecord:
    """Return the record with what was wanted; all of it is answered, if only with what is not known."""
    tables = {name: reader.table(name) for name in wanted.tables}
    listing = () if record.is_copy else (name.partition(":")[2] for name in wanted.tables & wanted.listing)
    complaints = {path: text for path in listing if (text := complaint_about(Path(path)))}
    return replace(
        record,
        files={**record.files, **{path: reader.file(path) for path in wanted.files}},
        tables={**record.tables, **tables},
        answers={**record.answers, **asker.answers(wanted.questions)},
        complaints={**record.complaints, **complaints},
    )
