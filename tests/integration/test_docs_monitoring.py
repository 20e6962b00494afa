"""docs/monitoring.md, command by command, with promtool's word on what comes of it."""

import os
import re
import shutil
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.engine import REPOSITORY, run_limited
from tests.support.played_engine import PlayedStack
from tests.support.pulumi_stand_in import write_stand_in
from tests.support.stack_files import roster
from toolchain.promtool import promtool

pytestmark = pytest.mark.needs_promtool

PAGE = (REPOSITORY / "docs/monitoring.md").read_text(encoding="utf-8")
COMMANDS = "".join(dedent(each) for each in re.findall(r"^ *```console\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL))
SHOWN = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", COMMANDS, re.MULTILINE)
(CONFIGURATION,) = re.findall(r"^ *```yaml\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
RULES = REPOSITORY / "examples/monitoring/postseal.rules.yml"
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the rules, promtool, and what stands in for an engine that has brought a stack up."""
    directory = tmp_path_factory.mktemp("monitoring")
    (directory / "promtool").symlink_to(str(promtool(REPOSITORY, os.environ)))
    (directory / "textfile").mkdir()
    shutil.copy(RULES, directory)
    (directory / "prometheus.yml").write_text(dedent(CONFIGURATION), encoding="utf-8")
    with chdir(directory):
        stack = PlayedStack(name="prod")
        stack.up(roster(), NOW)
        write_stand_in(directory, stack.export())
    return directory


def run(command: str, place: Path) -> str:
    """Run a command of the page there and return what it prints."""
    path = f"{place}:{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "POSTSEAL_PULUMI"} | {"PATH": path}
    done = run_limited(["bash", "-c", command], place, environment, 60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_each_command_of_the_page_does_what_it_says(place: Path) -> None:
    """In their order; and the configuration that is shown is one that Prometheus takes, with these rules."""
    assert len(SHOWN) == 6
    for command, shown in SHOWN:
        said = run(command, place)
        if not command.startswith("grep"):
            assert said.strip() == shown.strip(), command
        else:
            assert int(said) > 10
    assert [each.name for each in (place / "textfile").iterdir()] == ["postseal-prod.prom"]
    assert "20 rules found" in run("promtool check config prometheus.yml", place)
