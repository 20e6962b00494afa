"""The resource `HandOut`: files for people in a directory on the machine that runs the engine."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pki.hand_out.mail_text import mail_text
from pki.hand_out.records import HandOutArgs, HandOutFile, HandOutInputs, HandOutState
from pki.withdrawal import withdrawal_problems
from postseal_core.errors import Problem, refuse
from postseal_core.files.bringing import (
    bring_directory,
    changed_paths,
    foresee_directory,
    problems_of_directory,
    release_directory,
)
from postseal_core.files.place_names import problems_of_take_over
from postseal_core.files.tree import FileEntry, tree_problems
from postseal_core.folding import folded
from postseal_core.packing import json_line
from postseal_core.plugin.claims import bringer_of, claim, place_of, unclaimed
from postseal_core.plugin.diff import CHANGED_OUTSIDE, Change, compare, member_of
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.records import decode, encode
from postseal_core.values import UNKNOWN, Maybe, is_unknown, known

__all__ = ["HandOutHandler"]

_SECRET_MODE = 0o400
_PUBLIC_MODE = 0o644
_OTHER_FORMS = 2


@dataclass(frozen=True, slots=True)
class _Folder:
    """The files of one folder by name, kept in memory between Check and Create or Update."""

    files: Mapping[str, HandOutFile]


@dataclass(frozen=True, slots=True)
class _Paths:
    """The paths of all files of a hand-out, even if a preview does not know their content yet."""

    paths: tuple[str, ...]


class HandOutHandler(HandlerBase[HandOutArgs, HandOutInputs, HandOutState]):
    """Writes the folders whose content changed, removes what is no longer declared, leaves everything else alone."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:HandOut",)
    args = HandOutArgs
    inputs = HandOutInputs
    state = HandOutState

    def check(self, request: CheckRequest[HandOutArgs, HandOutInputs], context: Context) -> HandOutInputs:
        """Keep the files in memory; the inputs hold only a line and a digest for each folder."""
        new = request.new
        refuse([*_file_problems(new), *tree_problems(_places(new)), *withdrawal_problems(new.withdrawal)])
        paths = [entry.path for entry in _places(new)]
        refuse(
            [
                *([] if context.is_review else problems_of_directory("directory", new.directory)),
                *problems_of_take_over("take_over", new.take_over, paths),
            ]
        )
        claim(context, place_of(new.directory), paths)
        context.memory.put(_Paths, context.urn, _Paths(tuple(paths)))
        content = {folder: _hold(files, context) for folder, files in new.folders.items()}
        inputs = HandOutInputs(
            directory=new.directory, folders=new.descriptions, content=content, take_over=new.take_over
        )
        return replace(inputs, changes=_changes(request.old, inputs)) if request.old else inputs

    def diff(self, old: HandOutInputs, state: HandOutState, new: HandOutInputs, changes: Changes) -> Changes:
        """Show what differs; detect files changed outside of Pulumi."""
        shown = self.shown(old, state, new, changes)
        if not shown and changed_paths(state.directory, _owned(state)):
            return {CHANGED_OUTSIDE: Change.UPDATE}
        return shown

    def shown(self, old: HandOutInputs, state: HandOutState, new: HandOutInputs, changes: Changes) -> Changes:
        """Show folders that change alike in one line."""
        del old, state
        others = {path: change for path, change in changes.items() if member_of(path) != "changes"}
        if not others:
            return {}
        shown = {path: change for path, change in others.items() if member_of(path) not in ("folders", "content")}
        return {**shown, **compare({"changes": {}}, {"changes": new.changes})} or others

    def id_of(self, inputs: HandOutInputs) -> str:
        """Return the directory."""
        return inputs.directory

    def create(self, inputs: HandOutInputs, context: Context, *, is_preview: bool) -> HandOutState:
        """Write everything."""
        return _write(inputs, {}, context, is_preview=is_preview)

    def update(self, old: HandOutState, inputs: HandOutInputs, context: Context, *, is_preview: bool) -> HandOutState:
        """Write changed files; after a change of directory, write all of them and remove ours from the old one."""
        _report_changed_outside(old, context)
        place = place_of(inputs.directory)
        if place == place_of(old.directory):
            return _write(inputs, unclaimed(context, place, _owned(old)), context, is_preview=is_preview)
        state = _write(inputs, {}, context, is_preview=is_preview)
        if not is_preview:
            self.delete(old, context)
        return state

    def delete(self, state: HandOutState, context: Context) -> None:
        """Remove files that the directory's mark lists as ours, except those that another resource declares now."""
        owned = unclaimed(context, place_of(state.directory), _owned(state))
        release_directory(state.directory, owned, bringer_of(context))


def _changes(old: HandOutInputs, new: HandOutInputs) -> dict[str, str]:
    """Return the folders that change, by what happens to them."""
    names = sorted({*old.folders, *new.folders, *old.content, *new.content})
    return folded({name: sentence for name in names if (sentence := _sentence(name, old, new))})


def _sentence(folder: str, old: HandOutInputs, new: HandOutInputs) -> str:
    if folder not in new.folders:
        return "will be removed"
    before, after = old.folders.get(folder), new.folders[folder]
    line = "what `up` makes" if is_unknown(after) else known(after)
    if before is None:
        return f"new: {line}"
    if before != after:
        return f"{line}; before: {'unknown' if is_unknown(before) else known(before)}"
    is_same = new.content[folder] == old.content.get(folder) and not is_unknown(new.content[folder])
    return "" if is_same else f"written anew: {line}"


def _file_problems(new: HandOutArgs) -> Iterator[Problem]:
    for folder, files in new.folders.items():
        for name, file in files.items():
            if [file.text, file.base64, file.mail].count(None) != _OTHER_FORMS:
                yield Problem(f"folders.{folder}.{name}", "expected exactly one of `text`, `base64` and `mail`")
            elif not _is_base64(file.base64):
                yield Problem(
                    f"folders.{folder}.{name}.base64", "got another text, expected base64 (RFC 4648 section 4)"
                )


def _is_base64(text: Maybe[str] | None) -> bool:
    try:
        return text is None or is_unknown(text) or base64.b64decode(text, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


def _places(new: HandOutArgs) -> list[FileEntry]:
    """Return path and mode of each file, without content, which a preview may not know yet."""
    return [
        FileEntry(f"{folder}/{name}", b"", _mode(file))
        for folder, files in new.folders.items()
        for name, file in files.items()
    ]


def _hold(files: Mapping[str, HandOutFile], context: Context) -> Maybe[str]:
    """Keep the files of a folder for this run and return their digest; unknown while one of them is."""
    if not all(map(_is_known, files.values())):
        return UNKNOWN
    return context.material.put(json_line(encode(_Folder(files))))


def _write(inputs: HandOutInputs, owned: Mapping[str, str], context: Context, *, is_preview: bool) -> HandOutState:
    bringer = bringer_of(context, inputs.take_over)
    if is_preview:
        checked = context.memory.get(_Paths, context.urn) or _Paths(())
        foresee_directory(inputs.directory, checked.paths, owned, bringer)
        return HandOutState(directory=inputs.directory)
    entries = [entry for folder, reference in inputs.content.items() for entry in _entries(folder, reference, context)]
    return HandOutState(directory=inputs.directory, files=bring_directory(inputs.directory, entries, owned, bringer))


def _entries(folder: str, reference: Maybe[str], context: Context) -> Iterator[FileEntry]:
    held = decode(_Folder, json.loads(context.material.get(known(reference))))
    for name, file in held.files.items():
        yield FileEntry(f"{folder}/{name}", _content(file), _mode(file))


def _is_known(file: HandOutFile) -> bool:
    return not is_unknown(file.text) and not is_unknown(file.base64) and (file.mail is None or file.mail.is_known)


def _content(file: HandOutFile) -> bytes:
    if file.mail is not None:
        return mail_text(file.mail).encode()
    if file.base64 is not None:
        return base64.b64decode(known(file.base64))
    return b"" if file.text is None else known(file.text).encode()


def _mode(file: HandOutFile) -> int:
    return _SECRET_MODE if file.is_secret else _PUBLIC_MODE


def _owned(state: HandOutState) -> Mapping[str, str]:
    """Return the files that this hand-out wrote: path -> digest."""
    return known(state.files)


def _report_changed_outside(old: HandOutState, context: Context) -> None:
    paths = changed_paths(old.directory, _owned(old))
    if paths:
        others = f" and {len(paths) - 1} more" if paths[1:] else ""
        context.report(f"{paths[0]}{others} changed or removed by somebody else; as declared again")
