"""What the hook for commit messages lets through."""

import subprocess
import sys
from pathlib import Path

import pytest

from toolchain.commit_message import problems_of_message

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "message",
    [
        "Never delete files another resource declares\n",
        f"{'x' * 72}\n\nThe why, in {'as many words as it takes ' * 9}.\n",
    ],
    ids=["subject", "subject and body"],
)
def test_a_subject_and_a_body_are_all_that_is_asked(message: str) -> None:
    """How long a body is, is the author's affair."""
    assert problems_of_message(message) == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "empty"),
        ("# Please enter the commit message\n", "empty"),
        (f"{'x' * 73}\n", "73 characters, at most 72"),
        ("Fix it.\n", "full stop"),
        ("Fix it\nand that\n", "second line"),
    ],
    ids=["nothing", "comment", "long", "full stop", "no empty line"],
)
def test_what_lists_of_commits_would_show_badly_is_refused(message: str, said: str) -> None:
    """One sentence says what is wrong."""
    (problem,) = problems_of_message(message)
    assert said in problem


@pytest.mark.parametrize(("message", "code"), [("Fix it\n", 0), ("Fix it.\n", 1)])
def test_the_hook_ends_as_git_expects(tmp_path: Path, message: str, code: int) -> None:
    """Git gives the file's name, and goes on only after 0."""
    path = tmp_path / "COMMIT_EDITMSG"
    path.write_text(message)
    command = [sys.executable, str(ROOT / "toolchain/commit_message.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert bool(done.stderr) is bool(code)
