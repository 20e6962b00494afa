"""Versions: which Pythons the quick tests are run under, and what must agree for a release and an upgrade."""

import tomllib
from pathlib import Path

import pytest

from postseal.version import VERSION
from toolchain.recipe import ENGINE_VERSION, TLS_PLUGIN_VERSION
from toolchain.versions import find_python

ROOT = Path(__file__).parents[2]
PYTHON = "#!/bin/sh\necho {version}\nexit {code}\n"


def install(path: Path, *, version: str = "3.12", code: int = 0) -> Path:
    """Put a stand-in for a Python at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PYTHON.format(version=version, code=code))
    path.chmod(0o755)
    return path


@pytest.fixture(name="environment")
def fixture_environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine with an empty PATH and an empty home."""
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}


def test_a_python_on_the_path_comes_first(environment: dict[str, str], tmp_path: Path) -> None:
    """It is what the user would get."""
    mine = install(tmp_path / "bin/python3.12")
    install(tmp_path / "home/.pyenv/versions/3.12.9/bin/python3.12")
    assert find_python("3.12", environment) == str(mine)


@pytest.mark.parametrize(("version", "code"), [("3.12", 127), ("3.11", 0)])
def test_a_name_that_starts_nothing_of_the_kind_is_passed_over(
    environment: dict[str, str], tmp_path: Path, version: str, code: int
) -> None:
    """Pyenv puts a name on PATH for every version it has, and only the chosen one starts."""
    install(tmp_path / "bin/python3.12", version=version, code=code)
    assert find_python("3.12", environment) is None
    kept = install(tmp_path / "home/.pyenv/versions/3.12.9/bin/python3.12")
    assert find_python("3.12", environment) == str(kept)


def test_pyenv_may_be_elsewhere(environment: dict[str, str], tmp_path: Path) -> None:
    """PYENV_ROOT says where."""
    kept = install(tmp_path / "pyenv/versions/3.13.0/bin/python3.13", version="3.13")
    assert find_python("3.13", environment | {"PYENV_ROOT": str(tmp_path / "pyenv")}) == str(kept)
    assert find_python("3.12", environment | {"PYENV_ROOT": str(tmp_path / "pyenv")}) is None


def test_a_release_has_one_version() -> None:
    """The package's own constant, the distribution, and the lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (locked,) = (
        each for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"] if each["name"] == project["name"]
    )
    assert (project["version"], locked["version"]) == (VERSION, VERSION)


def test_the_page_on_upgrades_begins_with_what_is_locked() -> None:
    """Its first row is what this repository is tested with."""
    page = (ROOT / "docs/upgrading.md").read_text()
    assert f"| {ENGINE_VERSION} | {ENGINE_VERSION} | {TLS_PLUGIN_VERSION} | what `uv.lock` has |" in page
