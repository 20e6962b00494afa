"""docs/who.md, command by command: each is run on the stack of the page, and says what the page shows."""

import os
import re
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.support.engine import REPOSITORY, run_limited
from tests.support.played_engine import PlayedStack
from tests.support.pulumi_stand_in import write_stand_in

PAGE = (REPOSITORY / "docs/who.md").read_text(encoding="utf-8")
(STACK_FILE,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = re.findall(r"^```console\n\$ (postseal .*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(LEFT,) = re.findall(r"^```\n(# left\.txt\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RUNS = (datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 5, 1, 9, tzinfo=UTC))
TODAY = "2026-05-04T09:00:00Z"
ISSUED = re.compile(r"\b(?!AB)[0-9A-F]{2}(:[0-9A-F]{2}){3,}|serial [0-9a-f]+|digest: [0-9a-f]{64}$", re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the list of the page, and what stands in for an engine that has brought the stack up."""
    directory = tmp_path_factory.mktemp("who")
    (directory / "left.txt").write_text(LEFT)
    sections = {key.removeprefix("mail-pki:"): each for key, each in yaml.safe_load(STACK_FILE)["config"].items()}
    with chdir(directory):
        stack = PlayedStack(name="prod")
        for instant in RUNS:
            stack.up(sections, instant)
        write_stand_in(directory, stack.export())
    return directory


def without_chance(text: str) -> str:
    """Return a text without serial numbers, fingerprints and digests of them: no two runs issue the same."""
    return ISSUED.sub("*", text)


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_says_what_the_page_shows(command: str, shown: str, place: Path) -> None:
    """On the day of the page; the list of who left ends with exit code 1."""
    path = f"{place}:{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("POSTSEAL_PULUMI", None)
    done = run_limited(["bash", "-c", f"{command} --now {TODAY}"], place, environment, 60)
    assert done.returncode == (1 if "--left" in command else 0), done
    assert without_chance(done.stdout) == without_chance(shown)


def test_the_page_shows_each_command() -> None:
    """`who` as it is, in part, of those who left; and a life."""
    assert len(SHOWN) == 4
