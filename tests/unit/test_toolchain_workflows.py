"""The workflows are checked where that is possible, and run what CI runs with no more rights than it needs."""

import os
import re
from pathlib import Path

import pytest
import yaml

from toolchain.errors import ToolchainError
from toolchain.versions import OTHERS
from toolchain.workflows import lint_workflows

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED_ACTION = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

GO = """#!/bin/sh
[ "$1" = build ] || exit 9
echo "$PWD" >> "$CALLS"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho "$PWD" >> "$CALLS"\\nexit $VERDICT\\n' > "$2" && chmod 755 "$2"
"""


def machine(directory: Path, *, has_go: bool = True, verdict: int = 0, **variables: str) -> dict[str, str]:
    """Return the environment of a machine whose actionlint comes to a verdict; `calls` notes where programs ran."""
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    if has_go:
        (programs / "go").write_text(GO)
        (programs / "go").chmod(0o755)
    own = {"HOME": str(directory), "PATH": f"{programs}:/usr/bin:/bin", "CALLS": str(directory / "calls")}
    return own | {"VERDICT": str(verdict)} | variables


def calls(directory: Path) -> list[str]:
    """Return the directories in which go and actionlint ran, below the checkout."""
    return [os.path.relpath(line, ROOT) for line in (directory / "calls").read_text().splitlines()]


def test_actionlint_is_built_once_and_run_each_time(tmp_path: Path) -> None:
    """It is built from the pinned module of the checkout and looks at the checkout."""
    for _ in range(2):
        lint_workflows(ROOT, machine(tmp_path))
    assert calls(tmp_path) == ["toolchain/actionlint", ".", "."]


def test_a_fault_in_a_workflow_is_a_failure(tmp_path: Path) -> None:
    """Actionlint has said which."""
    with pytest.raises(ToolchainError, match="its message stands above"):
        lint_workflows(ROOT, machine(tmp_path, verdict=1))


def test_without_go_the_check_is_left_out_but_not_in_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has an engine needs no Go; where everything is checked, nothing is left out in silence."""
    lint_workflows(ROOT, machine(tmp_path, has_go=False))
    assert "the workflows: not checked" in capsys.readouterr().out
    with pytest.raises(ToolchainError, match="actionlint is built with Go, and there is no go on PATH"):
        lint_workflows(ROOT, machine(tmp_path, has_go=False, CI="true"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_may_only_read(workflow: Path) -> None:
    """A tag can be moved to other code, a commit cannot; a job that only reads cannot be made to write."""
    text = workflow.read_text()
    uses = re.findall(r"uses: *(.+)", text)
    assert [each for each in uses if not PINNED_ACTION.fullmatch(each)] == []
    content = yaml.safe_load(text)
    assert content["permissions"] == {}
    assert [job["permissions"] for job in content["jobs"].values()] == [{"contents": "read"}] * len(content["jobs"])


def test_the_workflow_runs_what_ci_runs_under_the_pythons_that_are_claimed() -> None:
    """One script, whoever runs it; the README names the same Pythons."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert jobs["everything"]["steps"][-1]["run"].split()[-1] == ".ci/run"
    assert jobs["versions"]["strategy"]["matrix"]["python"] == list(OTHERS)
    readme = (ROOT / "README.md").read_text()
    assert "Python 3.11 or newer" in readme
    assert all(version in readme for version in OTHERS)
