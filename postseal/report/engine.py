"""The report's edge: get a stack's state from the engine or from a file, and write the result."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from postseal.state_address import without_secrets
from postseal_core.errors import PostsealError

__all__ = [
    "BACKEND_VARIABLE",
    "COMMAND_VARIABLE",
    "EngineError",
    "deliver",
    "export_stack",
    "read_document",
    "read_export",
    "write_output",
]

COMMAND_VARIABLE = "POSTSEAL_PULUMI"
"""Environment variable that names the `pulumi` program to run."""

BACKEND_VARIABLE = "PULUMI_BACKEND_URL"
"""Environment variable with the address of the state; the engine's own."""

_TIMEOUT_SECONDS = 120
_FILE_MODE = 0o644
_EXPORT = "pulumi stack export"


class EngineError(PostsealError):
    """A stack's state could not be had; the message says what was tried and what the engine answered."""


def export_stack(stack: str, directory: Path, timeout_seconds: float = _TIMEOUT_SECONDS) -> object:
    """Return the state that `pulumi stack export` prints in the project's directory; secrets stay encrypted.

    `stack`: empty for the one that is selected there. The program is `pulumi`, or what POSTSEAL_PULUMI names.

    Raises:
        EngineError: the program is not there, fails, does not answer in time, or prints no JSON.
    """
    program = os.environ.get(COMMAND_VARIABLE) or "pulumi"
    command = [program, "stack", "export", "--non-interactive", *(["--stack", stack] if stack else [])]
    try:
        done = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds, check=False
        )
    except OSError as error:
        message = f"cannot run {program} ({error.strerror}); put it on PATH, set {COMMAND_VARIABLE}, or give --file"
        raise EngineError(message) from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{' '.join(command)} did not answer within {timeout_seconds:g} seconds") from error
    if done.returncode:
        # The engine quotes the address of the state, options with a password in them included.
        said = done.stderr.decode(errors="replace").strip()
        answer = without_secrets(said, os.environ.get(BACKEND_VARIABLE, "")) or "no message"
        raise EngineError(f"{' '.join(command)} failed with exit code {done.returncode}: {answer}")
    return _parse(done.stdout, " ".join(command))


def read_export(path: str) -> object:
    """Return the state in a file written by `pulumi stack export`; `-` reads standard input.

    Raises:
        EngineError: the file cannot be read or is no JSON.
    """
    return read_document(path, _EXPORT)


def read_document(path: str, written_by: str) -> object:
    """Return the JSON in a file; `-` reads standard input. `written_by`: the command that writes such a file.

    Raises:
        EngineError: the file cannot be read or is no JSON.
    """
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise EngineError(f"cannot read {path} ({error.strerror})") from error
    return _parse(content, path, written_by)


def write_output(text: str, path: str) -> None:
    """Write the file at once or not at all: a reader never sees half of it.

    Raises:
        EngineError: the file cannot be written.
    """
    target = Path(path)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise EngineError(f"cannot write below {target.parent} ({error.strerror})") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        Path(temporary).chmod(_FILE_MODE)
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise EngineError(f"cannot write {path} ({error.strerror})") from error


def deliver(text: str, path: str | None) -> None:
    """Write a text to a file, or to standard output where none is named.

    Raises:
        EngineError: the file cannot be written.
    """
    if path:
        write_output(text, path)
        return
    # Bytes, because CSV and iCalendar bring their own line ends.
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _parse(content: bytes, source: str, written_by: str = _EXPORT) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        # Where it breaks may be said, not what stands there.
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise EngineError(f"{source} is no JSON{place}; expected what `{written_by}` writes") from error
