"""The digest of a host's ledger on the real engine: what `up` puts into the outputs is what `who` says of the state."""

import copy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postfix.host_resource.records import HostRow
from postseal.ledger.documents import render_text
from postseal.ledger.reading import read_ledger
from postseal_core.packing import pack_records, unpack_records
from tests.support.stacks import MailStack, mail_stack

pytestmark = pytest.mark.needs_engine

START = datetime(2027, 1, 4, 9, tzinfo=UTC)


def sections(*clients: str, **mx1: Any) -> dict[str, Any]:
    """Return a stack file with these clients on mx1, which has further keys, and alice on mx2."""
    hosts = {"mx1": {"relay_clients": list(clients), **mx1}, "mx2": {"relay_clients": ["alice"]}}
    return {
        "authority": {"common_name": "Example Mail CA", "path_length": 0},
        "lifetime": {"leaf": {"validity": "90d", "renew_before": "30d", "overlap": "14d"}},
        "clients": {name: {"email": f"{name}@example.org"} for name in {"alice", *clients}},
        "rosters": {"staff": {"clients": {"anna": {"email": "anna@example.org"}}}},
        "hosts": {name: {"myhostname": f"{name}.example.org", **each} for name, each in hosts.items()},
    }


def with_ben(declared: dict[str, Any]) -> dict[str, Any]:
    """Return a stack file with another client in the roster."""
    staff = {name: {"email": f"{name}@example.org"} for name in ("anna", "ben")}
    return declared | {"rosters": {"staff": {"clients": staff}}}


OPEN = {"networks": ["127.0.0.0/8", "192.0.2.0/28"], "sasl": True}
STRICT = {"settings": {"smtpd_helo_required": True}, "relay": OPEN}
STAFF = {"relay_rosters": ["staff"]}
PARTNER = {"extra_relay_clients": [{"name": "partner", "fingerprint_sha256": ":".join(["AB"] * 32)}]}

# What is declared, on which day, whether mx1 lets in somebody else then, and whether a preview has the new digest: the
# engine shows nothing of an output that is not known yet.
STEPS: tuple[tuple[dict[str, Any], int, bool, bool], ...] = (
    (sections("alice", "bob"), 0, False, False),
    (sections("alice"), 0, True, True),
    (sections("alice", relay=OPEN), 0, True, True),
    (sections("alice", **STRICT), 0, False, False),
    (sections("alice", **STRICT, **PARTNER), 0, True, True),
    (sections("alice", "carol", **STRICT, **PARTNER), 0, True, False),
    (sections("alice", "carol", **STRICT, **PARTNER), 61, True, False),
    (sections("alice", "carol", **STRICT, **PARTNER, **STAFF), 61, True, True),
    (with_ben(sections("alice", "carol", **STRICT, **PARTNER, **STAFF)), 61, True, False),
    (with_ben(sections("alice", "carol", **STRICT, **PARTNER, **STAFF)), 62, False, False),
    (with_ben(sections("alice", "carol", **STRICT, **PARTNER)), 80, True, True),
)


def computed(export: Any) -> dict[str, Any]:
    """Return the digest of each host as `who` computes it."""
    return {each.host: each.digest for each in read_ledger(export, START).hosts}


def recorded(export: Any) -> dict[str, Any]:
    """Return the digest of each host in the stack's outputs, as an exported state has them."""
    (stack,) = (each for each in export["deployment"]["resources"] if each["type"] == "pulumi:pulumi:Stack")
    found = {name.removeprefix("ledger_"): each for name, each in stack["outputs"].items()}
    return {host: found[host] for host in ("mx1", "mx2")}


def said_in_preview(mail: MailStack) -> list[str]:
    """Return the lines about the digest of mx1."""
    return [line for line in mail.stack.preview(diff=True).expect_success().stdout.splitlines() if "ledger_mx1" in line]


def test_git_and_state_are_witnesses_of_each_other(engine_home: Path, tmp_path: Path) -> None:
    """After every `up` outputs and `who` agree; a change of who is let in is another digest, and nothing else is."""
    mail = mail_stack(tmp_path, engine_home)
    mail.declare(STEPS[0][0], clock=START)
    mail.stack.up().expect_success()
    before = mail.stack.outputs()["ledger_mx1"]
    for number, (declared, day, is_another, is_foreseen) in enumerate(STEPS):
        mail.declare(declared, clock=START + timedelta(days=day))
        said = said_in_preview(mail)
        mail.stack.up().expect_success()
        export = mail.stack.export()
        after = mail.stack.outputs()["ledger_mx1"]
        assert re.fullmatch("[0-9a-f]{64}", after)
        assert computed(export) == recorded(export), number
        assert (after != before) is is_another, number
        assert [line.partition(": ")[2] for line in said] == [f'"{before}" => "{after}"'] * is_foreseen, number
        before = after

    forged = with_a_row_by_hand(export)
    assert computed(export) == recorded(export)
    assert computed(forged)["mx1"] != recorded(forged)["mx1"]
    assert computed(forged)["mx2"] == recorded(forged)["mx2"]
    assert "look at digest: the last `up` recorded" in render_text(read_ledger(forged, START))
    assert "look at digest" not in render_text(read_ledger(export, START))


def with_a_row_by_hand(export: Any) -> Any:
    """Return an export in which somebody else is let in on mx1, as who can write the state would do it."""
    forged = copy.deepcopy(export)
    (host,) = (each for each in forged["deployment"]["resources"] if each["urn"].endswith("PostfixHost::mx1"))
    rows = list(unpack_records(HostRow, host["outputs"]["rows"]))
    eve = replace(rows[0].accepted, client="eve", fingerprint_sha256=":".join(["EE"] * 32))
    host["outputs"]["rows"] = pack_records([*rows, replace(rows[0], accepted=eve)])
    return forged
