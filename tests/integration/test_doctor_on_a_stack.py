"""`postseal doctor` beside a real engine, a real state and a real passphrase file."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import REPOSITORY, Stack, prepare_home, write_project

pytestmark = pytest.mark.needs_engine


def doctor(stack: Stack, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code, and the last finding of each topic."""
    command = [str(REPOSITORY / ".venv/bin/postseal"), "doctor", "--json", "--stack", stack.name]
    done = subprocess.run(
        command, cwd=stack.project, env=stack.environment() | variables, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, {each["topic"]: each for each in json.loads(done.stdout)["findings"]}


def test_a_sound_stack_has_no_fault_and_each_damage_is_found(tmp_path: Path) -> None:
    """First all is well; then a passphrase for everybody, a state directory for everybody, and another stack's name."""
    stack = Stack(write_project(tmp_path / "project", ""), tmp_path / "backend", prepare_home(tmp_path / "home")).init()
    stack.up().expect_success()
    passphrase, state = stack.scratch / "passphrase", stack.scratch / "state"
    passphrase.chmod(0o600)
    state.chmod(0o700)
    code, found = doctor(stack)
    assert code == 0
    sound = ("engine", "packages", "tls plugin", "postseal plugin", "state", "passphrase", "state directory", "clock")
    assert {topic: found[topic]["severity"] for topic in sound} == dict.fromkeys(sound, "ok")

    passphrase.chmod(0o644)
    state.chmod(0o755)
    code, found = doctor(stack, PULUMI_DEBUG_GRPC=str(tmp_path / "grpc.json"))
    assert code == 1
    damaged = {"passphrase": "fault", "state directory": "warning", "logs": "fault"}
    assert {topic: found[topic]["severity"] for topic in damaged} == damaged
    absent = Stack(stack.project, stack.scratch, stack.home, name="absent")
    assert doctor(absent)[1]["state"]["severity"] == "fault"
