"""A Pulumi stack for one measurement: own home, own file backend, own passphrase, all below one directory."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import Measurement, MeasurementError, measure
from toolchain.environment import engine_environment
from toolchain.layout import locate

__all__ = ["REPOSITORY", "PrivateStack", "make_stack", "project_of", "virtual_environment_of"]

REPOSITORY: Final = Path(__file__).resolve().parent.parent
_NAME: Final = "measured"
_PROJECT_NAME: Final = "bench"  # Not like the package, see the project's own Pulumi.yaml.


@dataclass(frozen=True, slots=True)
class PrivateStack:
    """One stack; `variables` are in the environment of every command, the program reads its size from there.

    `checkout`: whose virtual environment the program and the plugin run in. The engine is this checkout's in any case.
    """

    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    checkout: Path = REPOSITORY

    def up(self) -> Measurement:
        """Deploy without a preview."""
        return self.run("up", "--yes", "--skip-preview", "--suppress-progress")

    def preview(self) -> Measurement:
        """Preview; any change makes it fail, since a preview that changes something measures something else."""
        return self.run("preview", "--expect-no-changes", "--suppress-progress")

    def set_config(self, key: str, value: str) -> None:
        """Set a value in the stack file."""
        self.run("config", "set", key, value)

    def run(self, *arguments: str) -> Measurement:
        """Run a Pulumi command.

        Raises:
            MeasurementError: it failed.
        """
        stack = [] if arguments[:2] == ("stack", "init") else ["--stack", _NAME]
        environment = _environment(self.directory, self.variables, self.checkout)
        return measure(
            ["pulumi", *arguments, "--non-interactive", "--color=never", *stack],
            directory=self.directory / "project",
            environment=environment,
            log=self.log,
        )

    @property
    def log(self) -> Path:
        """The file with the output of the last command."""
        return self.directory / "log"

    @property
    def state_file(self) -> Path:
        """The file that holds the state."""
        return self.directory / f"state/.pulumi/stacks/{_PROJECT_NAME}/{_NAME}.json"

    @property
    def state_bytes(self) -> int:
        """The size of the state."""
        return self.state_file.stat().st_size

    def expect_count(self, resource_type: str, expected: int) -> None:
        """Raise MeasurementError unless the state has this many resources of a type."""
        found = len(self._resources(resource_type))
        if found != expected:
            raise MeasurementError(f"the state has {found} of {resource_type}, expected {expected}: see {self.log}")

    def inputs_of(self, resource_type: str) -> Mapping[str, Any]:
        """Return the inputs of the one resource of a type, as the state has them."""
        (resource,) = self._resources(resource_type)
        inputs: Mapping[str, Any] = resource["inputs"]
        return inputs

    def _resources(self, resource_type: str) -> list[dict[str, Any]]:
        resources = json.loads(self.state_file.read_text())["checkpoint"]["latest"]["resources"]
        return [resource for resource in resources if resource["type"] == resource_type]


def make_stack(
    directory: Path, program: Path, variables: Mapping[str, str], *, checkout: Path = REPOSITORY
) -> PrivateStack:
    """Make a new stack below `directory`, which must not exist, for a program that is one file."""
    for part in ("project", "state", "home"):
        (directory / part).mkdir(parents=True)
    (directory / "home/plugins").symlink_to(locate(REPOSITORY, os.environ).pulumi_home / "plugins")
    (directory / "passphrase").write_text(secrets.token_hex(16))
    (directory / "project/Pulumi.yaml").write_text(json.dumps(project_of(checkout)))
    shutil.copyfile(program, directory / "project/__main__.py")
    stack = PrivateStack(directory, variables, checkout)
    stack.run("stack", "init", _NAME)
    return stack


def project_of(checkout: Path) -> dict[str, object]:
    """Return a Pulumi.yaml, as JSON is YAML, with the plugin of a checkout."""
    plugin = {"name": "postseal", "path": str(checkout / ".venv/bin")}
    return {"name": _PROJECT_NAME, "runtime": "python", "plugins": {"providers": [plugin]}}


def virtual_environment_of(checkout: Path, search_path: str) -> dict[str, str]:
    """Return the variables with which the language host finds a checkout's python, and with it its packages."""
    virtualenv = checkout / ".venv"
    return {"PATH": f"{virtualenv / 'bin'}:{search_path}", "VIRTUAL_ENV": str(virtualenv)}


def _environment(directory: Path, variables: Mapping[str, str], checkout: Path) -> dict[str, str]:
    # PYTHONPATH would win over the checkout's virtual environment.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PULUMI_") and name != "PYTHONPATH"
    }
    own = {
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_BACKEND_URL": (directory / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(directory / "passphrase"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    environment = engine_environment(REPOSITORY, {**inherited, **own, **variables})
    return environment | virtual_environment_of(checkout, environment["PATH"])
