"""The errors of this project, split by whose fault it is and who must act.

    PostsealError              one clean sentence, never a secret
    ├── ConfigError            the stack file or an argument is wrong: fix the declaration (carries all problems)
    ├── StateError             what is stored cannot be read: use the plugin that wrote it (carries all problems)
    ├── CertificateError       PEM, key or archive that was handed in cannot be used
    ├── ScheduleError          what is asked for must not happen now (too early, backwards in time)
    └── DeployError            the host or the directory could not be brought to the declared state

No message ever holds a private key, a passphrase or a PEM block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "CertificateError",
    "ConfigError",
    "DeployError",
    "PostsealError",
    "Problem",
    "ScheduleError",
    "StateError",
    "lines_of_problems",
    "refuse",
    "visible",
]


_LONGEST_PATH: Final = 300
_LONGEST_MESSAGE: Final = 1500
_MOST_LINES: Final = 200
"""A page of problems is read from its top; the rest is counted."""


def visible(text: str) -> str:
    """Return a text in which nothing moves a terminal's cursor, colours it or turns its lines around.

    Messages quote what others wrote: names in certificates, keys of a stack file, answers of programs.
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a declaration, with its place.

    Args:
        path: The place in the declaration (`clients.alice.email`); empty for the whole.
        message: What was found, what was expected and how to fix it, in a lower-case sentence; never a secret.
    """

    path: str
    message: str

    def __str__(self) -> str:
        """Return both as one line of a bounded length, however much somebody wrote."""
        # Cut first: to look at each character of a megabyte takes a while.
        path, message = visible(_cut(self.path, _LONGEST_PATH)), visible(_cut(self.message, _LONGEST_MESSAGE))
        return f"{path}: {message}" if path else message

    def below(self, prefix: str) -> "Problem":
        """Return the same problem with its path put below `prefix`; a position (`[0]`) follows it without a dot."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return Problem(f"{prefix}{dot}{self.path}", self.message)


class PostsealError(Exception):
    """Base of everything this project raises on purpose; `str()` of it is fit for a user to read."""

    def __str__(self) -> str:
        """Return the message with its line breaks, and with every other control character escaped."""
        return "\n".join(map(visible, super().__str__().split("\n")))


class ConfigError(PostsealError):
    """A declaration cannot be accepted; `str()` of it has one line for each problem.

    Args:
        problems: Everything that is wrong.

    Attributes:
        problems: Everything that is wrong with it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(lines_of_problems(self.problems)))


def lines_of_problems(problems: Sequence[Problem]) -> list[str]:
    """Return one line for each problem, and one that counts those beyond the first 200."""
    more = len(problems) - _MOST_LINES
    return [*map(str, problems[:_MOST_LINES]), *([f"and {more:,} more problems"] if more > 0 else [])]


def refuse(problems: Iterable[Problem]) -> None:
    """Raise ConfigError if there is any problem."""
    found = tuple(problems)
    if found:
        raise ConfigError(found)


class StateError(PostsealError):
    """A stored record cannot be read; `problems` lists everything that is wrong with it."""

    def __init__(self, message: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(message)


class CertificateError(PostsealError):
    """A certificate, key, chain or archive that was handed in cannot be used; the message says which and why."""


class ScheduleError(PostsealError):
    """A step is asked for at a time when it must not happen; the message says what to wait for."""


class DeployError(PostsealError):
    """A host or directory could not be brought to its declared state; the message says what is there now."""
