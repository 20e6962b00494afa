"""What a preview says of each kind of change, on the real engine, beside what the next `up` then did to the host."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.stacks import MailStack, mail_stack, table_rows, tree

pytestmark = pytest.mark.needs_engine

GOLDEN = Path(__file__).parents[1] / "golden/previews"
START = datetime(2027, 1, 4, 9, tzinfo=UTC)
Sections = dict[str, Any]


def day(number: int) -> datetime:
    """Return an instant so many days after the first run."""
    return START + timedelta(days=number)


def declared(*clients: str, hosts: tuple[str, ...] = ("mx1",), **changed: Any) -> Sections:
    """Return a stack file of an authority, clients who all relay through each host, and one certificate a host."""
    return {
        "authority": {"common_name": "Example Mail CA", "path_length": 0, "protect": False},
        "lifetime": {"leaf": {"validity": "90d", "renew_before": "30d", "overlap": "14d"}},
        "servers": {
            name: {"dns_names": [f"{name}.example.org"], "lifetime": {"validity": "365d"}} for name in ("mx1", "mx2")
        },
        "clients": {name: {"email": f"{name}@example.org"} for name in clients},
        "hosts": {
            name: {
                "myhostname": f"{name}.example.org",
                "certificate": name,
                "relay_clients": list(clients),
                "target": {"directory": f"out/test/{name}/postfix"},
            }
            for name in hosts
        },
        **changed,
    }


BOTH = ("alice", "bob")
SLOTS = {"common_name": "Example Mail CA", "path_length": 0, "protect": False}


def with_client(name: str, sections: Sections, **fields: Any) -> Sections:
    """Return the sections with further fields of one client."""
    clients = {each: dict(said) | (fields if each == name else {}) for each, said in sections["clients"].items()}
    return {**sections, "clients": clients}


def with_setting(sections: Sections, **settings: Any) -> Sections:
    """Return the sections with settings of the host mx1."""
    hosts = {**sections["hosts"], "mx1": {**sections["hosts"]["mx1"], "settings": settings}}
    return {**sections, "hosts": hosts}


def slots(sections: Sections, **numbers: Any) -> Sections:
    """Return the sections with the authority's slots."""
    return {**sections, "authority": {**SLOTS, "slots": numbers}}


REVOKED = with_client("bob", declared(*BOTH), revoke="keyCompromise")
LONGER = {"lifetime": {"leaf": {"validity": "120d", "renew_before": "40d", "overlap": "14d"}}}
NAMED = with_client("alice", REVOKED, dns_names=["alice.example.org"])
LATER = {**NAMED, **LONGER}
SET = with_setting(LATER, smtpd_helo_required=True)
WIDER = {**SET, "hosts": {**declared(*BOTH, hosts=("mx1", "mx2"))["hosts"], "mx1": SET["hosts"]["mx1"]}}

# Each kind of change in the life of one stack: its name, the day, and what is declared from then on.
STEPS: tuple[tuple[str, int, Sections], ...] = (
    ("nothing", 1, declared("alice")),
    ("add", 1, declared(*BOTH)),
    ("renew", 61, declared(*BOTH)),
    ("overlap-ends", 80, declared(*BOTH)),
    ("revoke", 81, REVOKED),
    ("san", 82, NAMED),
    ("lifetime", 83, LATER),
    ("setting", 84, SET),
    ("new-host", 85, WIDER),
    ("rollover-standby", 86, slots(WIDER, active=1, standby=2)),
    ("rollover-move", 101, slots(WIDER, active=2, retiring=1)),
    ("rollover-withdraw", 120, slots(WIDER, active=2)),
    ("rotate-key", 121, with_client("alice", slots(WIDER, active=2), key_algorithm="ECDSA-P384")),
    ("remove", 122, {**declared("alice", hosts=("mx1", "mx2")), "authority": {**SLOTS, "slots": {"active": 2}}}),
)


@dataclass(slots=True)
class Life:
    """One stack: by step the texts of the preview, and rows and files of the hosts before and after the `up`."""

    plain: dict[str, str] = field(default_factory=dict)
    diff: dict[str, str] = field(default_factory=dict)
    mentioned: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, tuple[Mapping[str, set[str]], Mapping[str, set[str]]]] = field(default_factory=dict)
    changed_hosts: dict[str, set[str]] = field(default_factory=dict)


def rows_of(mail: MailStack) -> dict[str, set[str]]:
    """Return client and generation of each row, by host."""
    hosts = sorted(path.parent for path in mail.out.glob("*/postfix"))
    return {host.name: {_row(remark) for remark in table_rows(host / "postfix").values()} for host in hosts}


def _row(remark: str) -> str:
    client, generation, *_ = remark.split()
    return f"{client} g{generation.partition('=')[2]}"


def files_of(mail: MailStack) -> dict[str, dict[str, bytes]]:
    """Return the files of each host."""
    return {path.parent.name: tree(path) for path in mail.out.glob("*/postfix")}


@pytest.fixture(scope="module")
def life(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Return what one stack went through."""
    mail, seen = mail_stack(tmp_path_factory.mktemp("previews"), engine_home), Life()
    mail.declare(declared("alice"), clock=day(0))
    mail.stack.up().expect_success()
    for name, number, sections in STEPS:
        mail.declare(sections, clock=day(number))
        _take_down(name, mail, seen)
    table = mail.out / "mx1/postfix/relay_clientcerts"
    table.write_text("".join(line for line in table.read_text().splitlines(keepends=True) if "=6 " not in line))
    _take_down("drift", mail, seen)
    return seen


def _take_down(name: str, mail: MailStack, seen: Life) -> None:
    shown = mail.stack.preview(diff=True).expect_success()
    seen.diff[name], seen.mentioned[name] = normal(shown.stdout), sorted(normal(shown.stderr).splitlines())
    seen.plain[name] = mail.stack.preview().expect_success().stdout
    before = rows_of(mail), files_of(mail)
    mail.stack.up().expect_success()
    after = rows_of(mail), files_of(mail)
    seen.rows[name] = before[0], after[0]
    seen.changed_hosts[name] = {host for host in after[1] if after[1][host] != before[1].get(host)}


_SECRETIVE = (
    (re.compile(r"\b[0-9A-F]{2}(:[0-9A-F]{2}){19,}\b"), "FINGERPRINT"),
    (re.compile(r"\b[0-9A-F]{2}(:[0-9A-F]{2}){7}\.\.\."), "FINGERPRINT..."),
    (re.compile(r"\b(sha256:)?[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b[0-9a-f]{30,40}\b"), "SERIAL"),
    (re.compile(r"(default_\w+::)[0-9a-f-]{36}"), r"\1ID"),
    (re.compile(r"[^ \"]*/engine/plugins?/[^ \"]*"), "PLUGIN"),
    (re.compile(r"(?m)^@ previewing update\.*\n"), ""),
)


def normal(shown: str) -> str:
    """Return a preview with its resources in one order, and without what differs in every run."""
    # What the engine writes while it waits, on a machine that is busy with something else.
    shown = re.sub(r"(?m)^@ previewing update\.*\n", "", shown)
    for pattern, word in _SECRETIVE:
        shown = pattern.sub(word, shown)
    head, *blocks = re.split(r"(?m)^(?=    [+~-] )", shown.split("Resources:\n")[0])
    tail = ""
    if blocks:
        blocks[-1], separator, outputs = blocks[-1].partition("    --outputs:--\n")
        tail = separator + outputs
    return head + "".join(sorted(blocks, key=_urn)) + tail


def _urn(block: str) -> str:
    found = re.search(r"urn=(\S+)\]", block)
    return found[1] if found else block


NAMES = [*(name for name, _, _ in STEPS), "drift"]


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_reads_as_it_was_approved(life: Life, name: str) -> None:
    """Each text is a file that reviewers see change; `UPDATE_GOLDEN=1` writes them anew."""
    golden = GOLDEN / f"{name}.txt"
    text = life.diff[name] + "".join(f"{line}\n" for line in life.mentioned[name] if line.startswith(("mx1:", "mx2:")))
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_who_comes_and_goes_is_what_the_next_up_did(life: Life, name: str) -> None:
    """The line of each host counts the rows right, and names who comes, goes, and is beside a newer one."""
    before, after = life.rows[name]
    for host in life.changed_hosts[name]:
        (line,) = [each for each in life.mentioned[name] if each.startswith(f"{host}: ") and " after" in each]
        # What somebody has done to the table since is told beside it.
        old, new = after[host] if name == "drift" else before.get(host, set()), after[host]
        counted = re.match(rf"{host}: (\d+) rows? (?:before|as `up` left them), (\d+) rows? after", line)
        assert counted
        assert (int(counted[1]), int(counted[2])) == (len(old), len(new))
        assert named_in(line, "added") == clients(new) - clients(old)
        assert named_in(line, "removed") == clients(old) - clients(new)
        assert named_in(line, "renewed") == clients(new - old) & clients(old)
        assert named_in(line, "an older one taken off") == clients(old - new) & clients(new)


def named_in(line: str, kind: str) -> set[str]:
    """Return the names that a line has behind a word."""
    found = re.search(rf"(?:^|; ){kind}: ([^;]*)", line)
    return set(found[1].split(", ")) if found else set()


def clients(rows: set[str]) -> set[str]:
    """Return who is in some rows."""
    return {row.split()[0] for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_the_word_reload_stands_at_each_host_whose_files_change_and_nowhere_else(life: Life, name: str) -> None:
    """In what is kept of a preview, and in the line beside it."""
    shown = {
        match[1]
        for block in re.split(r"(?m)^(?=    [+~-] )", life.diff[name])
        if (match := re.search(r"index:PostfixHost::(\w+)\]", block)) and re.search(r"\breload *: \"", block)
    }
    told = {line.partition(":")[0] for line in life.mentioned[name] if "reload Postfix there" in line}
    if name != "drift":
        assert shown == life.changed_hosts[name]
    assert told == life.changed_hosts[name]


def test_nothing_is_said_where_nothing_changes(life: Life) -> None:
    """The control of all others."""
    assert "1 to" not in life.plain["nothing"]
    assert life.changed_hosts["nothing"] == set()


MOST_LINES, MOST_PLAIN_LINES = 80, 30


def test_twelve_renewals_on_two_hosts_fit_on_a_screen(engine_home: Path, tmp_path: Path) -> None:
    """With whatever stands on standard error; each of the twelve is named in either."""
    mail = mail_stack(tmp_path, engine_home)
    names = tuple(f"user{number:02}" for number in range(1, 13))
    sections = declared(*names, hosts=("mx1", "mx2"))
    mail.declare(sections, clock=day(0))
    mail.stack.up().expect_success()
    mail.declare(sections, clock=day(61))
    shown, plain = mail.stack.preview(diff=True).expect_success(), mail.stack.preview().expect_success()
    assert len(str(shown).splitlines()) <= MOST_LINES
    assert len(plain.stdout.splitlines()) <= MOST_PLAIN_LINES
    for text in (shown.stdout, plain.stdout):
        assert [name for name in names if name not in text] == []
    hosts = [line for line in shown.stderr.splitlines() if "reload Postfix there" in line]
    assert [line.partition(";")[0] for line in sorted(hosts)] == [
        f"{host}: 12 rows before, 24 rows after" for host in ("mx1", "mx2")
    ]
