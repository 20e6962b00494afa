"""Where promtool comes from: the machine, or a package that is unpacked and never installed."""

from pathlib import Path

import pytest

from toolchain.promtool import ensure_promtool, promtool

ROOT = Path(__file__).parents[2]


def unpack(directory: Path) -> bool:
    """Stand in for apt-get."""
    program = directory / "usr/bin/promtool"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    return True


def never(directory: Path) -> bool:
    """Stand in for apt-get where nobody may ask it."""
    raise AssertionError(directory)


def test_it_is_unpacked_once_and_found_from_then_on(tmp_path: Path) -> None:
    """In the cache, which all checkouts share; nothing else stays there."""
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert promtool(ROOT, environment) is None
    ensure_promtool(ROOT, environment, unpack)
    found = promtool(ROOT, environment)
    assert found == tmp_path / "cache/postseal/promtool/promtool"
    assert [each.name for each in found.parent.iterdir()] == ["promtool"]
    ensure_promtool(ROOT, environment, never)


def test_that_of_the_machine_is_as_good(tmp_path: Path) -> None:
    """Nothing is fetched where one is on PATH."""
    unpack(tmp_path)
    (tmp_path / "usr/bin/promtool").chmod(0o755)
    environment = {"PATH": str(tmp_path / "usr/bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ensure_promtool(ROOT, environment, never)
    assert promtool(ROOT, environment) == tmp_path / "usr/bin/promtool"


def test_where_it_cannot_be_had_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tests go on without it, and nothing half done is left."""
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ensure_promtool(ROOT, environment, lambda _: False)
    assert promtool(ROOT, environment) is None
    assert "could not be had" in capsys.readouterr().out
