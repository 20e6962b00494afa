"""The host program with its one line for tests replaced, so that every step is noted and one of them is cut."""

import re
from copy import copy
from pathlib import Path
from typing import Self

from postfix.deploy.program import program_path
from postfix.deploy.sessions.local import LocalSession

__all__ = ["CutSession", "names_of_steps", "program_that"]

_HOOK = "\nat() { :; }\n"
_STEPS = "steps"
# As on a host where a second Postfix cannot be set up.
_APART = "everybody_enters() { untold='not in this test'; return 1; }"


class CutSession(LocalSession):
    """A session whose program notes each step in `steps`, and runs `commands` of the shell before one of them.

    `has_trial`: whether the new configuration is run beside first, from the next call of `before` on; without it the
    running service is the first to meet a fault. `place`: a directory for the changed program, outside of what is
    deployed to.
    """

    def __init__(self, root: Path, place: Path, shell: str = "/bin/sh") -> None:
        super().__init__(root)
        self._place = place
        self.has_trial = True
        self.use(shell)
        self.before()

    def at(self, root: str) -> Self:
        """Return a session for another directory, with the same program."""
        other = copy(self)
        LocalSession.__init__(other, Path(root))
        return other

    def use(self, shell: str) -> None:
        """Run the program, and what it starts of itself, by another shell: `sh` is a link to that."""
        bin_directory = self._place / "bin"
        bin_directory.mkdir(exist_ok=True)
        (bin_directory / "sh").unlink(missing_ok=True)
        (bin_directory / "sh").symlink_to(shell)
        self.shell = str(bin_directory / "sh")
        self.search_path = f"{bin_directory}:{LocalSession.search_path}"

    def before(self, step: str = "", commands: str = "kill -9 -$$") -> None:
        """Run commands before a step of the next runs; nothing without one. The default kills the whole program."""
        self.program = program_that(self._place, step, commands, has_trial=self.has_trial)

    @property
    def steps(self) -> list[str]:
        """The steps since they were last forgotten."""
        return self._steps.read_text().splitlines() if self._steps.exists() else []

    def forget(self) -> None:
        """Forget the steps."""
        self._steps.unlink(missing_ok=True)

    @property
    def _steps(self) -> Path:
        return self._place / _STEPS


def program_that(place: Path, step: str, commands: str, *, has_trial: bool = True) -> str:
    """Write the program, with commands of the shell before one of its steps, to `place`, and return its path."""
    cases = f"case $1 in '{step}') {commands} ;; esac; case $1 in {'-' if has_trial else 'try'}) {_APART} ;; esac"
    hook = f"\nat() {{ echo \"$1\" >>'{place / _STEPS}'; {cases}; }}\n"
    text = Path(program_path()).read_text()
    assert text.count(_HOOK) == 1
    changed = place / "postseal-host"
    changed.write_text(text.replace(_HOOK, hook))
    return str(changed)


def names_of_steps() -> set[str]:
    """Return the names of all steps in the program, without the numbers of changes."""
    return set(re.findall(r"^\s+at \"?([a-z-]+)", Path(program_path()).read_text(), re.MULTILINE))
