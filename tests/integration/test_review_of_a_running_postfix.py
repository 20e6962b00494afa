"""`postseal review` of a host whose Postfix runs here: what it says of reloading is what the next `up` does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import REPOSITORY, run_limited
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.stacks import MailStack, mail_stack

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.takes_long]

MAIN_CF = "compatibility_level = 3.6\nmyhostname = mx1.example.org\nmynetworks = 127.0.0.0/8\n"


def declare(mail: MailStack, instance: PostfixInstance, *clients: str) -> None:
    """Declare clients who all relay through that Postfix."""
    mail.declare(
        {
            "authority": {"common_name": "Example Mail CA", "protect": False},
            "clients": {name: {"email": f"{name}@example.org"} for name in clients},
            "hosts": {
                "mx1": {
                    "myhostname": "mx1.example.org",
                    "relay_clients": list(clients),
                    "target": {"local": str(instance.config_directory), "ownership": "merge"},
                }
            },
        }
    )


def review(place: Path, *arguments: str) -> str:
    """Run the command with no passphrase in the environment."""
    command = [str(REPOSITORY / ".venv/bin/postseal"), "review", *arguments]
    return run_limited(command, place, {"PATH": "/usr/bin:/bin", "HOME": str(place)}, 120).stdout


def test_a_review_says_what_a_postfix_here_does(engine_home: Path, postfix_instance: Boot, tmp_path: Path) -> None:
    """Who comes and goes with this `up`, and the reload that follows; where nothing changes, neither."""
    rendered, place = tmp_path / "rendered", tmp_path / "elsewhere"
    rendered.mkdir()
    place.mkdir()
    (rendered / "main.cf").write_text(MAIN_CF)
    instance = postfix_instance(rendered)
    mail = mail_stack(tmp_path / "office", engine_home)
    declare(mail, instance, "alice", "bob")
    mail.stack.up().expect_success()
    (place / "state.json").write_text(json.dumps(mail.stack.export()))
    new, old = mail.project / "stacks/Pulumi.test.yaml", place / "Pulumi.test.yaml"
    old.write_text(new.read_text())
    files: tuple[Any, ...] = ("--state", "state.json", "--from", str(old), "--to", str(new))
    assert "**Nothing changes.**" in review(place, *files)

    declare(mail, instance, "alice", "carol")
    told = review(place, *files)
    assert f"local `{instance.config_directory}`" in told
    assert "\nPostfix **reloads**. Written: " in told
    assert re.search(r"\| - \| bob \| 1 \| [^|]* \| \*\*this `up`\*\* \| client removed \|", told)
    assert re.search(r"\| \+ \| carol \| 1 \| this `up` \(", told)
    assert "By hand" not in told
    assert "carried" not in told

    done = " ".join(str(mail.stack.up().expect_success()).split())
    assert "Postfix was reloaded" in done
    names = {line.split()[1] for line in (instance.config_directory / "relay_clientcerts").read_text().splitlines()
             if not line.startswith("#")}  # fmt: skip
    assert names == {"alice", "carol"}
