"""What a preview says about a host: what would change there, in lines for a reviewer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from postfix.deploy.foreseen import Foreseen, lines_of, problems_of
from postfix.deploy.host_files import MAIN_CF, MASTER_CF
from postfix.deploy.lookups import lookups_of
from postfix.effective.comparison import View
from postfix.effective.listeners import values_of_service
from postfix.list_items import split_list
from postseal_core.errors import Problem
from postseal_core.files.tree import FileEntry

__all__ = [
    "ending_in_words",
    "rows_that_go",
    "sentences_of_moved_queue",
    "sentences_of_open_files",
    "sentences_of_preview",
    "sentences_of_restart",
    "sentences_of_unknown",
]

_QUEUE: Final = "queue_directory"
_RESTART: Final = ("inet_interfaces", "inet_protocols")
_SHOWN_ROWS: Final = 3
_LONGEST_VALUE: Final = 200


def sentences_of_preview(foreseen: Foreseen, root: str, names: Iterable[str]) -> list[str]:
    """Return what `up` would do to a host, and why it would refuse to; `names`: the parameters that are ours."""
    refused = [f"up will refuse this: {problem}" for problem in problems_of(foreseen, root)]
    if foreseen.before is None or foreseen.after is None:
        return [*refused, *lines_of(foreseen)]
    changes = [*_changes(foreseen.before, foreseen.after, names)]
    told = [str(Problem(f"{root}/main.cf would change", "; ".join(changes)))] if changes else []
    return [*refused, *told, *lines_of(foreseen), *_reading(foreseen, foreseen.before, foreseen.after)]


def _changes(before: View, after: View, names: Iterable[str]) -> Iterator[str]:
    old, new = (values_of_service(view.configuration, "") for view in (before, after))
    for name in sorted({*names}):
        was, will = " ".join(old[name].split()), " ".join(new[name].split())
        if split_list(was) != split_list(will):
            yield f"{name}: {_shown(was)} -> {_shown(will)}"


def _shown(value: str) -> str:
    return f"{value[:_LONGEST_VALUE]}..." if len(value) > _LONGEST_VALUE else value or "empty"


def _reading(foreseen: Foreseen, before: View, after: View) -> Iterator[str]:
    """Say when Postfix reads what is new."""
    if foreseen.is_running is False:
        yield "no Postfix runs with this configuration; it reads the new files when it is started"
        return
    if foreseen.is_running is None:
        yield "whether Postfix runs with this configuration cannot be told"
    yield from sentences_of_restart(foreseen)
    added = sorted(after.listeners.keys() - before.listeners.keys())
    if added and before.listeners:
        yield f"{', '.join(added)}: a new listener, which a reload opens"


def sentences_of_unknown(
    foreseen: Foreseen, root: str, names: Iterable[str], main_cf: FileEntry | None
) -> Iterator[str]:
    """Say which declared parameters the host's Postfix does not know; `main_cf`: that of the host, as it is.

    postconf(1) prints of a main.cf what a program reads or another value refers to.
    """
    if foreseen.after is None:
        return
    found = re.findall(rb"^([^\s#=]+)\s*=", main_cf.content if main_cf else b"", re.MULTILINE)
    # What others have there is no new fault.
    known = foreseen.after.configuration.written.keys() | {name.decode("utf-8", "replace") for name in found}
    for name in sorted({*names} - known):
        what = "the Postfix of this host does not know this parameter, and no other value refers to it"
        yield f"up will refuse this: {Problem(f'{root}/{MAIN_CF}: {name}', what)}"


def sentences_of_moved_queue(foreseen: Foreseen, root: str) -> Iterator[str]:
    """Say that a queue cannot move below a Postfix that runs."""
    if foreseen.before is None or foreseen.after is None or not foreseen.is_running:
        return
    old, new = (values_of_service(view.configuration, "")[_QUEUE] for view in (foreseen.before, foreseen.after))
    if old != new:
        what = f"{old} -> {new} while Postfix runs; stop it, run `up`, move what is queued, and start it"
        yield f"up will refuse this: {Problem(f'{root}/{MAIN_CF}: {_QUEUE}', what)}"


def ending_in_words(foreseen: Foreseen, *, is_read: bool) -> str:
    """Return what becomes of the running Postfix; `is_read`: it has to read something anew."""
    if not is_read:
        return "Postfix goes on as it is"
    if foreseen.is_running is False:
        return "no Postfix runs there that would read it"
    if any(sentences_of_restart(foreseen)):
        return "Postfix will be stopped and started"
    return "Postfix will be reloaded" if foreseen.is_running else "Postfix will be reloaded, if it runs"


def sentences_of_restart(foreseen: Foreseen) -> Iterator[str]:
    """Say what a reload does not do, if Postfix runs."""
    if foreseen.before is None or foreseen.after is None or foreseen.is_running is False:
        return
    old, new = (values_of_service(view.configuration, "") for view in (foreseen.before, foreseen.after))
    if changed := [name for name in _RESTART if foreseen.before.listeners and old[name] != new[name]]:
        names = ", ".join(changed)
        yield f"{names}: Postfix reads this only when it is started; `up` stops and starts it, and all sessions end"


def sentences_of_open_files(configuration: Mapping[str, FileEntry], root: str) -> Iterator[str]:
    """Warn of a main.cf or master.cf that others may write to: whoever can decides who relays, and what is executed."""
    for name, file in configuration.items():
        if name in (MAIN_CF, MASTER_CF) and file.mode & 0o022:
            path = f"{root}/{name}"
            yield str(Problem(path, f"others than its owner may write to it (mode {file.mode:04o}); chmod go-w {path}"))


def rows_that_go(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Return a line for each table from which rows go; `after`: the tables whose rows are known."""
    return [line for path, source in after.items() if (line := _rows_that_go(path, before.get(path, b""), source))]


def _rows_that_go(path: str, before: bytes, after: bytes) -> str:
    gone = lookups_of(after, before).withdrawn
    if not gone:
        return ""
    labels = {line.split(None, 1)[0]: line for line in before.split(b"\n") if line.strip()}
    first = [_label(labels.get(key, key)) for key in gone[:_SHOWN_ROWS]]
    more = f" and {len(gone) - _SHOWN_ROWS} more" if len(gone) > _SHOWN_ROWS else ""
    rows = "a row goes" if len(gone) == 1 else f"{len(gone)} rows go"
    return str(Problem(path, f"{rows}: {'; '.join(first)}{more}"))


def _label(line: bytes) -> str:
    text = " ".join(line.decode("utf-8", "replace").split())
    return f"{text[:_LONGEST_VALUE]}..." if len(text) > _LONGEST_VALUE else text
