"""What docs/debugging-the-plugin.md says works as it stands: the engine connects to a plugin that somebody started."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.engine import REPOSITORY, Stack, copy_project, run_limited

pytestmark = pytest.mark.needs_engine

PAGE = (REPOSITORY / "docs/debugging-the-plugin.md").read_text()
COMMAND = re.compile(r"^\$ (?P<command>.+)$", re.MULTILINE)
PORT = re.compile(r"^(?P<port>\d+)$", re.MULTILINE)


@contextmanager
def plugin_by_hand(command: str, stack: Stack) -> Iterator[tuple[str, Path]]:
    """Start the plugin as the page does; yield its port and the file that takes what it says."""
    said = stack.scratch / "said"
    with (
        said.open("w") as stderr,
        subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=stack.project,
            env=stack.environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as plugin,
    ):
        assert plugin.stdout is not None
        try:
            yield plugin.stdout.readline().strip(), said
        finally:
            plugin.kill()


@pytest.mark.parametrize("arguments", ["preview", "up --yes"])
def test_the_engine_uses_a_plugin_that_was_started_by_hand(arguments: str, engine_home: Path, tmp_path: Path) -> None:
    """Both commands of the page, with the port of today; an `up` connects for its preview and for its update."""
    start, run = COMMAND.findall(PAGE)
    (port_of_the_page,) = PORT.findall(PAGE)
    project = copy_project(REPOSITORY, tmp_path / "project")
    for name in (".venv", "toolchain"):
        (project / name).symlink_to(REPOSITORY / name)
    stack = Stack(project, tmp_path / "backend", engine_home, name="dev").init()
    with plugin_by_hand(start, stack) as (port, said):
        command = run.replace(port_of_the_page, port).replace(" preview ", f" {arguments} --non-interactive ")
        assert f":{port} " in command
        result = run_limited(["sh", "-c", command], project, stack.environment(), 120).expect_success()
        assert "alice" in result.stdout
        greetings = re.findall(r"^postseal: serving the engine at (127\.0\.0\.1:\d+)$", said.read_text(), re.MULTILINE)
    assert len(set(greetings)) == (2 if arguments.startswith("up") else 1)
