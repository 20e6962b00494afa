"""The doctor's edge: looks at programs, packages, files, users and the engine; nothing is changed."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import yaml

from postseal.doctor.facts import Engine, Facts, Passphrase, Place, Plugins, Stack
from postseal.doctor.neighbours import is_private_network, other_users
from postseal.report.engine import COMMAND_VARIABLE, export_stack
from postseal.state_address import address_shown, directory_of, without_secrets
from postseal_core.clear_logs import clear_log_switches
from postseal_core.errors import PostsealError
from postseal_core.files.safe_place import complaint_of_place
from postseal_core.instants import parse_instant

__all__ = ["gather_facts"]

_SECONDS = 30.0
_LONGEST = 500
_PACKAGE = "postseal"
_TLS_PLUGIN = "resource-tls-v"
_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def gather_facts(stack: str, directory: Path, now: datetime) -> Facts:
    """Look at everything. `stack`: empty for the one that is selected; `directory`: of the Pulumi project."""
    project_file = _project_file(directory)
    engine = _engine()
    backend_url = _backend_url(engine)
    passphrase, file = _passphrase()
    state_directory = _file_backend(backend_url)
    return Facts(
        system=sys.platform,
        now=now,
        project_file=_place(project_file),
        engine=engine,
        plugins=_plugins(project_file),
        stack=_stack(stack, project_file, backend_url, engine, state_directory),
        passphrase=passphrase,
        passphrase_file=file,
        state_directory=state_directory,
        out_directory=_place_of_files(project_file.parent / "out"),
        others=other_users(),
        is_private_network=is_private_network(),
        log_switches=tuple(clear_log_switches([], os.environ)),
        is_interrupt_ignored=signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    )


def _place_of_files(path: Path) -> Place:
    """Return a directory that `pulumi up` writes into, judged by the rule that it writes by."""
    return replace(_place(path), complaint=complaint_of_place(str(path)) or "")


def _project_file(directory: Path) -> Path:
    """Return the project file here or in the nearest directory above that has one, else where it would be here."""
    here = directory.resolve()
    places = (place / name for place in (here, *here.parents) for name in _PROJECT_FILES)
    return next((place for place in places if place.is_file()), here / _PROJECT_FILES[0])


def _engine() -> Engine:
    path = shutil.which(os.environ.get(COMMAND_VARIABLE) or "pulumi") or ""
    return Engine(path=path, version=_said(path, "version").removeprefix("v") if path else "")


def _said(program: str, *arguments: str) -> str:
    """Return a program's output; empty if it fails or takes too long."""
    try:
        done = subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout.decode(errors="replace").strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _plugins(project_file: Path) -> Plugins:
    try:
        wanted = tuple(requires(_PACKAGE) or ())
    except PackageNotFoundError:
        wanted = ()
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = [path.name.removeprefix(_TLS_PLUGIN) for path in home.glob(f"plugins/{_TLS_PLUGIN}*") if path.is_dir()]
    declared = _declared_plugin(project_file)
    return Plugins(
        sdk=_version("pulumi"),
        tls_package=_version("pulumi-tls"),
        wanted=wanted,
        tls_plugins=tuple(sorted(installed)),
        declared_path=str(declared or ""),
        has_declared_plugin=declared is not None and (declared / "pulumi-resource-postseal").is_file(),
        own_path=str(Path(sys.executable).parent.resolve()),
    )


def _declared_plugin(project_file: Path) -> Path | None:
    """Return where Pulumi.yaml says the plugin is."""
    try:
        project = yaml.safe_load(project_file.read_text())
        providers = project["plugins"]["providers"]
        path: str = next(each["path"] for each in providers if each["name"] == _PACKAGE)
        return (project_file.parent / path).resolve()
    except (OSError, ValueError, TypeError, LookupError, StopIteration, RecursionError, yaml.YAMLError):
        return None


def _backend_url(engine: Engine) -> str:
    if url := os.environ.get("PULUMI_BACKEND_URL"):
        return url
    said = _said(engine.path, "whoami", "--verbose", "--json", "--non-interactive") if engine.path else ""
    try:
        return str(json.loads(said)["url"])
    except (ValueError, TypeError, LookupError):
        return ""


def _file_backend(url: str) -> Place | None:
    """Return the directory of a file backend."""
    directory = directory_of(url)
    return _place(Path(directory)) if directory else None


def _stack(stack: str, project_file: Path, backend_url: str, engine: Engine, state_directory: Place | None) -> Stack:
    url = address_shown(backend_url) if backend_url else ""
    if not engine.path or not project_file.is_file():
        return Stack(backend_url=url)
    try:
        exported = export_stack(stack, project_file.parent, _SECONDS)
    except PostsealError as error:
        # Before it is cut: half a password is not recognised.
        said = " ".join(without_secrets(str(error), backend_url).split())
        return Stack(backend_url=url, error=said[:_LONGEST])
    deployment = _member(exported, "deployment")
    times = [_member(deployment, "manifest", "time"), *_written_at(deployment), _changed_at(state_directory)]
    return Stack(
        backend_url=url,
        secrets_provider=str(_member(deployment, "secrets_providers", "type") or ""),
        newest=max(filter(None, map(_instant, times)), default=None),
    )


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _changed_at(place: Place | None) -> str:
    """Return when a directory was changed last."""
    if place is None or place.mode is None:
        return ""
    return datetime.fromtimestamp(Path(place.path).stat().st_mtime, UTC).isoformat()


def _written_at(deployment: Any) -> Iterator[Any]:
    resources = _member(deployment, "resources")
    for each in resources if isinstance(resources, list) else ():
        yield _member(each, "modified")


def _instant(text: object) -> datetime | None:
    try:
        instant = parse_instant(str(text))
    except ValueError:
        return None
    return instant if instant > datetime(2000, 1, 1, tzinfo=UTC) else None


def _passphrase() -> tuple[Passphrase, Place | None]:
    # The engine takes the variable first.
    if "PULUMI_CONFIG_PASSPHRASE" in os.environ:
        return Passphrase.ENVIRONMENT, None
    if path := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        return Passphrase.FILE, _place(Path(path))
    return Passphrase.NOWHERE, None


def _place(path: Path) -> Place:
    try:
        found = path.stat()
    except OSError:
        return Place(path=str(path), mode=None)
    return Place(path=str(path), mode=stat.S_IMODE(found.st_mode), is_own=found.st_uid in (0, os.geteuid()))
