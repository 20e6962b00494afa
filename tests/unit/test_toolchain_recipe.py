"""The recipe's key stands for everything that decides what a build yields, and the pins agree with each other."""

import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.recipe import ENGINE_VERSION, PARTS, TLS_PLUGIN_VERSION, Part, build_command, recipe_key

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "toolchain"

FILES = st.dictionaries(st.sampled_from([PurePosixPath(name) for name in "abc"]), st.binary(max_size=8), min_size=1)


@given(files=FILES)
def test_the_order_of_files_does_not_matter(files: dict[PurePosixPath, bytes]) -> None:
    """Directories are listed in any order; the key is the same."""
    assert recipe_key(dict(reversed(files.items())), "linux-x") == recipe_key(files, "linux-x")


@given(left=FILES, right=FILES)
def test_other_files_give_another_key(left: dict[PurePosixPath, bytes], right: dict[PurePosixPath, bytes]) -> None:
    """A byte that changes, or moves from one file to the next, makes another engine."""
    assert (recipe_key(left, "linux-x") == recipe_key(right, "linux-x")) is (left == right)


def test_another_platform_gives_another_key() -> None:
    """A home directory shared by machines of two kinds keeps an engine for each."""
    files = {PurePosixPath("go.mod"): b"module x"}
    assert recipe_key(files, "linux-x86_64") != recipe_key(files, "linux-aarch64")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_has_its_pinned_module(part: Part) -> None:
    """The recipe holds go.mod and go.sum for every part that is built."""
    assert (RECIPE / part.name / "go.mod").is_file()
    assert (RECIPE / part.name / "go.sum").is_file()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_binary_is_put_in_place_last(part: Part) -> None:
    """Its presence marks a finished part, so everything else must be there before it."""
    assert part.files[-1] == part.binary


def test_the_build_is_the_same_wherever_the_checkout_lies() -> None:
    """Without -trimpath a binary would hold the paths of the machine that built it."""
    for part in PARTS:
        assert "-trimpath" in build_command(part, "out")
        assert build_command(part, "out")[-3:] == ["-o", "out", part.package]


def test_engine_and_python_packages_have_the_same_versions() -> None:
    """The engine looks the tls plugin up by the exact version of the Python package; the wheel asks for ranges."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {each["name"]: each["version"] for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    pins = [f"pulumi=={ENGINE_VERSION}", f"pulumi-tls=={TLS_PLUGIN_VERSION}"]
    assert project["tool"]["uv"]["constraint-dependencies"] == pins
    assert [f"{name}=={locked[name]}" for name in ("pulumi", "pulumi-tls")] == pins
    assert [each for each in project["project"]["dependencies"] if "==" in each] == []


def test_the_go_sources_have_the_versions_that_the_recipe_states() -> None:
    """What is built is what is announced."""
    assert f"github.com/pulumi/pulumi/pkg/v3 v{ENGINE_VERSION}" in (RECIPE / "cli/go.mod").read_text()
    assert f'version = "{TLS_PLUGIN_VERSION}"' in (RECIPE / "tls/main.go").read_text()
    assert all(f"/v3/go/common/version.Version=v{ENGINE_VERSION}" in part.linker_flags for part in PARTS[:2])


def test_the_oldest_go_is_the_one_the_modules_ask_for() -> None:
    """A Go that is let through must be able to read every go.mod."""
    asked = {re.findall(r"^go (\S+)$", (RECIPE / part.name / "go.mod").read_text(), re.MULTILINE)[0] for part in PARTS}
    assert asked == {"1.26"}
