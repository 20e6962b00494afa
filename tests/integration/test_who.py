"""`postseal who` on the state of a real stack: it says what stands in the tables, and what Postfix finds there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postseal_core.instants import format_instant, parse_instant
from tests.support.engine import REPOSITORY, Result, run_limited
from tests.support.stacks import MailStack, mail_stack, table_rows

pytestmark = [pytest.mark.needs_engine]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
FIRST = NOW - 31 * DAY
FOREIGN = ":".join(["AB"] * 32)
STRANGER = ":".join(["CD"] * 32)
MX1: dict[str, Any] = {
    "myhostname": "mx1.example.org",
    "relay_clients": ["alice", "bob", "relay"],
    "relay_rosters": ["staff"],
    "extra_relay_clients": [{"name": "partner", "fingerprint_sha256": FOREIGN}],
    "relay": {"networks": ["127.0.0.0/8", "192.0.2.0/28"]},
}
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "protect": False},
    "lifetime": {"leaf": {"validity": "60d", "renew_fraction": "1/2", "overlap": "10d"}},
    "clients": {
        "alice": {"email": "alice@example.org", "pkcs12": "modern"},
        "bob": {"email": "bob@example.org"},
        "relay": {
            "dns_names": ["relay.example.org"],
            "match": "public_key",
            "lifetime": {"renew_key": "never"},
        },
    },
    "rosters": {"staff": {"clients": {"anna": {"email": "anna@example.org"}, "ben": {"email": "ben@example.org"}}}},
    "hosts": {"mx1": MX1, "mx2": {"myhostname": "mx2.example.org", "relay_clients": ["bob"]}},
}
WITHOUT_ALICE = SECTIONS | {
    "clients": {name: each for name, each in SECTIONS["clients"].items() if name != "alice"},
    "hosts": SECTIONS["hosts"] | {"mx1": MX1 | {"relay_clients": ["bob", "relay"]}},
}


@dataclass(slots=True)
class Lived:
    """A stack whose certificates were renewed once: each has two generations."""

    mail: MailStack

    def postseal(self, *arguments: str) -> Result:
        """Run the command, which asks the engine for the state and has no passphrase."""
        stack = self.mail.stack
        environment = {name: value for name, value in stack.environment().items() if "PASSPHRASE" not in name}
        environment["POSTSEAL_PULUMI"] = str(REPOSITORY / "toolchain/pulumi")
        command = [str(Path(sys.executable).with_name("postseal")), *arguments, "--stack", stack.name]
        return run_limited(command, stack.project, os.environ | environment, 120)

    def who(self, *arguments: str) -> dict[str, Any]:
        """Return the hosts of the answer by name."""
        done = self.postseal("who", "--format", "json", *arguments).expect_success()
        return {each["host"]: each for each in json.loads(done.stdout)["hosts"]}

    def due_until(self, until: datetime) -> list[datetime]:
        """Return the instants from now on at which `up` has something to do, and the end of that time."""
        done = self.postseal("forecast", "--format", "json", "--until", format_instant(until)).expect_success()
        return sorted({until, *(parse_instant(each["at"]) for each in json.loads(done.stdout)["changes"])})

    def table(self, host: str) -> Path:
        """Return where the rows of a host are."""
        return self.mail.out / host / "postfix"

    def up(self, sections: Mapping[str, Any], at: datetime) -> None:
        """Bring the stack up at an instant."""
        self.mail.declare(sections, clock=at)
        self.mail.stack.up().expect_success()


@pytest.fixture(scope="module")
def lived(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Bring a stack up, and again a month later, when everything is renewed."""
    stack = Lived(mail_stack(tmp_path_factory.mktemp("who"), engine_home))
    stack.up(SECTIONS, FIRST)
    stack.up(SECTIONS, NOW)
    return stack


def fingerprints(host: Mapping[str, Any]) -> dict[str, str]:
    """Return the client of each row."""
    return {each["fingerprint_sha256"]: each["client"] for each in host["rows"]}


def found_by_postfix(directory: Path, fingerprint: str) -> str:
    """Return what postmap(1) finds of a fingerprint in a host's table, as smtpd(8) looks it up; empty for nothing."""
    command = ["postmap", "-c", str(directory), "-q", fingerprint, f"texthash:{directory}/relay_clientcerts"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def test_the_life_of_a_stack_is_told_as_it_is(lived: Lived, tmp_path: Path) -> None:
    """Rows of today, a later day, who left and is let in, and who left and was taken out: one stack, in that order."""
    today = lived.who()
    compare_with_disk(lived, today)
    assert {(each["client"], each["generation"]) for each in today["mx1"]["rows"]} == {
        *((name, number) for name in ("alice", "bob", "anna", "ben") for number in (1, 2)),
        ("relay", 2),
        ("partner", None),
    }
    assert today["mx1"]["networks"] == ["127.0.0.0/8", "192.0.2.0/28"]
    assert today["mx1"]["login_relays"] is False
    told = lived.postseal("explain", "alice").expect_success().stdout
    assert "generation 2 let in on mx1 (smtp)" in told

    left = tmp_path / "left.txt"
    left.write_text("Alice@example.org\n")
    refused = lived.postseal("who", "--left", str(left))
    assert refused.returncode == 1
    assert "by certificate 1 client, 2 rows" in refused.stdout

    # What is only declared changes nothing yet: rows are what the last `up` has left.
    later = NOW + 35 * DAY
    then = lived.who("--at", format_instant(later))
    lived.mail.declare(WITHOUT_ALICE, clock=later)
    assert lived.postseal("who", "--left", str(left)).returncode == 1

    for due in lived.due_until(later):
        lived.up(SECTIONS, due)
    done = lived.who()
    compare_with_disk(lived, done)
    for host, each in done.items():
        known = set(fingerprints(then[host])) - {None}
        assert {(row["client"], row["generation"], row["until"]) for row in each["rows"]} == {
            (row["client"], row["generation"], row["until"]) for row in then[host]["rows"]
        }
        assert known <= set(fingerprints(each))

    lived.up(WITHOUT_ALICE, later)
    gone = lived.postseal("who", "--left", str(left)).expect_success()
    assert "declared for no certificate of this stack (taken out, or misspelt): Alice@example.org" in gone.stdout
    compare_with_disk(lived, lived.who())
    assert all(row["client"] != "alice" for row in lived.who()["mx1"]["rows"])


def compare_with_disk(lived: Lived, told: Mapping[str, Any]) -> None:
    """Compare the rows that are told with the table of each host, and with what Postfix finds where it is installed."""
    for host, each in told.items():
        directory, rows = lived.table(host), fingerprints(each)
        on_disk = {fingerprint: words.split()[0] for fingerprint, words in table_rows(directory).items()}
        assert rows == on_disk
        if shutil.which("postmap"):
            assert {each: found_by_postfix(directory, each).split()[0] for each in rows} == on_disk
            assert found_by_postfix(directory, STRANGER) == ""


def test_a_table_that_somebody_else_changed_is_noticed_by_the_comparison(lived: Lived) -> None:
    """A control: with a row more or less on disk, answer and table differ."""
    table = lived.table("mx2") / "relay_clientcerts"
    before, told = table.read_text(), lived.who()
    table.write_text(f"{before}{STRANGER} mallory\n")
    try:
        with pytest.raises(AssertionError):
            compare_with_disk(lived, told)
    finally:
        table.write_text(before)
    compare_with_disk(lived, told)
