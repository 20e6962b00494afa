"""The harness over the real engine: one stack from init to destroy, and commands that never outlive their limit."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engine import CommandTimeoutError, Stack, run_limited, write_project
from tests.support.loopback import until

PROGRAM = """
import pulumi
import pulumi_tls as tls

key = tls.PrivateKey("key", algorithm=pulumi.Config().require("algorithm"), ecdsa_curve="P256")
pulumi.export("fingerprint", key.public_key_fingerprint_sha256)
pulumi.export("pem", key.private_key_pem)
"""
CHILD = """
import pathlib, subprocess, sys
child = subprocess.Popen(["sleep", "600"], process_group=0)
pathlib.Path("pid").write_text(str(child.pid))
child.wait()
"""


@pytest.mark.needs_engine
def test_a_stack_lives_from_init_to_destroy(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """Every command of the harness works on one stack, and the state shows no private key unless it is asked to."""
    stack = new_stack(write_project(tmp_path / "project", PROGRAM))
    stack.set_config("algorithm", "ECDSA")
    stack.set_config("unused", "hush-hush", is_secret=True)
    assert "hush-hush" not in (tmp_path / "project/stacks/Pulumi.test.yaml").read_text()

    result = stack.up().expect_success()
    assert "warning" not in str(result)
    assert stack.preview(expect_no_changes=True).is_success
    assert stack.refresh("--expect-no-changes").is_success

    assert stack.outputs()["pem"] == "[secret]"
    assert stack.outputs(show_secrets=True)["pem"].startswith("-----BEGIN EC PRIVATE KEY-----")
    assert "BEGIN EC PRIVATE KEY" not in str(stack.export())
    assert "BEGIN EC PRIVATE KEY" in str(stack.export(show_secrets=True))

    stack.set_config("algorithm", "RSA")
    assert not stack.preview(expect_no_changes=True).is_success
    assert "algorithm" in stack.preview(diff=True).expect_success().stdout
    assert '"op": "replace"' in stack.preview(as_json=True).expect_success().stdout

    stack.destroy().expect_success()
    assert [entry["kind"] for entry in stack.history()] == ["destroy", "refresh", "update"]


def test_a_command_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path) -> None:
    """A child that moved into a process group of its own, as plugins do, ends with the command."""
    child = [sys.executable, "-c", CHILD]
    with pytest.raises(CommandTimeoutError, match=r"no end after 3.0 s"):
        run_limited(child, tmp_path, {}, 3.0)
    pid = int((tmp_path / "pid").read_text())
    # Its entry stays until init has noticed its end.
    assert until(lambda: not Path(f"/proc/{pid}").exists(), 5)
