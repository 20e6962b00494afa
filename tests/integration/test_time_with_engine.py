"""Days go by in the real engine: rehearsals, renewals in place, plans, interruptions; nobody is locked out."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.lifetime import begin_of
from postseal_core.instants import format_instant
from tests.support.engine import Result, Stack, kill_session
from tests.support.loopback import until
from tests.support.postfix_instance import Boot
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    CERTIFICATES,
    MailStack,
    certificates,
    custom_resources,
    handed_out,
    mail_stack,
    open_parts,
    table_rows,
    told_of_generations,
    tree,
)

pytestmark = pytest.mark.needs_engine

NOW = datetime.now(UTC)
# Certificates live 30 days, are due after 15, and the one before stays accepted for 5 more.
FIRST, DUE, RETIRED, DUE_AGAIN = (NOW + timedelta(days=days) for days in (-16, 0, 6, 15.1))
CLIENTS = ("alice", "bob", "relay2")
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0},
    "lifetime": {"leaf": {"validity": "30d", "renew_fraction": "1/2", "overlap": "5d"}},
    "clients": {
        "alice": {"email": "alice@example.org", "pkcs12": "modern"},
        "bob": {"email": "bob@example.org"},
        "relay2": {"dns_names": ["relay2.example.org"]},
    },
    "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": list(CLIENTS)}},
}
VARIABLES = {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_EXPERIMENTAL": "true"}
EVENT_SECONDS = 60.0


@dataclass(slots=True)
class Days:
    """What one stack went through; `kept` has a copy of its files by the name of a moment."""

    mail: MailStack
    results: dict[str, Result] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def kept(self, moment: str) -> Path:
        """Return the copy of a moment."""
        return self.mail.project.parent / "kept" / moment

    def keep(self, moment: str) -> None:
        """Copy the files and the state as they are now."""
        shutil.copytree(self.mail.out, self.kept(moment))
        self.states[moment] = self.mail.stack.export()

    def rows(self, moment: str) -> set[str]:
        """Return the accepted fingerprints of a moment."""
        return set(table_rows(self.kept(moment) / "mx1/postfix"))

    def handed_out(self, moment: str) -> set[str]:
        """Return the fingerprints of what the clients had in their directories."""
        return {handed_out(self.kept(moment), name).fingerprint_sha256 for name in CLIENTS}

    def urns(self, moment: str) -> set[str]:
        """Return the names of all resources of a moment."""
        return {each["urn"] for each in self.states[moment]["deployment"]["resources"]}


def urn_of(state: Mapping[str, Any], type_token: str, name: str) -> str:
    """Return the URN of a resource."""
    found = [each["urn"] for each in custom_resources(state, type_token)]
    return str(next(urn for urn in found if urn.endswith(f"::{name}")))


def kill_in_the_middle(stack: Stack, event_log: Path) -> None:
    """Start an `up` and kill the engine, as a machine that loses power would, once it has changed a certificate."""
    command = ["up", "--yes", "--skip-preview", "--non-interactive", "--parallel=1", "--event-log", str(event_log)]
    with subprocess.Popen(
        ["pulumi", *command, "--stack", stack.name],
        cwd=stack.project,
        env=stack.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert until(lambda: _has_changed_a_certificate(event_log), EVENT_SECONDS)
            os.kill(process.pid, signal.SIGKILL)
        finally:
            kill_session(process.pid)


def _has_changed_a_certificate(event_log: Path) -> bool:
    lines = event_log.read_text().splitlines() if event_log.exists() else []
    # The last line may be written in part only, so none is read as JSON.
    updated = [line for line in lines if '"resOutputsEvent":{"metadata":{"op":"update"' in line]
    return any(f'"type":"{token}"' in line for line in updated for token in CERTIFICATES)


@pytest.fixture(scope="module")
def days(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Let a rehearsal stack live from its first day to its second renewal."""
    mail = mail_stack(tmp_path_factory.mktemp("days"), engine_home, variables=VARIABLES)
    lived, stack = Days(mail), mail.stack
    mail.declare(SECTIONS, clock=FIRST)
    stack.up().expect_success()
    lived.keep("first")

    mail.declare(SECTIONS, clock=DUE, is_rehearsal=False)
    lived.results["preview"] = stack.preview().expect_success()
    lived.results["diff"] = stack.preview(diff=True).expect_success()
    lived.results["refused"] = stack.up()
    lived.keep("refused")

    mail.declare(SECTIONS, clock=DUE)
    alice = urn_of(lived.states["first"], "postseal:index:ClientCertificate", "alice")
    lived.results["target"] = stack.up("--target", alice)
    lived.keep("target")
    lived.results["refresh"] = stack.refresh()
    lived.results["up --refresh"] = stack.up("--refresh")
    lived.keep("overlap")
    lived.results["settled"] = stack.preview(expect_no_changes=True)

    mail.declare(SECTIONS, clock=RETIRED)
    plan = str(stack.scratch / "plan.json")
    stack.preview("--save-plan", plan).expect_success()
    lived.results["plan"] = stack.up("--plan", plan)
    lived.keep("retired")

    mail.declare(SECTIONS, clock=DUE_AGAIN)
    kill_in_the_middle(stack, stack.scratch / "events.log")
    shutil.copytree(mail.out, lived.kept("killed"))
    lived.results["locked"] = stack.up()
    stack.run("cancel", "--yes").expect_success()
    lived.results["recovered"] = stack.up()
    lived.keep("recovered")
    lived.results["destroy"] = stack.run("destroy", "--yes")
    lived.keep("still there")
    return lived


def test_a_preview_of_another_day_tells_renewals_in_words(days: Days) -> None:
    """A plain preview has a line for the host; the detailed one says why, and what stays accepted until when."""
    end, overlap = (format_instant(each)[:10] for each in (begin_of(DUE) + timedelta(days=30), DUE + timedelta(days=5)))
    words = f"mx1: 3 rows before, 6 rows after; renewed: alice, bob, relay2; 3 beside a newer one until {overlap}; "
    assert words in str(days.results["preview"])
    shown = days.results["diff"].stdout
    assert shown.count("half of 30 d have passed") == len(("mx1", *CLIENTS))
    for name in CLIENTS:
        told = told_of_generations(shown, name)
        assert told.startswith(f"g1 -> g2 until {end}, renewal due since ")
        assert told.endswith(f"; g1 accepted until {overlap}")
    assert f'+ g2 until {end} beside g1 until {overlap}: "3 in all: alice, bob, relay2"' in shown
    assert "replace" not in shown


def test_an_up_on_another_day_is_refused_and_changes_nothing(days: Days) -> None:
    """Without `postseal:rehearsal` only previews look at another day."""
    refused = days.results["refused"]
    assert not refused.is_success
    assert "postseal:clock" in str(refused)
    assert "Traceback" not in str(refused)
    assert tree(days.kept("refused")) == tree(days.kept("first"))
    assert open_parts(days.states["refused"]) == open_parts(days.states["first"])


def test_up_with_a_target_renews_that_one_and_loses_nothing(days: Days) -> None:
    """The targeted certificate is renewed alone; the host that was left out accepts what it did."""
    assert days.results["target"].is_success, str(days.results["target"])
    generations = {name: each["generation"] for name, each in certificates(days.states["target"]).items()}
    assert generations == {"authority": 1, "mx1": 1, "alice": 2, "bob": 1, "relay2": 1}
    assert days.rows("target") == days.rows("first")
    assert days.handed_out("first") <= days.rows("overlap")


def test_renewal_is_in_place_and_both_generations_are_accepted(days: Days) -> None:
    """The same resources hold the new certificates; the table has old and new rows until the old ones retire."""
    for command in ("refresh", "up --refresh", "settled"):
        assert days.results[command].is_success, f"{command}: {days.results[command]}"
    assert days.urns("overlap") == days.urns("first")
    assert days.handed_out("first").isdisjoint(days.handed_out("overlap"))
    assert days.rows("overlap") == days.handed_out("first") | days.handed_out("overlap")


def test_a_plan_is_carried_out_as_it_was_shown(days: Days) -> None:
    """`up --plan` retires the old generation, and then only the new one is accepted."""
    assert days.results["plan"].is_success, str(days.results["plan"])
    assert days.rows("retired") == days.handed_out("retired") == days.handed_out("overlap")


@pytest.mark.needs_postfix
@pytest.mark.parametrize(("moment", "old", "new"), [("first", 250, 554), ("overlap", 250, 250), ("retired", 554, 250)])
def test_postfix_follows_a_renewal(days: Days, postfix_instance: Boot, moment: str, old: int, new: int) -> None:
    """Before the renewal the old certificate relays, in the overlap both do, afterwards the new one only."""
    instance = postfix_instance(days.kept(moment) / "mx1/postfix")
    codes = {}
    for name in CLIENTS:
        for age, holder in (("old", "first"), ("new", "overlap")):
            seen = probe(instance.port, client_certificate=handed_out(days.kept(holder), name))
            codes[name, age] = seen.rcpt.code if seen.rcpt else None
    assert codes == {(name, age): code for name in CLIENTS for age, code in (("old", old), ("new", new))}
    assert instance.complaints() == []


def test_a_killed_engine_loses_no_accepted_certificate(days: Days) -> None:
    """After kill -9, `pulumi cancel` and `up`, everything is renewed and all that was handed out is still accepted."""
    assert "locked" in str(days.results["locked"])
    assert days.results["recovered"].is_success, str(days.results["recovered"])
    everything = days.handed_out("retired") | days.handed_out("killed") | days.handed_out("recovered")
    assert days.rows("recovered") == everything
    assert days.handed_out("retired").isdisjoint(days.handed_out("recovered"))
    generations = {name: each["generation"] for name, each in certificates(days.states["recovered"]).items()}
    assert generations == {"authority": 1} | dict.fromkeys(("mx1", *CLIENTS), 3)


def test_a_protected_authority_stops_destroy_before_anything_is_lost(days: Days) -> None:
    """The engine's preview names what is protected, and state and files stay whole.

    With `--skip-preview` the engine finds out too late: it keeps the authority and deletes what is not protected.
    """
    assert not days.results["destroy"].is_success
    assert "protect" in str(days.results["destroy"])
    assert days.urns("still there") == days.urns("recovered")
    assert tree(days.kept("still there")) == tree(days.kept("recovered"))
