"""The errors of this project, split by whose fault it is and who must act.

    PostsealError              code, one clean sentence, never a secret
    ├── ConfigError            the stack file or an argument is wrong: fix the declaration (carries all problems)
    ├── CertificateError       PEM, key or archive that was handed in cannot be used
    ├── ScheduleError          what is asked for must not happen now (too early, backwards in time)
    └── DeployError            the host or the directory could not be brought to the declared state

No message ever holds a private key, a passphrase or a PEM block.
"""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "CertificateError",
    "ConfigError",
    "DeployError",
    "PostsealError",
    "Problem",
    "ScheduleError",
]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with what somebody declared.

    `path` names the place in the declaration (`clients.alice.email`; empty for the whole), `message` says what was
    found, what was expected and how to fix it, in a lower-case sentence.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def below(self, prefix: str) -> "Problem":
        """Return the same problem with its path put below `prefix`."""
        return Problem(f"{prefix}.{self.path}" if self.path else prefix, self.message)


class PostsealError(Exception):
    """Base of everything this project raises on purpose; `str()` of it is fit for a user to read."""

    code = "postseal"


class ConfigError(PostsealError):
    """A declaration cannot be accepted; `problems` lists everything that is wrong with it."""

    code = "config"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CertificateError(PostsealError):
    """A certificate, key, chain or archive that was handed in cannot be used; the message says which and why."""

    code = "certificate"


class ScheduleError(PostsealError):
    """A step is asked for at a time when it must not happen; the message says what to wait for."""

    code = "schedule"


class DeployError(PostsealError):
    """A host or directory could not be brought to its declared state; the message says what is there now."""

    code = "deploy"
