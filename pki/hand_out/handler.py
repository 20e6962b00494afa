"""The resource `HandOut`: files for persons in a directory of the machine that runs the engine."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pki.hand_out.records import HandOutArgs, HandOutFile, HandOutInputs, HandOutState
from pki.withdrawal import withdrawal_problems
from postseal_core.errors import Problem, refuse
from postseal_core.files.bringing import bring_directory, changed_paths
from postseal_core.files.tree import FileEntry, tree_problems
from postseal_core.packing import json_line
from postseal_core.plugin.claims import claim, place_of, unclaimed
from postseal_core.plugin.diff import Change
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.records import decode, encode
from postseal_core.values import UNKNOWN, Maybe, is_unknown, known

__all__ = ["HandOutHandler"]

_SECRET_MODE = 0o400
_PUBLIC_MODE = 0o644


@dataclass(frozen=True, slots=True)
class _Folder:
    """The files of one folder by name, as they wait in memory for what writes them."""

    files: Mapping[str, HandOutFile]


class HandOutHandler(HandlerBase[HandOutArgs, HandOutInputs, HandOutState]):
    """Writes the folders whose content changed, removes what is no longer declared, leaves everything else alone."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:HandOut",)
    args = HandOutArgs
    inputs = HandOutInputs
    state = HandOutState

    def check(self, request: CheckRequest[HandOutArgs, HandOutInputs], context: Context) -> HandOutInputs:
        """Hold the files in memory; the inputs keep a line and a digest for each folder."""
        new = request.new
        refuse([*_file_problems(new), *tree_problems(_places(new)), *withdrawal_problems(new.withdrawal)])
        claim(context, place_of(new.directory), [entry.path for entry in _places(new)])
        content = {folder: _hold(files, context) for folder, files in new.folders.items()}
        return HandOutInputs(directory=new.directory, folders=new.descriptions, content=content)

    def diff(self, old: HandOutInputs, state: HandOutState, new: HandOutInputs, changes: Changes) -> Changes:
        """Show a folder's digest only where its line says nothing of the change; find what was changed outside."""
        del old, new
        if not changes and changed_paths(state.directory, _owned(state)):
            return {"content": Change.UPDATE}
        explained = {path.replace("folders", "content", 1) for path in changes if path.startswith("folders")}
        return {path: change for path, change in changes.items() if path not in explained}

    def id_of(self, inputs: HandOutInputs) -> str:
        """Return the directory."""
        return inputs.directory

    def create(self, inputs: HandOutInputs, context: Context, *, is_preview: bool) -> HandOutState:
        """Write everything."""
        return _write(inputs, {}, context, is_preview=is_preview)

    def update(self, old: HandOutState, inputs: HandOutInputs, context: Context, *, is_preview: bool) -> HandOutState:
        """Write what changed; after a change of the directory, write it all there and empty the old one of ours."""
        _report_changed_outside(old, context)
        place = place_of(inputs.directory)
        if place == place_of(old.directory):
            return _write(inputs, unclaimed(context, place, _owned(old)), context, is_preview=is_preview)
        state = _write(inputs, {}, context, is_preview=is_preview)
        if not is_preview:
            self.delete(old, context)
        return state

    def delete(self, state: HandOutState, context: Context) -> None:
        """Remove the files that are ours, except what is declared elsewhere by now."""
        bring_directory(state.directory, [], unclaimed(context, place_of(state.directory), _owned(state)))


def _file_problems(new: HandOutArgs) -> Iterator[Problem]:
    for folder, files in new.folders.items():
        for name, file in files.items():
            if (file.text is None) == (file.base64 is None):
                yield Problem(f"folders.{folder}.{name}", "expected exactly one of `text` and `base64`")
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
    """Return where each file goes, without its content, which a preview may not know yet."""
    return [
        FileEntry(f"{folder}/{name}", b"", _mode(file))
        for folder, files in new.folders.items()
        for name, file in files.items()
    ]


def _hold(files: Mapping[str, HandOutFile], context: Context) -> Maybe[str]:
    """Keep the files of a folder for this run and return their digest; unknown while one of them is."""
    if any(is_unknown(file.text) or is_unknown(file.base64) for file in files.values()):
        return UNKNOWN
    return context.material.put(json_line(encode(_Folder(files))))


def _write(inputs: HandOutInputs, owned: Mapping[str, str], context: Context, *, is_preview: bool) -> HandOutState:
    if is_preview:
        return HandOutState(directory=inputs.directory)
    entries = [entry for folder, reference in inputs.content.items() for entry in _entries(folder, reference, context)]
    return HandOutState(directory=inputs.directory, files=bring_directory(inputs.directory, entries, owned))


def _entries(folder: str, reference: Maybe[str], context: Context) -> Iterator[FileEntry]:
    held = decode(_Folder, json.loads(context.material.get(known(reference))))
    for name, file in held.files.items():
        yield FileEntry(f"{folder}/{name}", _content(file), _mode(file))


def _content(file: HandOutFile) -> bytes:
    if file.base64 is not None:
        return base64.b64decode(known(file.base64))
    return b"" if file.text is None else known(file.text).encode()


def _mode(file: HandOutFile) -> int:
    return _SECRET_MODE if file.is_secret else _PUBLIC_MODE


def _owned(state: HandOutState) -> Mapping[str, str]:
    """Return what is ours below the directory: path -> digest."""
    return known(state.files)


def _report_changed_outside(old: HandOutState, context: Context) -> None:
    paths = changed_paths(old.directory, _owned(old))
    if paths:
        others = f" and {len(paths) - 1} more" if paths[1:] else ""
        context.report(f"{paths[0]}{others} changed or removed by somebody else; as declared again")
