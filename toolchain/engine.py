"""Provides the engine: from the cache, else from PATH, else the official release, else built from source."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from toolchain.build import build_parts, is_finished, put_in_place
from toolchain.choice import Attempt, ExistingEngine, explain_failure, judge_existing, judge_go
from toolchain.console import say
from toolchain.download import DownloadError, base_url_of, fetch_release, release_for
from toolchain.environment import engine_environment
from toolchain.errors import ToolchainError
from toolchain.layout import Layout, locate
from toolchain.recipe import ENGINE_VERSION, PARTS, TLS_PLUGIN_VERSION, Part

__all__ = ["ensure_engine", "ensure_plugin"]

ENGINE_PARTS = tuple(part for part in PARTS if part.directory == "bin")
TLS_PART = next(part for part in PARTS if part.name == "tls")

_TLS_PLUGIN = ("tls", TLS_PLUGIN_VERSION)

PLUGIN_TIMEOUT_SECONDS = 300

Way = Callable[[Layout, Mapping[str, str]], None]
"""One way to an engine: makes it or raises ToolchainError with the reason in half a sentence."""


def ensure_engine(root: Path, environment: Mapping[str, str]) -> None:
    """Make `toolchain/pulumi` work for the checkout at `root`: CLI, Python language host and tls plugin.

    Does nothing, and says nothing, when all is there. Two runs at once do not collide: the second one waits.

    Raises:
        ToolchainError: No way leads to an engine on this machine; the message lists what was tried and what to install.
    """
    layout = locate(root, environment)
    if _has_engine(layout, environment) and _has_tls_plugin(root, environment):
        return
    with _locked(layout):
        if not _has_engine(layout, environment):
            _provide_engine(layout, environment)
        if not _has_tls_plugin(root, environment):
            _provide_tls_plugin(layout, environment)


def ensure_plugin(root: Path, environment: Mapping[str, str], name: str, version: str) -> str | None:
    """Have a resource plugin for the engine of the checkout at `root`; return why it cannot be had.

    None where it is there. It is fetched from where its publisher has it, and stays for later runs.
    """
    if _has_plugin(root, environment, name, version):
        return None
    say(f"installing the {name} plugin {version}")
    layout = locate(root, environment)
    with _locked(layout):
        return _install_plugin(layout, environment, (name, version), [])


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """Hold the lock of this engine's place in the cache; it ends with the process, however that ends."""
    layout.engine.mkdir(parents=True, exist_ok=True)
    # Closed to others: whoever can open a file can lock it, and we would wait for them.
    with open(layout.engine / "lock", "w", opener=partial(os.open, mode=0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is setting up the engine in {layout.engine}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _has_engine(layout: Layout, environment: Mapping[str, str]) -> bool:
    """Return whether a finished engine is in the cache or a suitable one on PATH; a cached one is what gets used."""
    return all(is_finished(layout, part) for part in ENGINE_PARTS) or judge_existing(_existing(environment)) is None


def _existing(environment: Mapping[str, str]) -> ExistingEngine | None:
    search = environment.get("PATH", "")
    program = shutil.which("pulumi", path=search)
    if program is None:
        return None
    beside = Path(program).resolve().parent / "pulumi-language-python"
    has_language_host = beside.is_file() or shutil.which(beside.name, path=search) is not None
    return ExistingEngine(program, _first_line([program, "version"], environment) or "", has_language_host)


def _first_line(command: list[str], environment: Mapping[str, str]) -> str | None:
    """Return the first line a program prints, None if it cannot be run or fails."""
    quiet = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip().partition("\n")[0]


def _provide_engine(layout: Layout, environment: Mapping[str, str]) -> None:
    # A mirror that must not be used is a mistake to mend, not one way of several that leads nowhere.
    base_url_of(environment)
    attempts = [Attempt("pulumi on PATH", judge_existing(_existing(environment)) or "")]
    ways: dict[str, Way] = {"official release": _download, "build from source": _build_engine}
    for name, way in ways.items():
        try:
            way(layout, environment)
        except ToolchainError as error:
            attempts.append(Attempt(name, str(error)))
        else:
            return
    raise ToolchainError(explain_failure(attempts))


def _download(layout: Layout, environment: Mapping[str, str]) -> None:
    base_url = base_url_of(environment)
    release = release_for(sys.platform, platform.machine(), base_url)
    if release is None:
        raise DownloadError(f"none is published for {sys.platform} on {platform.machine()}")
    say(f"fetching Pulumi {ENGINE_VERSION} from {base_url}")
    with tempfile.TemporaryDirectory(prefix="download-", dir=layout.engine) as directory:
        put_in_place(fetch_release(release, Path(directory)), layout.engine_bin)


def _build_engine(layout: Layout, environment: Mapping[str, str]) -> None:
    # The tls plugin comes along: where the release is out of reach, the plugin's download is as well.
    _build(layout, environment, PARTS)


def _build(layout: Layout, environment: Mapping[str, str], parts: tuple[Part, ...]) -> None:
    problem = judge_go(
        _first_line(["go", "version"], environment), _first_line(["go", "env", "GOTOOLCHAIN"], environment) or ""
    )
    if problem:
        raise ToolchainError(problem)
    say("the official download cannot be had here")
    build_parts(layout, [part for part in parts if not is_finished(layout, part)], environment)


def _has_tls_plugin(root: Path, environment: Mapping[str, str]) -> bool:
    return _has_plugin(root, environment, *_TLS_PLUGIN)


def _has_plugin(root: Path, environment: Mapping[str, str], name: str, version: str) -> bool:
    home = Path(engine_environment(root, environment)["PULUMI_HOME"])
    return (home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}").is_file()


def _provide_tls_plugin(layout: Layout, environment: Mapping[str, str]) -> None:
    """Install the tls plugin: the one that was built if there is one, else the official one, else build it."""
    binary = layout.engine / TLS_PART.directory / TLS_PART.binary
    attempts = []
    if not is_finished(layout, TLS_PART):
        say(f"installing the tls plugin {TLS_PLUGIN_VERSION}")
        problem = _install_plugin(layout, environment, _TLS_PLUGIN, [])
        if problem is None:
            return
        attempts.append(Attempt("official tls plugin", problem))
        try:
            _build(layout, environment, (TLS_PART,))
        except ToolchainError as error:
            attempts.append(Attempt("build of the tls plugin from source", str(error)))
            raise ToolchainError(explain_failure(attempts)) from error
    problem = _install_plugin(layout, environment, _TLS_PLUGIN, ["--file", str(binary)])
    if problem is not None:
        raise ToolchainError(f"the tls plugin cannot be installed: {problem}")


def _install_plugin(
    layout: Layout, environment: Mapping[str, str], name_and_version: tuple[str, str], source: list[str]
) -> str | None:
    """Run `pulumi plugin install` for a resource plugin; return why it failed, None if it did not."""
    full = engine_environment(layout.root, environment)
    program = shutil.which("pulumi", path=full["PATH"]) or "pulumi"
    command = [program, "plugin", "install", "resource", *name_and_version, *source]
    try:
        subprocess.run(
            command,
            # Outside any project: the command then looks at nothing but its arguments.
            cwd=layout.engine,
            env=full,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PLUGIN_TIMEOUT_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        return f"{error.stderr or error.stdout}".strip().rpartition(os.linesep)[2]
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None
