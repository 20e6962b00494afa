"""Run the real Pulumi engine on a project: own home, own file backend, own passphrase, and a limit on every command."""

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import yaml

from tests.support.loopback import until
from toolchain.environment import backend_url, engine_environment
from toolchain.layout import locate

__all__ = [
    "CommandTimeoutError",
    "Result",
    "Stack",
    "copy_project",
    "has_engine",
    "kill_session",
    "prepare_home",
    "run_limited",
    "write_project",
]

REPOSITORY = Path(__file__).parents[2]
TIME_LIMIT_SECONDS = 180.0
KILL_SECONDS = 5.0
PROJECT = {
    "name": "engine-test",
    "runtime": "python",
    "stackConfigDir": "stacks",
    "plugins": {"providers": [{"name": "postseal", "path": str(REPOSITORY / ".venv/bin")}]},
}


class CommandTimeoutError(Exception):
    """A command of the engine did not end in time and was killed with everything it had started."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command of the engine came to; `str()` of it is its whole output."""

    returncode: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return self.stdout + self.stderr

    @property
    def is_success(self) -> bool:
        """Whether the command ended with 0."""
        return self.returncode == 0

    def expect_success(self) -> Self:
        """Return this result, or raise AssertionError with all that the engine said."""
        if not self.is_success:
            raise AssertionError(f"the engine ended with {self.returncode}\n{self}")
        return self


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of the project directory `project`; `scratch` takes its state and its passphrase.

    `home` is a PULUMI_HOME with the plugins installed, see `prepare_home`. `variables` go into the environment of
    every command. Call `init` first. Commands never ask, never colour, and return a Result whatever happens.
    """

    project: Path
    scratch: Path
    home: Path
    name: str = "test"
    variables: Mapping[str, str] = field(default_factory=dict)
    time_limit_seconds: float = TIME_LIMIT_SECONDS

    def init(self) -> Self:
        """Make the stack, and the backend with a fresh passphrase if this is the first one in `scratch`."""
        (self.scratch / "state").mkdir(parents=True, exist_ok=True)
        if not self._passphrase_file.exists():
            self._passphrase_file.write_text(secrets.token_hex(16))
        self.run("stack", "init", self.name).expect_success()
        return self

    def up(self, *options: str) -> Result:
        """Deploy without a preview."""
        return self.run("up", "--yes", "--skip-preview", *options)

    def preview(
        self, *options: str, diff: bool = False, as_json: bool = False, expect_no_changes: bool = False
    ) -> Result:
        """Preview; with `expect_no_changes` any change makes it fail."""
        flags = {"--diff": diff, "--json": as_json, "--expect-no-changes": expect_no_changes}
        return self.run("preview", *(flag for flag, is_set in flags.items() if is_set), *options)

    def refresh(self, *options: str) -> Result:
        """Read every resource back into the state."""
        return self.run("refresh", "--yes", "--skip-preview", *options)

    def destroy(self, *options: str) -> Result:
        """Delete every resource."""
        return self.run("destroy", "--yes", "--skip-preview", *options)

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the state."""
        state: dict[str, Any] = self._load("stack", "export", *["--show-secrets"] * show_secrets)
        return state

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the outputs of the stack."""
        outputs: dict[str, Any] = self._load("stack", "output", "--json", *["--show-secrets"] * show_secrets)
        return outputs

    def history(self) -> list[dict[str, Any]]:
        """Return the past operations, the latest first."""
        operations: list[dict[str, Any]] = self._load("stack", "history", "--json")
        return operations

    def set_config(self, key: str, value: str, *, is_secret: bool = False, is_path: bool = False) -> Result:
        """Set a value in the stack file; `is_path` reads `key` as a path such as `clients.alice.email`."""
        flags = ["--secret" if is_secret else "--plaintext", *["--path"] * is_path]
        return self.run("config", "set", *flags, "--", key, value).expect_success()

    def run(self, *arguments: str) -> Result:
        """Run `pulumi` with any arguments on this stack.

        Raises:
            CommandTimeoutError: the command had to be killed.
        """
        stack = [] if arguments[:2] == ("stack", "init") else ["--stack", self.name]
        command = [str(REPOSITORY / "toolchain/pulumi"), arguments[0], "--non-interactive", "--color=never"]
        return run_limited(
            [*command, *stack, *arguments[1:]], self.project, self.environment(), self.time_limit_seconds
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of every command; nothing of the caller's own Pulumi settings is in it."""
        own = {
            "PULUMI_BACKEND_URL": backend_url(self.scratch / "state"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase_file),
        }
        return _environment(self.home, own | dict(self.variables))

    @property
    def _passphrase_file(self) -> Path:
        return self.scratch / "passphrase"

    def _load(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments).expect_success().stdout)


def has_engine() -> bool:
    """Whether the engine can be started from here."""
    return shutil.which("pulumi", path=engine_environment(REPOSITORY, os.environ)["PATH"]) is not None


def prepare_home(home: Path) -> Path:
    """Make a PULUMI_HOME that shares nothing but the toolchain's plugins, for any number of stacks, and return it."""
    home.mkdir()
    (home / "plugins").symlink_to(locate(REPOSITORY, os.environ).pulumi_home / "plugins")
    return home


def write_project(directory: Path, program: str, *, stack_files: Mapping[str, str] | None = None) -> Path:
    """Write a Python project that runs `program` and knows the postseal plugin; return its directory.

    `stack_files` maps a stack's name to the text of its stack file.
    """
    (directory / "stacks").mkdir(parents=True)
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(PROJECT))
    (directory / "__main__.py").write_text(program)
    for name, text in (stack_files or {}).items():
        (directory / f"stacks/Pulumi.{name}.yaml").write_text(text)
    return directory


def copy_project(source: Path, directory: Path) -> Path:
    """Copy Pulumi.yaml, the program and the stack files of `source`; its plugin stays where it is."""
    directory.mkdir(parents=True)
    project = yaml.safe_load((source / "Pulumi.yaml").read_text())
    for provider in project.get("plugins", {}).get("providers", []):
        provider["path"] = str(source / provider["path"])
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    shutil.copy(source / "__main__.py", directory)
    shutil.copytree(source / "stacks", directory / "stacks")
    return directory


def _environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    own = {"PULUMI_HOME": str(home), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    return engine_environment(REPOSITORY, {**inherited, **own, **variables})


def run_limited(command: Sequence[str], directory: Path, environment: Mapping[str, str], seconds: float) -> Result:
    """Run a command in a session of its own; after `seconds` kill all of the session.

    Raises:
        CommandTimeoutError: the command was killed.
    """
    with subprocess.Popen(
        command,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except BaseException as error:
            kill_session(process.pid)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CommandTimeoutError(f"no end after {seconds} s: {' '.join(command)}") from error
            raise
    return Result(process.returncode, stdout, stderr)


def kill_session(session: int) -> None:
    """Kill every process group of a session until none is left: the engine puts each plugin into a group of its own."""
    until(partial(_kill_groups, session), KILL_SECONDS)


def _kill_groups(session: int) -> bool:
    groups = set(_process_groups(session))
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    return not groups


def _process_groups(session: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # proc(5): after the command in parentheses come state, parent, process group, session.
            state, _, group, its_session, *_ = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_session) == session and state != "Z":
            yield int(group)
