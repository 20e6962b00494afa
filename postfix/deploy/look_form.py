"""What is asked of the host program when it is to look around on another machine, and what it says, as values."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from postfix.deploy.program_result import failure_of, read_result
from postfix.public_file import FAULTS, PublicFile, public_file
from postseal_core.errors import DeployError
from postseal_core.files.tree import OF_ANOTHER, FileEntry, digest

__all__ = ["Look", "Seen", "read_look", "read_values", "request_of_look", "request_of_mark", "unread_text"]

_TEXT_MARK: Final = "="
"""Stands behind each text, so that an empty one is no empty field."""
_NO_TEXT: Final = "!"
_NOTHING: Final = "-"
_REASONS: Final[Mapping[str, str]] = {
    "private": "only its owner may read it, and nothing that is private leaves a host",
    "key": "it holds a private key, which never leaves a host",
    "large": "it has more than 64 MiB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is asked of one place: whether paths exist, what is in some, what directories hold, and PEM files."""

    place: str
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    pem_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the program said: its own digest, digests of what exists by path, files by path, and names by directory.

    `unread`: by path, why the content of a file is not told. A path that was asked for and is nowhere does not exist.
    """

    program_sha256: str
    present: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, list[str]] = field(default_factory=dict)
    pem_files: Mapping[str, PublicFile] = field(default_factory=dict)


def request_of_look(root: str, look: Look) -> bytes:
    """Return what the program reads for the verb `look`; `root`: the configuration directory."""
    lines = (
        f"POSTSEAL1 look - - {root}",
        *(f"at\t{look.place}\t{path}" for path in look.paths if path not in look.texts),
        *(f"text\t{look.place}\t{path}" for path in look.texts),
        *(f"names\t{look.place}\t{path}" for path in look.directories),
        *(f"pem\t{path}" for path in look.pem_files),
        "done",
    )
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def request_of_mark(root: str, transaction_id: str, content_sha256: str, place: str, content: bytes) -> bytes:
    """Return what the program reads for the verb `mark`; empty content removes it."""
    return f"POSTSEAL1 mark {transaction_id} {content_sha256} {root}\n{place}\n".encode() + content


def read_look(output: bytes, root: str) -> Seen:
    """Return what the program said. Raises DeployError where it refused, was cut off, or says something else."""
    rows = list(_rows(output, root))
    present: dict[str, str] = {}
    files: dict[str, FileEntry] = {}
    unread: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    pem_files: dict[str, PublicFile] = {}
    for row in rows:
        match row:
            case ["at", _, there, mode, text, path] if there != _NOTHING:
                present[path] = there
                if text.startswith(_NO_TEXT):
                    unread[path] = unread_text(text.removeprefix(_NO_TEXT))
                elif text != _NOTHING:
                    file = FileEntry(path, _content(text), _mode(mode))
                    files[path] = file
                    # The host leaves the digest of what it tells to us.
                    present[path] = digest(file) + (OF_ANOTHER if there.endswith(OF_ANOTHER) else "")
            case ["name", _, directory, name]:
                names.setdefault(directory, []).append(name)
            case ["pem", state, opened, text, path]:
                pem_files[path] = _public(path, state, text, is_open=opened == "yes")
            case _:
                pass
    return Seen(
        program_sha256=next((row[1] for row in rows if row[0] == "program" and len(row) > 1), ""),
        present=present,
        files=files,
        unread=unread,
        names={directory: sorted(some) for directory, some in names.items()},
        pem_files=pem_files,
    )


def unread_text(word: str) -> str:
    """Return why the content of a file is not told."""
    return _REASONS.get(word, "it cannot be read")


def read_values(output: bytes, root: str, configuration: Mapping[str, bytes]) -> dict[str, str]:
    """Return parameters by name, as the program says them to the question `values`.

    A directory that the host made for a new configuration is called as the one that it is for.
    Raises DeployError where postconf(1) cannot tell.
    """
    rows = list(_rows(output, root))
    if complaint := next((row[-1] for row in rows if row[0] == "complaint"), ""):
        raise DeployError(f"postconf does not tell the parameters of {root}: {complaint}")
    if ["answer", "0", "ok"] not in rows:
        raise DeployError(f"postconf does not tell the parameters of {root}; run again")
    made = next((row[2] for row in rows if row[0] == "directory"), root) if configuration else root
    pairs = ("\t".join(row[2:]).partition("=")[::2] for row in rows if row[0] == "value")
    return {name.strip(): value.strip().replace(made, root) for name, value in pairs}


def _rows(output: bytes, root: str) -> Iterator[list[str]]:
    rows = [line.split("\t") for line in output.decode("utf-8", "replace").split("\n")]
    result = read_result("\n".join("\t".join(row) for row in _about_the_end(rows)))
    if failure := failure_of(result, root):
        raise DeployError(failure)
    return iter(rows)


def _about_the_end(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if row[0] in ("fault", "end", "complete"))


def _public(path: str, state: str, text: str, *, is_open: bool) -> PublicFile:
    if state != "ok":
        return PublicFile(path, fault=FAULTS.get(state, "cannot be read"))
    return public_file(path, _content(text).decode("ascii", "replace"), is_open=is_open, has_halves=True)


def _content(text: str) -> bytes:
    try:
        return b64decode(text.removesuffix(_TEXT_MARK), validate=True)
    except Error as error:
        raise DeployError("the program on the host says what nobody can read; run again") from error


def _mode(text: str) -> int:
    try:
        return int(text, 8) & 0o777
    except ValueError as error:
        raise DeployError("the program on the host says what nobody can read; run again") from error
