"""Gathers what the choice of the engine's network depends on: the stack file, the plugins, the environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolchain.layout import Layout, locate
from toolchain.network import WISH_VARIABLE, EngineCommand, Surroundings
from toolchain.recipe import TLS_PLUGIN_VERSION
from toolchain.virtualenv import without_other_environments

__all__ = ["surroundings_of"]

_OUTSIDE = ("PULUMI_DEBUG_PROVIDERS", "PULUMI_DEBUG_LANGUAGES")
_OUTSIDE_MARKS = ("PULUMI_OPTION_", "_OTLP_")
_STACK_FILE_KEYS = {"config", "encryptionsalt", "secretsprovider"}
_PROJECT_KEYS = {"name", "description", "runtime", "stackConfigDir", "plugins"}


class _UnknownError(Exception):
    """Something cannot be told; the text is the reason, half a sentence."""


def surroundings_of(
    root: Path, command: EngineCommand, directory: Path, environment: Mapping[str, str]
) -> Surroundings:
    """Return what the choice depends on, for a command of the engine that is run in `directory`.

    `root`: the checkout. `environment`: the engine's.
    """
    layout, unknown = locate(root, environment), ""
    stack_file: Mapping[str, Any] = {}
    targets: tuple[str, ...] = ()
    try:
        stack_file = _stack_file(root, command, directory / command.directory, environment)
        targets = tuple(sorted(set(_targets(stack_file))))
    except _UnknownError as error:
        unknown = str(error)
    return Surroundings(
        system=sys.platform,
        is_root=os.geteuid() == 0,
        wish=environment.get(WISH_VARIABLE, ""),
        outside=tuple(sorted(name for name in environment if environment[name] and _is_outside(name))),
        backend_url=environment.get("PULUMI_BACKEND_URL", ""),
        secrets_provider=str(stack_file.get("secretsprovider") or ""),
        targets=targets,
        missing=() if unknown else tuple(_missing(layout, environment)),
        unknown=unknown,
    )


def _is_outside(name: str) -> bool:
    return name in _OUTSIDE or any(mark in name for mark in _OUTSIDE_MARKS)


def _stack_file(root: Path, command: EngineCommand, project: Path, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the stack file of a command that runs this checkout's own program, which does what its sections say."""
    if command.strange:
        raise _UnknownError(f"what {command.strange[0]} needs is not known")
    if project.resolve() != root.resolve():
        raise _UnknownError("the program is not this checkout's own, and may reach anything")
    about = _mapping(project / "Pulumi.yaml")
    if strange := sorted(about.keys() - _PROJECT_KEYS):
        raise _UnknownError(f"what {strange[0]} in Pulumi.yaml needs is not known")
    stack = (command.stack or environment.get("PULUMI_STACK", "")).rpartition("/")[2]
    if not stack and not command.config_file:
        raise _UnknownError("no --stack says which stack file is meant")
    place = command.config_file or f"{about.get('stackConfigDir', '.')}/Pulumi.{stack}.yaml"
    read = _mapping(project / place)
    if strange := sorted(read.keys() - _STACK_FILE_KEYS):
        raise _UnknownError(f"what {strange[0]} in the stack file needs is not known")
    return read


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        import yaml  # noqa: PLC0415 - there is no such package before the virtual environment is
    except ImportError:
        raise _UnknownError("the stack file cannot be read before `make setup`") from None
    try:
        read = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise _UnknownError(f"{path.name} cannot be read") from None
    if not isinstance(read, dict):
        raise _UnknownError(f"{path.name} has no keys")
    return {str(name): value for name, value in read.items()}


def _targets(stack_file: Mapping[str, Any]) -> Iterator[str]:
    """Yield the kind of target of each host; one that says none is a directory."""
    config = stack_file.get("config") or {}
    if not isinstance(config, dict):
        raise _UnknownError("the configuration of the stack cannot be read")
    for name, hosts in config.items():
        section, _, member = str(name).partition(":")[2].partition(".")
        if section == "hosts":
            if member or not isinstance(hosts, dict):
                raise _UnknownError("the hosts of the stack cannot be read")
            for host in hosts.values():
                yield from _kinds(host)


_NO_KINDS = frozenset({"ownership", "take_over"})
"""Keys of a target that stand beside its kind."""


def _kinds(host: object) -> Iterator[str]:
    if not isinstance(host, dict):
        raise _UnknownError("the hosts of the stack cannot be read")
    target = host.get("target") or {}
    if isinstance(target, dict):
        yield from (str(kind) for kind in target if kind not in _NO_KINDS)
    elif not isinstance(target, str):  # a text is a directory
        raise _UnknownError("the target of a host cannot be read")


def _missing(layout: Layout, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what the engine would fetch: the plugin, or packages of the virtual environment."""
    plugins = Path(environment.get("PULUMI_HOME") or layout.pulumi_home) / "plugins"
    if not (plugins / f"resource-tls-v{TLS_PLUGIN_VERSION}").is_dir():
        yield f"the tls plugin {TLS_PLUGIN_VERSION}"
    if not _is_environment_current(layout, environment):
        yield "packages of .venv"


def _is_environment_current(layout: Layout, environment: Mapping[str, str]) -> bool:
    uv = shutil.which("uv", path=environment.get("PATH", os.defpath))
    if uv is None:
        return False
    done = subprocess.run(
        [uv, "sync", "--locked", "--check", "--quiet", "--offline"],
        cwd=layout.root,
        env=without_other_environments(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
