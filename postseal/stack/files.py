"""Files that a stack file refers to: which they are, and what must not be taken from them.

The program reads them and hands their texts in, so that everything that is wrong with them is told with the rest.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from postseal.stack.screening import KEPT_IN_FILE, secret_values

__all__ = ["NO_FILE", "FileText", "declared_files", "screen_files"]

_FILE_FIELDS = ("file", "signed_chain_file")
_SECTIONS = ("rosters", "servers")


@dataclass(frozen=True, slots=True)
class FileText:
    """What a file holds, or why it cannot be read; `fault` goes on after the file's name."""

    text: str = field(default="", repr=False)
    fault: str = ""


NO_FILE = FileText(fault="is not there; paths are relative to the project's directory")
"""What stands for a file that does not exist."""


def declared_files(raw: Mapping[str, Any]) -> list[str]:
    """Return the files that a stack file refers to, as it names them; `raw` may be wrong in every way."""
    return list(dict.fromkeys(file for name in _SECTIONS for file in _files(raw.get(name))))


def _files(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        if key in _FILE_FIELDS and isinstance(item, str):
            yield item
        else:
            yield from _files(item)


def screen_files(
    files: Mapping[str, FileText], raw: Mapping[str, Any], secret_keys: Collection[str]
) -> dict[str, FileText]:
    """Return the files; one in which something stands that no message may show has a fault instead of its text."""
    secrets = ("PRIVATE KEY", *secret_values(raw, secret_keys))
    return {name: _screened(each, secrets) for name, each in files.items()}


def _screened(file: FileText, secrets: Sequence[str]) -> FileText:
    position = min((file.text.index(secret) for secret in secrets if secret in file.text), default=None)
    if position is None:
        return file
    line = file.text.count("\n", 0, position) + 1
    return FileText(fault=f"line {line}: {KEPT_IN_FILE}")
