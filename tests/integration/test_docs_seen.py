"""docs/seen.md, command by command: each is run on the stack of the page, with logs of its clients."""

import gzip
import json
import os
import re
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from postseal.ledger.reading import read_holders
from postseal.report.inventory import build_inventory
from tests.support.engine import REPOSITORY, run_limited
from tests.support.played_engine import PlayedStack

PAGE = (REPOSITORY / "docs/seen.md").read_text(encoding="utf-8")
(STACK_FILE,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(*_, REPORTED) = BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    (command.splitlines()[0], "".join(f"{line}\n" for line in command.splitlines()[1:]))
    for block in BLOCKS
    for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]
RUNS = (datetime(2026, 3, 10, 9, tzinfo=UTC), datetime(2026, 5, 9, 9, tzinfo=UTC))
TODAY = "2026-05-21T09:00:00Z"
PULUMI = """#!/bin/sh
case "$*" in
    "stack export --non-interactive --stack prod") cat state.json ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""
STRANGER = ":".join(["0A"] * 32)


def session(stamp: str, name: str, fingerprint: str) -> str:
    """Return the lines of a session in a log of syslog."""
    front, peer = f"{stamp} mx1 postfix/smtpd[4711]: ", f"{name}.example.net[192.0.2.7]"
    return (
        f"{front}connect from {peer}\n"
        f"{front}{peer}: subject_CN={name}, issuer=Example Mail CA, fingerprint={fingerprint}, "
        f"pkey_fingerprint={STRANGER}\n"
        f"{front}Untrusted TLS connection established from {peer}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384\n"
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with logs of clients, and what stands in for an engine that has brought the stack up."""
    directory = tmp_path_factory.mktemp("seen")
    (directory / "pulumi").write_text(PULUMI)
    (directory / "pulumi").chmod(0o755)
    sections = {key.removeprefix("mail-pki:"): each for key, each in yaml.safe_load(STACK_FILE)["config"].items()}
    with chdir(directory):
        stack = PlayedStack(name="prod")
        for instant in RUNS:
            stack.up(sections, instant)
        export = stack.export()
    (directory / "state.json").write_text(json.dumps(export))
    prints = {
        (each.name, row.generation): str(row.fingerprint_sha256)
        for each in read_holders(export)
        if each.is_client
        for row in each.accepted
    }
    (directory / "mail.log").write_text(
        session("May 11 23:59:59", "scanner", STRANGER)
        + session("May 12 12:00:00", "bob", prints["bob", 1])
        + session("May 20 18:30:00", "alice", prints["alice", 2])
    )
    earlier = session("Apr  2 07:10:00", "alice", prints["alice", 1])
    earlier += session("May  3 06:00:00", "alice", prints["alice", 1])
    (directory / "mail.log.1.gz").write_bytes(gzip.compress(earlier.encode()))
    return directory


def test_each_command_says_what_the_page_shows(place: Path) -> None:
    """On the day of the page, in the order of the page: the report reads what the command before it wrote."""
    environment = {**os.environ, "PATH": f"{place}:{REPOSITORY}/.venv/bin:{os.environ['PATH']}", "COLUMNS": "100"}
    environment.pop("POSTSEAL_PULUMI", None)
    for command, shown in COMMANDS:
        done = run_limited(["bash", "-c", f"{command} --now {TODAY}"], place, environment, 60)
        assert done.returncode == ("report" in command), done
        assert done.stdout == shown
    assert len(COMMANDS) == 3


def test_another_time_issues_nothing(tmp_path: Path) -> None:
    """What is declared for the report alone changes no certificate and no row."""
    sections = {key.removeprefix("mail-pki:"): each for key, each in yaml.safe_load(STACK_FILE)["config"].items()}
    staff = {"staff": {"clients": {"dora": {"email": "dora@example.org"}}}}
    with chdir(tmp_path):
        stack = PlayedStack(name="prod")
        stack.up({**sections, "rosters": staff}, RUNS[0])
        before = {each.name: each.issued for each in read_holders(stack.export())}
        clients = {name: each | {"unseen_after_days": 7} for name, each in sections["clients"].items()}
        staff["staff"]["unseen_after_days"] = 9  # type: ignore[assignment]  # a section has values of any kind
        stack.up({**sections, "clients": clients, "rosters": staff}, RUNS[0])
        after = {each.name: each.issued for each in read_holders(stack.export())}
    assert after == before
    limits = {each.name: each.declared.unseen_after_days for each in build_inventory(stack.export(), RUNS[0]).items}
    assert {name: limits[name] for name in (*clients, "dora")} == {"alice": 7, "bob": 7, "carol": 7, "dora": 9}


def test_the_host_of_the_page_names_certificates(place: Path) -> None:
    """In its main.cf as postconf(5) has it."""
    assert "smtpd_tls_loglevel = 1,peercert\n" in (place / "out/prod/mx1/postfix/main.cf").read_text()
