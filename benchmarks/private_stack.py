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

__all__ = ["PrivateStack", "make_stack"]

REPOSITORY: Final = Path(__file__).resolve().parent.parent
_NAME: Final = "measured"
# JSON is YAML. The project must not be called like the package, see the project's own Pulumi.yaml.
_PROJECT: Final = {
    "name": "bench",
    "runtime": "python",
    "plugins": {"providers": [{"name": "postseal", "path": str(REPOSITORY / ".venv/bin")}]},
}


@dataclass(frozen=True, slots=True)
class PrivateStack:
    """One stack; `variables` are in the environment of every command, the program reads its size from there."""

    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)

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
        environment = _environment(self.directory, self.variables)
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
        return self.directory / f"state/.pulumi/stacks/{_PROJECT['name']}/{_NAME}.json"

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


def make_stack(directory: Path, program: Path, variables: Mapping[str, str]) -> PrivateStack:
    """Make a new stack below `directory`, which must not exist, for a program that is one file."""
    for part in ("project", "state", "home"):
        (directory / part).mkdir(parents=True)
    (directory / "home/plugins").symlink_to(locate(REPOSITORY, os.environ).pulumi_home / "plugins")
    (directory / "passphrase").write_text(secrets.token_hex(16))
    (directory / "project/Pulumi.yaml").write_text(json.dumps(_PROJECT))
    shutil.copyfile(program, directory / "project/__main__.py")
    stack = PrivateStack(directory, variables)
    stack.run("stack", "init", _NAME)
    return stack


def _environment(directory: Path, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    own = {
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_BACKEND_URL": (directory / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(directory / "passphrase"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return engine_environment(REPOSITORY, {**inherited, **own, **variables})
