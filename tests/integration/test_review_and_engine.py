"""`postseal review` beside the real engine: the same operations, the same rows, and no secret needed for it."""

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from postseal.review.stack_yaml import read_stack_text
from postseal_core.instants import format_instant
from tests.support.engine import REPOSITORY, Result, run_limited, write_project
from tests.support.engine import Stack as EngineStack
from tests.support.stacks import MailStack, mail_stack, table_rows

pytestmark = pytest.mark.needs_engine

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECTIONS: dict[str, Any] = {
    "authorities": {
        "root": {"common_name": "Example Root CA", "protect": False},
        "mail": {"common_name": "Example Mail CA", "issuer": "root", "crl": {"lifetime": "60d"}, "protect": False},
    },
    "lifetime": {"leaf": {"validity": "90d", "renew_fraction": "2/3", "overlap": "14d"}},
    "servers": {
        "mx1": {"authority": "mail", "dns_names": ["mx1.example.org"]},
        "mx2": {"authority": "mail", "dns_names": ["mx2.example.org"]},
        "shop": {"third_party": {}, "dns_names": ["shop.example.org"]},
    },
    "clients": {
        "alice": {
            "authority": "mail",
            "email": "alice@example.org",
            "pkcs12": {"profile": "modern", "passphrase_secret": "alice-p12"},
        },
        "bob": {"authority": "mail", "email": "bob@example.org", "match": "public_key"},
        "dora": {"authority": "mail", "dns_names": ["dora.example.org"]},
    },
    "rosters": {
        "staff": {
            "authority": "mail",
            "hand_out": True,
            "clients": {name: {"email": f"{name}@example.org"} for name in ("r1", "r2", "r3")},
        }
    },
    "hosts": {
        "mx1": {
            "myhostname": "mx1.example.org",
            "certificate": "mx1",
            "relay_clients": ["alice", "bob"],
            "relay_rosters": ["staff"],
        },
        "mx2": {"myhostname": "mx2.example.org", "certificate": "mx2", "relay_clients": ["dora"]},
    },
}

Change = Callable[[dict[str, Any]], object]


def _rows(sections: dict[str, Any]) -> None:
    rows = sections["rosters"]["staff"]["clients"]
    del rows["r1"]
    rows |= {"r4": {"email": "r4@example.org"}}
    rows["r2"]["revoke"] = "superseded"


def _with_erin(sections: dict[str, Any]) -> None:
    sections["clients"]["erin"] = {"authority": "mail", "email": "erin@example.org"}
    sections["hosts"]["mx1"]["relay_clients"].append("erin")


def _without_dora(sections: dict[str, Any]) -> None:
    del sections["clients"]["dora"]
    sections["hosts"]["mx2"]["relay_clients"] = ["alice"]
    sections["hosts"]["mx1"]["relay"] = {"networks": ["127.0.0.0/8", "10.1.0.0/16"]}


def _as_it_is(sections: dict[str, Any]) -> None:
    del sections


CASES: tuple[tuple[str, int, Change], ...] = (
    ("nothing", 0, _as_it_is),
    ("a client more", 1, _with_erin),
    ("rows of the roster", 2, _rows),
    ("renewals by the clock", 62, _as_it_is),
    ("a client less, and networks", 63, _without_dora),
    ("the overlap ends", 80, _as_it_is),
)
"""What happens on which day; each goes on from the one before."""


@dataclass(slots=True)
class Reviewed:
    """One case: the review, the engine's preview, and the rows of each host after `up`."""

    review: dict[str, Any]
    markdown: str
    preview: dict[str, str]
    rows: dict[str, dict[str, str]]
    unblanked: str
    wrong: dict[str, Any]


def review(place: Path, *arguments: str) -> Result:
    """Run the command where no passphrase, no engine and no setting of Pulumi is."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    environment = {**keep, "PATH": "/usr/bin:/bin", "HOME": str(place)}
    return run_limited([str(REPOSITORY / ".venv/bin/postseal"), "review", *arguments], place, environment, 120)


def rows_of(mail: MailStack) -> dict[str, dict[str, str]]:
    """Return the rows of each host's table."""
    return {name: table_rows(mail.out / name / "postfix") for name in ("mx1", "mx2")}


def planned(mail: MailStack) -> dict[str, str]:
    """Return what the engine's preview does to each resource of a provider, by its URN."""
    steps = json.loads(mail.stack.preview(as_json=True).expect_success().stdout)["steps"]
    return {
        each["urn"]: each["op"]
        for each in steps
        if each["op"] != "same" and "::pulumi:" not in each["urn"].replace("pulumi:pulumi:Stack$", "")
    }


@pytest.fixture(scope="module")
def cases(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Reviewed]:
    """Bring a stack up, and review each change before the engine previews it and makes it so."""
    directory, place = tmp_path_factory.mktemp("review-engine"), tmp_path_factory.mktemp("elsewhere")
    mail = mail_stack(directory, engine_home)
    mail.stack.set_config("alice-p12", "correct horse battery", is_secret=True)
    sections = copy.deepcopy(SECTIONS)
    mail.declare(sections, clock=FIRST)
    mail.stack.up().expect_success()
    path = mail.project / "stacks/Pulumi.test.yaml"
    found = {}
    for name, days, change in CASES:
        now = FIRST + timedelta(days=days)
        state, old = place / "state.json", place / "old.yaml"
        state.write_text(json.dumps(mail.stack.export()))
        old.write_text(path.read_text())
        change(sections)
        mail.declare(sections, clock=now)
        found[name] = _reviewed(mail, place, old, path, now)
    return found


def _reviewed(mail: MailStack, place: Path, old: Path, new: Path, now: datetime) -> Reviewed:
    blank = place / "blank.json"
    review(place, "--blank", "state.json", "--output", "blank.json").expect_success()
    files = ("--from", str(old), "--to", str(new), "--at", format_instant(now))
    document = review(place, "--state", str(blank), *files, "--format", "json")
    markdown = review(place, "--state", str(blank), *files)
    sealed = review(place, "--state", "state.json", *files)
    other = place / "other.yaml"
    document_of_other = yaml.safe_load(new.read_text())
    document_of_other["config"]["mail-pki:clients"]["zoe"] = {"authority": "mail", "email": "zoe@example.org"}
    other.write_text(yaml.safe_dump(document_of_other))
    wrong = review(place, "--state", str(blank), "--from", str(old), "--to", str(other), "--at", format_instant(now),
                   "--format", "json")  # fmt: skip
    preview = planned(mail)
    mail.stack.up().expect_success()
    return Reviewed(
        json.loads(document.stdout), markdown.stdout, preview, rows_of(mail), sealed.stdout, json.loads(wrong.stdout)
    )


NAMES = [name for name, _, _ in CASES]


@pytest.mark.parametrize("name", NAMES)
def test_a_review_plans_what_the_engine_plans(cases: Mapping[str, Reviewed], name: str) -> None:
    """Each resource that the engine would change, with the same operation; and another stack file another one."""
    case = cases[name]
    assert {each["urn"]: each["operation"] for each in case.review["resources"]} == case.preview
    assert {each["urn"]: each["operation"] for each in case.wrong["resources"]} != case.preview


@pytest.mark.parametrize("name", NAMES)
def test_a_review_knows_the_rows_that_are_there_afterwards(cases: Mapping[str, Reviewed], name: str) -> None:
    """By client and generation, as the tables of Postfix name them; known fingerprints are those in the tables."""
    case = cases[name]
    for host in case.review["hosts"]:
        after = [each for each in host["rows"] if each["change"] != "gone"]
        table = case.rows[host["name"]]
        labels = {f"{each['client']} generation={each['generation']}" for each in after}
        assert labels == {" ".join(label.split()[:2]) for label in table.values()}
        known = {each["fingerprint_sha256"] for each in after if each.get("fingerprint_sha256")}
        assert known <= set(table)


@pytest.mark.parametrize("name", NAMES)
def test_an_export_without_ciphertext_is_enough(cases: Mapping[str, Reviewed], name: str) -> None:
    """The text is the same, and nothing that looks like a secret is in it."""
    case = cases[name]
    assert case.markdown == case.unblanked
    assert case.markdown.startswith("# mail-pki/test: review at ")
    assert [word for word in ("PRIVATE KEY", "correct horse", "v1:") if word in case.markdown] == []


WORDS = (
    *("yes", "no", "off", "Yes", "true", "True", "FALSE", "~", "null"),
    *("12", "08", "010", "0o10", "0x1f", "0b11", "1_000", "-7", "1e3", "1.50", ".5", "-0.0", "1.0"),
    *("12:30:45", "2027-01-01", "2027-01-01T00:00:00Z", "'2027-01-01'", "0123abc", "=", "90d", "2/3"),
)


def test_a_stack_file_is_read_as_the_engine_reads_it(tmp_path: Path, engine_home: Path) -> None:
    """Words that YAML libraries take differently: dates, numbers with a zero in front, `yes` and `off`."""
    listed = "\n".join(f"    w{index}: {word}" for index, word in enumerate(WORDS))
    text = f"config:\n  engine-test:words:\n{listed}\n  engine-test:top: 010\n"
    project = write_project(tmp_path / "project", "")
    stack = EngineStack(project, tmp_path / "backend", engine_home).init()
    path = project / "stacks/Pulumi.test.yaml"
    path.write_text(f"{path.read_text()}{text}")
    said = json.loads(stack.run("config", "--json").expect_success().stdout)
    read = read_stack_text(text, "stack file").values
    engine = json.loads(said["engine-test:words"]["value"])
    ours = {name: value for name, value in read["engine-test:words"].items() if value is not None}
    told = {name: value for name, value in engine.items() if value is not None}
    differs = {WORDS[int(name[1:])]: (told.get(name), ours.get(name)) for name in told if told[name] != ours.get(name)}
    assert differs == {}
    assert said["engine-test:top"]["value"] == str(read["engine-test:top"])
