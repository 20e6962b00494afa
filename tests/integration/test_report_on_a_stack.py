"""The report and the forecast on the state of a real stack: what they say is what the next previews do."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from postseal.cli import RENDERERS
from postseal_core.instants import format_instant, parse_instant
from tests.support.engine import REPOSITORY, Stack
from tests.support.judges import openssl_fingerprint
from tests.support.rosters import by_client
from tests.support.stacks import (
    CERTIFICATES,
    MailStack,
    certificates,
    load_certificates,
    mail_stack,
    resource_outputs,
    table_rows,
)

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
# Most certificates live 60 days and are due after 30; alice and one client of the roster 20, so they are due after 10.
FIRST = NOW - 11 * DAY
SHORT = {"validity": "20d"}
SECTIONS: dict[str, Any] = {
    "authorities": {
        "root": {"common_name": "Example Root CA", "protect": False},
        "middle": {
            "common_name": "Example Mail CA",
            "issuer": "root",
            "lifetime": {"validity": "60d"},  # due in the same run as most of what it signs
            "crl": {"lifetime": "30d", "renew_before": "15d"},
            "protect": False,
        },
    },
    "lifetime": {"default": {"renew_fraction": "1/2"}, "leaf": {"validity": "60d", "overlap": "5d"}},
    "clients": {
        "alice": {"email": "alice@example.org", "lifetime": SHORT, "pkcs12": "modern"},
        "bob": {"email": "bob@example.org"},
        "carol": {"email": "carol@example.org"},
    },
    "rosters": {
        "staff": {
            "authority": "middle",
            "clients": {
                "anna": {"email": "anna@example.org"},
                "ben": {"email": "ben@example.org", "validity_hours": 20 * 24},
                "cleo": {"dns_names": ["cleo.example.org"]},
            },
        }
    },
    "servers": {"mx1": {"dns_names": ["mx1.example.org"], "authority": "middle"}},
    "hosts": {
        "mx1": {
            "myhostname": "mx1.example.org",
            "relay_clients": ["alice", "bob", "carol"],
            "relay_rosters": ["staff"],
        }
    },
}
for _client in SECTIONS["clients"].values():
    _client["authority"] = "middle"
REVOKED = SECTIONS | {
    "clients": SECTIONS["clients"] | {"carol": SECTIONS["clients"]["carol"] | {"revoke": "superseded"}}
}
AUTHORITIES, SINGLES, MEMBERS = ("root", "middle"), ("mx1", "alice", "bob", "carol"), ("anna", "ben", "cleo")
Happening = tuple[str, str]


@dataclass(slots=True)
class Observed:
    """One stack in the overlap after a renewal, and its state as `pulumi stack export` writes it."""

    mail: MailStack
    directory: Path
    state: Mapping[str, Any]
    rows: Mapping[str, str]

    @property
    def export(self) -> Path:
        """The exported state."""
        return self.directory / "export.json"

    def report(self, *arguments: str, at: datetime = NOW + DAY) -> subprocess.CompletedProcess[str]:
        """Run `postseal report` on the export, as if it were that instant."""
        return postseal("report", "--file", str(self.export), "--now", format_instant(at), *arguments)

    def forecast(self, *, until: datetime, at: datetime = NOW) -> list[dict[str, Any]]:
        """Return the changes that `postseal forecast` foresees."""
        span = ("--now", format_instant(at), "--until", format_instant(until))
        done = postseal("forecast", "--file", str(self.export), *span, "--format", "json")
        assert done.returncode == 0, done.stderr
        changes: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
        return changes


def postseal(
    *arguments: str, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the console script."""
    command = [str(Path(sys.executable).with_name("postseal")), *arguments]
    return subprocess.run(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def observed(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Bring a stack up, renew what is due eleven days later, revoke one client, and export the state."""
    directory = tmp_path_factory.mktemp("report")
    mail = mail_stack(directory, engine_home)
    mail.declare(SECTIONS, clock=FIRST)
    mail.stack.up().expect_success()
    mail.declare(REVOKED, clock=NOW)
    mail.stack.up().expect_success()
    state = mail.stack.export()
    (directory / "export.json").write_text(json.dumps(state))
    return Observed(mail, directory, state, table_rows(mail.out / "mx1/postfix"))


def issued(state: Mapping[str, Any]) -> dict[str, x509.Certificate]:
    """Return every certificate of the state by its name, of single resources and of rosters."""
    pems = {name: outputs["certificate_pem"] for name, outputs in certificates(state).items()}
    for roster in resource_outputs(state, "postseal:index:ClientRoster").values():
        pems |= {name: record["certificate_pem"] for name, record in by_client(roster["issued"]).items()}
    return {name: load_certificates(pem)[0] for name, pem in pems.items()}


def entries_of(report: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a report in JSON by name, the list left out."""
    return {each["name"]: each for each in json.loads(report)["entries"] if each["kind"] != "revocation_list"}


def test_the_report_says_what_the_certificates_say(observed: Observed) -> None:
    """Every certificate of the stack is there, with its own dates and number."""
    entries, held = entries_of(observed.report("--format", "json").stdout), issued(observed.state)
    assert set(entries) == set(held) == {*AUTHORITIES, *SINGLES, *MEMBERS}
    for name, certificate in held.items():
        told = {part: entries[name][part] for part in ("not_before", "not_after", "serial_number", "subject")}
        assert told == {
            "not_before": format_instant(certificate.not_valid_before_utc),
            "not_after": format_instant(certificate.not_valid_after_utc),
            "serial_number": f"{certificate.serial_number:x}",
            "subject": certificate.subject.rfc4514_string(),
        }
    assert {entries[name]["roster"] for name in MEMBERS} == {"staff"}


def test_accepted_fingerprints_are_the_rows_of_the_host(observed: Observed) -> None:
    """In the overlap old and new ones, of a revoked client none; openssl computes the same fingerprints."""
    entries = entries_of(observed.report("--format", "json").stdout)
    clients = [entries[name] for name in (*SINGLES, *MEMBERS) if name != "mx1"]
    accepted = {each["fingerprint_sha256"] for entry in clients for each in entry["accepted"]}
    assert accepted == set(observed.rows)
    assert {len(entries[name]["accepted"]) for name in ("alice", "ben")} == {2}
    assert entries["carol"]["accepted"] == []
    assert entries["carol"]["state"] == "revoked"
    held = issued(observed.state)
    assert openssl_fingerprint(held["anna"]) in accepted


@pytest.mark.parametrize("form", RENDERERS)
def test_every_form_names_everything_and_gives_the_same_verdict(observed: Observed, form: str) -> None:
    """Nothing is left out in any form, wherever a reader looks; the exit code does not depend on it."""
    done = observed.report("--format", form, *(["--all"] if form == "table" else []), "--soon", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert {name for name in (*AUTHORITIES, *SINGLES, *MEMBERS) if not re.search(rf"\b{name}\b", done.stdout)} == set(
        {"carol"} if form == "icalendar" else ()  # nothing will happen to a revoked certificate
    )


def test_tables_for_programs_can_be_read(observed: Observed) -> None:
    """CSV has a row for each entry, the metrics a sample, the calendar an event with its date."""
    entries = json.loads(observed.report("--format", "json").stdout)["entries"]
    rows = list(csv.DictReader(StringIO(observed.report("--format", "csv").stdout)))
    assert [(row["name"], row["not_after"]) for row in rows] == [(each["name"], each["not_after"]) for each in entries]
    metrics = observed.report("--format", "prometheus").stdout
    samples = dict(
        re.findall(r'^postseal_certificate_not_after_seconds\{.*name="([^"]+)"\} (\d+)$', metrics, re.MULTILINE)
    )
    expected = {
        name: certificate.not_valid_after_utc.timestamp() for name, certificate in issued(observed.state).items()
    }
    assert {name: float(value) for name, value in samples.items()} == expected
    events = observed.report("--format", "icalendar").stdout
    (alice,) = (each for each in entries if each["name"] == "alice")
    due = parse_instant(alice["next_action"]["due"])
    assert f"DTSTART:{due:%Y%m%dT%H%M%SZ}" in events


@pytest.mark.parametrize(
    ("days", "code", "states"),
    [
        (1, 0, {"alice": "ok", "bob": "ok"}),
        (6, 1, {"alice": "overdue", "ben": "overdue", "bob": "ok"}),
        (20.5, 2, {"alice": "expired", "ben": "expired", "bob": "overdue", "middle": "overdue", "root": "ok"}),
    ],
)
def test_the_exit_code_follows_the_clock(observed: Observed, days: float, code: int, states: dict[str, str]) -> None:
    """All is well, an old generation should have been retired, two certificates have expired: 0, 1, 2."""
    done = observed.report("--format", "json", "--soon", "0", at=NOW + days * DAY)
    assert done.returncode == code
    entries = entries_of(done.stdout)
    assert {name: entries[name]["state"] for name in states} == states


def test_the_report_asks_the_engine_and_needs_no_secret(observed: Observed, tmp_path: Path) -> None:
    """With the stack's name instead of a file, and without the passphrase, the answer is the same."""
    stack = observed.mail.stack
    # Tests run in any order, and another one takes the stack further than the export that they share.
    export = tmp_path / "export.json"
    export.write_text(json.dumps(stack.export()))
    environment = {name: value for name, value in stack.environment().items() if "PASSPHRASE" not in name}
    environment["POSTSEAL_PULUMI"] = str(REPOSITORY / "toolchain/pulumi")
    arguments = ("--now", format_instant(NOW + DAY), "--format", "json")
    asked = postseal(
        "report", "--stack", stack.name, *arguments, environment=os.environ | environment, directory=stack.project
    )
    assert asked.stderr == ""
    assert entries_of(asked.stdout) == entries_of(postseal("report", "--file", str(export), *arguments).stdout)


def happenings(preview: Mapping[str, Any]) -> Iterator[Happening]:
    """Yield who is renewed, retired or signed again by a preview, in the words of the forecast."""
    for step in preview["steps"]:
        old, new = step.get("oldState", {}).get("inputs", {}), step.get("newState", {}).get("inputs", {})
        kind = step["urn"].split("::")[2].rpartition("$")[2]
        if step["op"] == "update" and kind in _READERS:
            yield from _READERS[kind](old, new)


def _of_certificate(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Happening]:
    if old["generation"] != new["generation"]:
        yield new["name"], "renew"
    for generation in old.get("accepted", {}).keys() - new.get("accepted", {}).keys():
        yield new["name"], f"retire {generation}"


def _of_roster(_: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Happening]:
    for name, sentence in new["changes"].items():
        if " -> g" in sentence:
            yield name, "renew"
        for generation in re.findall(r"g(\d+) retired", sentence):
            yield name, f"retire generation {generation}"


def _of_list(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Happening]:
    if old["crl_number"] != new["crl_number"]:
        yield new["name"], "re-sign CRL"


_READERS = {
    **dict.fromkeys(CERTIFICATES, _of_certificate),
    "postseal:index:ClientRoster": _of_roster,
    "postseal:index:RevocationList": _of_list,
}


def rehearse(stack: Stack, mail: MailStack, instants: Sequence[datetime]) -> dict[datetime, set[Happening]]:
    """Preview and bring up the stack at each instant; return what each preview showed."""
    seen = {}
    for instant in instants:
        mail.declare(REVOKED, clock=instant)
        seen[instant] = set(happenings(json.loads(stack.preview(as_json=True).expect_success().stdout)))
        stack.up().expect_success()
    return seen


def test_the_forecast_is_what_the_engine_does_on_each_of_its_days(observed: Observed) -> None:
    """A stack that lives from one foreseen date to the next does on each what was foreseen, and nothing before."""
    changes = observed.forecast(until=NOW + 21 * DAY)
    foreseen: dict[datetime, set[Happening]] = {}
    for change in changes:
        foreseen.setdefault(parse_instant(change["at"]), set()).add((change["name"], change["action"]))
    kinds = {action for each in foreseen.values() for _, action in each}
    assert kinds == {"renew", "retire generation 1", "retire generation 2", "re-sign CRL"}
    mail, stack = observed.mail, observed.mail.stack
    mail.declare(REVOKED, clock=min(foreseen) - timedelta(minutes=1))
    assert stack.preview(expect_no_changes=True).is_success
    # An issuer and what it signed are due in one run.
    assert any({("middle", "renew"), ("bob", "renew"), ("anna", "renew")} <= each for each in foreseen.values())
    assert rehearse(stack, mail, sorted(foreseen)) == foreseen
