"""The edge of a review: stack files and what they name, from this directory or from a revision in git."""

import posixpath
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from postseal.review.declared import StackSource, sections_of
from postseal.review.stack_yaml import StackText, read_stack_text
from postseal.stack.build import file_text
from postseal.stack.screening import declared_files
from postseal_core.bounds import LARGEST_FILE_BYTES
from postseal_core.errors import ConfigError, Problem
from postseal_core.files.project_file import ProjectFileError, read_project_file
from postseal_core.wording import shown

__all__ = ["StackFile", "open_stack_file", "source_of"]

_PROJECT_FILE: Final = "Pulumi.yaml"
_GIT_SECONDS: Final = 60
_REGULAR: Final = (b"100644", b"100755")

Reader = Callable[[str], bytes]
"""Reads a file by its path below the project; raises FileNotFoundError, or ProjectFileError with what is wrong."""


@dataclass(frozen=True, slots=True)
class StackFile:
    """An opened stack file, and its project: the name in its Pulumi.yaml, empty for none, and how its files are read.

    `place`: the absolute path of the project. `stack`: as the name of the file says, empty where it does not.
    """

    option: str
    text: StackText
    project: str
    stack: str
    place: str
    read: Reader


def open_stack_file(option: str, named: str) -> StackFile:
    """Open the stack file that an option names: a path, or `REV:path` as git takes it.

    A path with a colon is written with `./` in front, so that no file can stand in for a revision.

    Raises:
        ConfigError: it cannot be read, or is no stack file.
    """
    revision, colon, path = named.partition(":")
    is_path = not colon or named.startswith((".", "/"))
    return _on_disk(option, Path(named)) if is_path else _in_git(option, revision, path)


def source_of(opened: StackFile, project: str) -> StackSource:
    """Return a stack file with all files that it names; `project`: whose sections are read."""
    raw, _ = sections_of(opened.text, project)
    files = {name: file_text(partial(opened.read, name)) for name in declared_files(raw)}
    return StackSource(opened.text, files, opened.place)


def _on_disk(option: str, path: Path) -> StackFile:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem(option, f"cannot read {shown(str(path))} ({error.strerror})")]) from error
    above = path.resolve().parent
    root = next((each for each in (above, *above.parents) if (each / _PROJECT_FILE).is_file()), above)
    try:
        project = _project((root / _PROJECT_FILE).read_bytes())
    except OSError:
        project = {}
    base = root / str(project.get("main") or "")
    return _opened(
        option, content, path.name, project, str(root), lambda name: read_project_file(root, name, base=base)
    )


def _in_git(option: str, revision: str, path: str) -> StackFile:
    if revision.startswith("-"):
        raise ConfigError([Problem(option, f"got {shown(revision)}, expected a revision, as origin/main:stacks/...")])
    top = Path(_git("rev-parse", "--show-toplevel", option=option).decode().strip())
    if path.startswith("./"):
        path = _git("rev-parse", "--show-prefix", option=option).decode().strip() + path
    path = posixpath.normpath(path)
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", option=option).decode().strip()

    def read(name: str) -> bytes:
        return _blob(commit, name, option)

    try:
        content = read(path)
    except FileNotFoundError:
        message = f"{shown(path)} is not there at {shown(revision)}; leave --from out for a stack that is new"
        raise ConfigError([Problem(option, message)]) from None
    except ProjectFileError as error:
        raise ConfigError([Problem(option, str(error))]) from None
    above = [posixpath.dirname(path)]
    while above[-1]:
        above.append(posixpath.dirname(above[-1]))
    root, project = next(((each, found) for each in above if (found := _project_in(read, each))), (above[0], {}))
    base = posixpath.normpath(posixpath.join(root, str(project.get("main") or "")))

    def read_named(name: str) -> bytes:
        return read(_below(root, base, name))

    return _opened(option, content, posixpath.basename(path), project, str(top / root), read_named)


def _below(root: str, base: str, name: str) -> str:
    """Return the path of a file in the repository.

    Raises:
        ProjectFileError: it is not below the project.
    """
    path = posixpath.normpath(posixpath.join(base, name))
    if posixpath.isabs(name) or (root and path != root and not path.startswith(f"{root}/")) or path.startswith(".."):
        raise ProjectFileError("is not within the project's directory; keep it there")
    return path


def _project_in(read: Reader, directory: str) -> Mapping[str, Any]:
    try:
        return _project(read(posixpath.join(directory, _PROJECT_FILE)))
    except (FileNotFoundError, ProjectFileError):
        return {}


def _project(content: bytes) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(content[:LARGEST_FILE_BYTES])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _opened(option: str, content: bytes, name: str, project: Mapping[str, Any], place: str, read: Reader) -> StackFile:
    try:
        text = read_stack_text(content.decode("utf-8"), option)
    except UnicodeDecodeError:
        raise ConfigError([Problem(option, "is no text, and so no stack file")]) from None
    is_named = name.startswith("Pulumi.") and name.endswith((".yaml", ".yml"))
    stack = name.removeprefix("Pulumi.").rpartition(".")[0] if is_named else ""
    return StackFile(option, text, str(project.get("name") or ""), stack, place, read)


def _blob(commit: str, path: str, option: str) -> bytes:
    """Return a regular file of a commit; nothing that a repository configures is run for it."""
    listed = _git("ls-tree", "-z", "-l", "--full-tree", commit, "--", path, option=option)
    entry, _, found = listed.rstrip(b"\0").partition(b"\t")
    if not found or found.decode("utf-8", "replace") != path:
        raise FileNotFoundError(path)
    mode, _, name, size = entry.split()
    if mode not in _REGULAR:
        raise ProjectFileError("is no regular file, but a directory, a link or a submodule; name a file")
    if int(size) > LARGEST_FILE_BYTES:
        raise ProjectFileError(f"is larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no such file needs")
    return _git("cat-file", "blob", name.decode(), option=option)


def _git(*arguments: str, option: str) -> bytes:
    command = ["git", "--no-pager", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_GIT_SECONDS, check=False)
    except OSError as error:
        raise ConfigError([Problem(option, f"cannot run git ({error.strerror}); name a file instead")]) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError([Problem(option, f"git did not answer within {_GIT_SECONDS} seconds")]) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError([Problem(option, f"git cannot read it: {said[-1] if said else 'no message'}")])
    return done.stdout
