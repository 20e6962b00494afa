"""Remove secrets from a stack file before it is validated, to keep them out of messages.

So no later message can hold one. Found are PEM text where none belongs, private keys anywhere, and the values of
secret keys repeated in clear; in the stack file, and in the files that it refers to. The program reads those and hands
their texts in, so that everything that is wrong with them is told with the rest.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pki.other_words import OTHER_WORDS
from postseal.stack.parsing import TooDeep
from postseal_core.bounds import DEEPEST
from postseal_core.errors import Problem
from postseal_core.reading import Raw, join_path
from postseal_core.wording import nearest_hint, shown

__all__ = [
    "NO_FILE",
    "FileText",
    "Screened",
    "declared_files",
    "problems_of_secrets",
    "screen",
    "screen_files",
]

_SHORTEST_SECRET = 8
_OPENS_A_KEY = "private_key_passphrase_secret"
"""Characters of the shortest passphrase that is accepted; a shorter one could not be told from other words either."""

_KEPT_IN_FILE = (
    "a private key or the value of a secret key stands here in clear; make a new one, keep it with "
    "`pulumi config set --secret`, and leave it out here"
)
_PEM_MARK = "-----BEGIN"
_PEM_FIELDS = frozenset({"certificate_pem", "request_pem", "roots_pem", "signed_chain_pem"})
_REFERENCE_SUFFIX = "_secret"

_FILE_FIELDS = ("file", "request_file", "roots_file", "signed_chain_file")
_SECTIONS = ("authority", "authorities", "clients", "rosters", "servers")

_Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Screened:
    """The sections without secrets, with a problem and a path for each removed value."""

    sections: Raw
    problems: tuple[Problem, ...]

    @property
    def unread(self) -> frozenset[str]:
        """Paths of the removed values."""
        return frozenset(problem.path for problem in self.problems)


def screen(raw: Raw, section_names: Collection[str], secret_keys: Collection[str]) -> Screened:
    """Return the sections of the stack file with everything removed that no message may show."""
    secrets = _secret_values(raw, secret_keys)
    problems: list[Problem] = []
    sections = {}
    for name in section_names:
        if name in secret_keys:
            problems.append(Problem(name, _UNREVIEWABLE))
        elif name in raw:
            sections[name] = _cleaned(raw[name], (name,), secrets, problems)
    return Screened(sections, tuple(problems))


def _secret_values(raw: Raw, secret_keys: Collection[str]) -> list[str]:
    """Return the values of secret keys that are long enough to be told from other words."""
    values = (_text_of(raw.get(key)) for key in secret_keys)
    return [value for value in values if len(value) >= _SHORTEST_SECRET]


def _text_of(secret: object) -> str:
    """Return a secret as text, to find repetitions of it elsewhere."""
    return secret if isinstance(secret, str) else shown(secret) if secret else ""


_TOO_DEEP = f"lists and mappings stand within each other more than {DEEPEST} deep; nothing here needs that"
_UNREVIEWABLE = (
    "this section is secret as a whole, so nobody can review it; write it in clear, and keep each passphrase or key "
    "in a secret key of its own, which a field ending in _secret names"
)
_FAULTS = {
    "private key": "a private key stands here in clear; make a new one and keep it with `pulumi config set --secret`",
    "PEM": f"PEM text cannot stand here; it belongs in {', '.join(sorted(_PEM_FIELDS))}",
    "secret": "the value of a secret key is repeated here in clear; leave it out and refer to the secret by name",
}


def _fault(text: str, field: str, secrets: list[str]) -> str | None:
    if "PRIVATE KEY" in text:
        return _FAULTS["private key"]
    if _PEM_MARK in text and field not in _PEM_FIELDS:
        return _FAULTS["PEM"]
    return _FAULTS["secret"] if any(secret in text for secret in secrets) else None


def _cleaned(value: Any, steps: _Steps, secrets: list[str], problems: list[Problem]) -> Any:
    """Remove secrets from a value; findings are added to `problems`."""
    if len(steps) > DEEPEST or isinstance(value, TooDeep):
        problems.append(Problem(join_path(steps[:2]), _TOO_DEEP))
        return None
    if isinstance(value, Mapping):
        return _cleaned_mapping(value, steps, secrets, problems)
    if isinstance(value, list | tuple):
        return [_cleaned(item, (*steps, index), secrets, problems) for index, item in enumerate(value)]
    field = next((step for step in reversed(steps) if isinstance(step, str)), "")
    if fault := _fault(value if isinstance(value, str) else shown(value), field, secrets):
        problems.append(Problem(join_path(steps), fault))
        return None
    return value


def _cleaned_mapping(value: Mapping[Any, Any], steps: _Steps, secrets: list[str], problems: list[Problem]) -> Any:
    cleaned = {}
    for key, item in value.items():
        if fault := _fault(key if isinstance(key, str) else shown(key), "", secrets):
            problems.append(Problem(join_path(steps), f"in the name of a key: {fault}"))
        else:
            name = key if isinstance(key, str) else shown(key)
            cleaned[name] = _cleaned(item, (*steps, name), secrets, problems)
    return cleaned


def problems_of_secrets(
    raw: Raw, sections: Raw, section_names: Collection[str], secret_keys: Collection[str]
) -> list[Problem]:
    """Report references to unusable secret keys, and unknown keys in clear; values are never shown."""
    references = list(_references(sections, ()))
    found = [
        Problem(path, fault)
        for path, key in references
        if (fault := _reference_fault(path, key, raw, section_names, secret_keys))
    ]
    # A secret that nothing refers to yet hurts nobody: it is set before the line that refers to it can be written.
    others = sorted(set(raw) - {*section_names, *secret_keys, *(key for _, key in references)})
    return found + [Problem(key, f"unknown key; {nearest_hint(key, section_names, OTHER_WORDS)}") for key in others]


def _references(value: Any, steps: _Steps) -> Iterator[tuple[str, str]]:
    """Find every `..._secret: KEY`, in whatever section, also in one that is otherwise wrong."""
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for step, item in pairs:
        if isinstance(step, str) and step.endswith(_REFERENCE_SUFFIX) and isinstance(item, str):
            yield join_path((*steps, step)), item
        else:
            yield from _references(item, (*steps, step))


def _reference_fault(
    path: str, key: str, raw: Raw, section_names: Collection[str], secret_keys: Collection[str]
) -> str | None:
    command = f"set it with: pulumi config set --secret {key}"
    if key in section_names:
        return f"{shown(key)} is a section of this file; name a secret key of its own"
    if key not in raw:
        return f"there is no key {shown(key)}; {command}"
    if key not in secret_keys:
        return (
            f"the key {shown(key)} stands in clear; {command}, with a new value, since the old one is in the file's "
            "history"
        )
    # What opens a key that exists is as long as somebody once made it.
    opens_a_key, length = path.endswith(_OPENS_A_KEY), len(_text_of(raw[key]))
    if length < _SHORTEST_SECRET and not (opens_a_key and length):
        few = "is empty" if opens_a_key else f"has fewer than {_SHORTEST_SECRET} characters"
        return f"the value of {shown(key)} {few}; {command}"
    return None


@dataclass(frozen=True, slots=True)
class FileText:
    """A file's text, or why it cannot be read; `fault` goes on after the file's name."""

    text: str = field(default="", repr=False)
    fault: str = ""


NO_FILE = FileText(fault="is not there; paths are relative to the project's directory")
"""What stands for a file that does not exist."""


def declared_files(raw: Raw) -> list[str]:
    """Return the files that a stack file refers to, as it names them; `raw` may be wrong in every way."""
    return list(dict.fromkeys(file for name in _SECTIONS for file in _files(raw.get(name))))


def _files(value: Any, depth: int = 0) -> Iterator[str]:
    if not isinstance(value, Mapping) or depth > DEEPEST:
        return
    for key, item in value.items():
        if key in _FILE_FIELDS and isinstance(item, str):
            yield item
        elif key in _FILE_FIELDS and isinstance(item, Mapping):
            yield from (each for each in item.values() if isinstance(each, str))
        else:
            yield from _files(item, depth + 1)


def screen_files(files: Mapping[str, FileText], raw: Raw, secret_keys: Collection[str]) -> dict[str, FileText]:
    """Return the files; one that contains a secret has a fault instead of its text."""
    secrets = ("PRIVATE KEY", *_secret_values(raw, secret_keys))
    return {name: _screened(each, secrets) for name, each in files.items()}


def _screened(file: FileText, secrets: Sequence[str]) -> FileText:
    position = min((file.text.index(secret) for secret in secrets if secret in file.text), default=None)
    if position is None:
        return file
    line = file.text.count("\n", 0, position) + 1
    return FileText(fault=f"line {line}: {_KEPT_IN_FILE}")
