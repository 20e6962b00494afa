"""The resource `HandOut`: files for persons in a directory of the machine that runs the engine."""

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pki.handlers.withdrawal import withdrawal_problems
from postseal_core.errors import Problem
from postseal_core.files.bringing import bring_directory, changed_paths
from postseal_core.files.tree import FileEntry, tree_problems
from postseal_core.plugin.claims import claim, place_of, unclaimed
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import UNKNOWN, Properties, contains_unknown

__all__ = ["HandOutHandler"]

_SECRET_MODE = 0o400
_PUBLIC_MODE = 0o644


class HandOutHandler(HandlerBase):
    """Writes the folders whose content changed, removes what is no longer declared, leaves everything else alone."""

    type_token: ClassVar[str] = "postseal:index:HandOut"

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Hold the files in memory; the inputs keep a line and a digest for each folder."""
        new = request.new
        content = {
            folder: UNKNOWN if contains_unknown(files) else context.material.put(json.dumps(files, sort_keys=True))
            for folder, files in new["folders"].items()
        }
        problems = _problems(new)
        if problems:
            return Checked({}, tuple(problems))
        place = place_of(new["directory"])
        claim(context, place, [f"{folder}/{name}" for folder, files in new["folders"].items() for name in files])
        return Checked({"directory": new["directory"], "folders": new["descriptions"], "content": content})

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Mapping[str, Change]:
        """Show a folder's digest only where its line says nothing of the change; find what was changed outside."""
        changes = compare(old_inputs, new_inputs)
        if not changes and changed_paths(old_outputs["directory"], old_outputs["files"]):
            return {"content": Change.UPDATE}
        explained = {path.replace("folders", "content", 1) for path in changes if path.startswith("folders")}
        return {path: change for path, change in changes.items() if path not in explained}

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Write everything."""
        return Created(inputs["directory"], self._write(inputs, {}, context, is_preview=is_preview))

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Write what changed; after a change of the directory, write it all there and empty the old one of ours."""
        del id
        _report_changed_outside(old_outputs, context)
        if place_of(old_outputs["directory"]) == place_of(inputs["directory"]):
            owned = unclaimed(context, place_of(inputs["directory"]), old_outputs["files"])
            return self._write(inputs, owned, context, is_preview=is_preview)
        outputs = self._write(inputs, {}, context, is_preview=is_preview)
        if not is_preview:
            _leave(old_outputs, context)
        return outputs

    def delete(self, id: str, outputs: Properties, context: Context) -> None:
        """Remove the files that are ours, except what is declared elsewhere by now."""
        del id
        _leave(outputs, context)

    def _write(
        self, inputs: Properties, owned: Mapping[str, str], context: Context, *, is_preview: bool
    ) -> dict[str, Any]:
        outputs = {"directory": inputs["directory"]}
        if is_preview:
            return outputs | {"files": UNKNOWN}
        entries = [entry for folder, ref in inputs["content"].items() for entry in _entries(folder, ref, context)]
        return outputs | {"files": bring_directory(inputs["directory"], entries, owned)}


def _problems(new: Properties) -> list[Problem]:
    entries = [
        FileEntry(f"{folder}/{name}", b"", _mode(file))
        for folder, files in new["folders"].items()
        for name, file in files.items()
    ]
    return [*tree_problems(entries), *withdrawal_problems(new)]


def _leave(outputs: Properties, context: Context) -> None:
    directory = outputs["directory"]
    bring_directory(directory, [], unclaimed(context, place_of(directory), outputs["files"]))


def _report_changed_outside(outputs: Properties, context: Context) -> None:
    paths = changed_paths(outputs["directory"], outputs["files"])
    if paths:
        others = f" and {len(paths) - 1} more" if paths[1:] else ""
        context.report(f"{paths[0]}{others} changed or removed by somebody else; as declared again")


def _entries(folder: str, reference: str, context: Context) -> list[FileEntry]:
    files: dict[str, dict[str, Any]] = json.loads(context.material.get(reference))
    return [FileEntry(f"{folder}/{name}", _content(file), _mode(file)) for name, file in files.items()]


def _content(file: Mapping[str, Any]) -> bytes:
    return base64.b64decode(file["base64"]) if "base64" in file else str(file["text"]).encode()


def _mode(file: Mapping[str, Any]) -> int:
    return _SECRET_MODE if file.get("is_secret") else _PUBLIC_MODE
