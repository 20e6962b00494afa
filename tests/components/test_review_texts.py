"""The text of a review for each kind of change, compared with complete golden files, and its limits."""

import copy
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from postseal.review.assembling import assembled
from postseal.review.declared import StackSource
from postseal.review.json_document import render_json
from postseal.review.markdown import LONGEST, render_markdown
from postseal.review.model import Cause, ExitCode, Review
from postseal.review.runs import compare_files
from postseal.review.stack_yaml import read_stack_text
from postseal.review.stored import read_stored_stack, without_ciphertext
from postseal.review.text import render_text
from postseal_core.errors import Problem
from tests.support.played_engine import PlayedStack

GOLDEN = Path(__file__).parents[1] / "golden/review"
FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
NAMES = ("mail-pki", "test")
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "crl": {"lifetime": "120d"}, "protect": False},
    "lifetime": {"leaf": {"validity": "90d", "renew_fraction": "2/3", "overlap": "14d"}},
    "clients": {
        "alice": {
            "email": "alice@example.org",
            "pkcs12": {"profile": "modern", "passphrase_secret": "alice-p12"},
        },
        "bob": {"email": "bob@example.org"},
        "printer": {"dns_names": ["printer.example.org"], "match": "public_key"},
    },
    "rosters": {"staff": {"clients": {"carol": {"email": "carol@example.org"}, "dave": {"email": "dave@example.org"}}}},
    "hosts": {
        "mx1": {
            "myhostname": "mx1.example.org",
            "relay_clients": ["alice", "printer"],
            "relay_rosters": ["staff"],
        },
        "mx2": {"myhostname": "mx2.example.org", "relay_clients": ["bob"]},
    },
}
PASSPHRASE = {"secure": "v1:c2VhbGVk"}

Change = Callable[[dict[str, Any]], object]


def _add_erin(sections: dict[str, Any]) -> None:
    sections["clients"]["erin"] = {"email": "erin@example.org"}
    sections["hosts"]["mx1"]["relay_clients"].append("erin")


def _remove_bob(sections: dict[str, Any]) -> None:
    del sections["clients"]["bob"]
    sections["hosts"]["mx2"]["relay_clients"] = []


def _change_roster(sections: dict[str, Any]) -> None:
    rows = sections["rosters"]["staff"]["clients"]
    del rows["carol"]
    rows["frank"] = {"email": "frank@example.org"}


def _add_host(sections: dict[str, Any]) -> None:
    sections["hosts"]["mx3"] = {"myhostname": "mx3.example.org", "relay_clients": ["alice"]}


def _open_networks(sections: dict[str, Any]) -> None:
    sections["hosts"]["mx1"]["relay"] = {"networks": ["127.0.0.0/8", "192.0.2.0/28"]}


def _mistakes(sections: dict[str, Any]) -> None:
    sections["clients"]["alice"]["emial"] = "alice@example.org"
    sections["hosts"]["mx1"]["relay_clients"].append("nobody")


CHANGES: Mapping[str, tuple[Change, int]] = {
    "nothing": (lambda _: None, 0),
    "client-added": (_add_erin, 0),
    "client-removed": (_remove_bob, 0),
    "renewed-by-the-clock": (lambda _: None, 45),
    "revoked": (lambda sections: sections["clients"]["bob"].update(revoke="keyCompromise"), 0),
    "key-changed": (lambda sections: sections["clients"]["alice"].update(key_algorithm="ECDSA-P384"), 0),
    "names-changed": (lambda sections: sections["clients"]["printer"].update(dns_names=["lp.example.org"]), 0),
    "lifetime": (lambda sections: sections["lifetime"]["leaf"].update(validity="60d"), 0),
    "renewal-moved": (lambda sections: sections["lifetime"]["leaf"].update(
        validity="120d", renew_fraction="1/2", overlap="7d"), 0),
    "host-added": (_add_host, 0),
    "networks": (_open_networks, 0),
    "setting": (lambda sections: sections["hosts"]["mx2"].update(settings={"smtpd_helo_required": "yes"}), 0),
    "roster-rows": (_change_roster, 0),
    "refused-by-the-file": (_mistakes, 0),
    "refused-by-the-plugin": (lambda sections: sections["clients"].update(
        erin={"email": "erin@example.org", "revoke": "superseded"}), 0),
    "sealed-anew": (lambda _: None, 0),
}  # fmt: skip


def source(sections: Mapping[str, Any], passphrase: object = PASSPHRASE) -> StackSource:
    """Return a stack file with a sealed passphrase."""
    config: dict[str, Any] = {f"mail-pki:{name}": section for name, section in sections.items()}
    config["mail-pki:alice-p12"] = passphrase
    return StackSource(read_stack_text(yaml.safe_dump({"config": config}), "stack file"))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Return the exported state of a stack on its first day, without its ciphertext."""
    with chdir(tmp_path_factory.mktemp("review")):
        stack = PlayedStack({"alice-p12": "correct horse battery"})
        stack.up(SECTIONS, FIRST)
        return without_ciphertext(json.loads(json.dumps(stack.export())))


def reviewed(export: object, new: Mapping[str, Any], *, days: int = 0, passphrase: object = PASSPHRASE) -> Review:
    """Return the review of another stack file, some days after the first look."""
    stored, now = read_stored_stack(export), NOW + timedelta(days=days)
    return assembled(compare_files(stored, source(SECTIONS), source(new, passphrase), NAMES, now), NAMES, now)


def changed(export: object, kind: str) -> Review:
    """Return the review of one kind of change."""
    change, days = CHANGES[kind]
    new = copy.deepcopy(SECTIONS)
    change(new)
    sealed = {"secure": "v1:YW5ldw=="} if kind == "sealed-anew" else PASSPHRASE
    return reviewed(export, new, days=days, passphrase=sealed)


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_of_change_reads_as_it_was_reviewed(export: object, kind: str) -> None:
    """Every run has other keys, and no text differs for that."""
    text = render_markdown(changed(export, kind))
    path = GOLDEN / f"{kind}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


EXIT_CODES = dict.fromkeys(CHANGES, ExitCode.CHANGES) | {
    "nothing": ExitCode.NOTHING,
    "refused-by-the-file": ExitCode.REFUSED,
    "refused-by-the-plugin": ExitCode.REFUSED,
}


@pytest.mark.parametrize("kind", CHANGES)
def test_the_exit_code_tells_nothing_changes_and_refused_apart(export: object, kind: str) -> None:
    """A pipeline acts on it without reading the text."""
    assert changed(export, kind).exit_code is EXIT_CODES[kind]


@pytest.mark.parametrize("kind", CHANGES)
def test_json_and_text_tell_the_same_as_markdown(export: object, kind: str) -> None:
    """Every row, certificate and problem is in each of them."""
    review = changed(export, kind)
    document, text = json.loads(render_json(review)), render_text(review)
    assert document["result"] == review.exit_code.name.lower()
    assert [(each["path"], each["message"]) for each in document["problems"]] == [
        (each.path, each.message) for each in review.problems
    ]
    named = {each["client"] for host in document["hosts"] for each in host["rows"]}
    assert named == {row.row.accepted.client for host in review.hosts for row in host.rows}
    assert len(document["certificates"]) == len(review.certificates)
    assert [name for name in named if name not in text] == []
    assert "**" not in text


def test_the_same_text_comes_out_twice(export: object) -> None:
    """The program registers its resources in another order each time."""
    assert len({render_markdown(changed(export, "renewed-by-the-clock")) for _ in range(3)}) == 1


def many(count: int, word: str = "new") -> dict[str, Any]:
    """Return the stack file with many clients more in the roster, and some by themselves."""
    sections = copy.deepcopy(SECTIONS)
    rows = sections["rosters"]["staff"]["clients"]
    rows |= {f"{word}-{number:05d}-of-a-long-name": {} for number in range(count)}
    for number in range(20):
        sections["clients"][f"single-{number}"] = {}
    for name, said in (*rows.items(), *sections["clients"].items()):
        if "dns_names" not in said:
            said["email"] = f"{name}@example.org"
    sections["hosts"] |= {
        f"mx{number}": {"myhostname": f"mx{number}.example.org", "relay_rosters": ["staff"], "relay_clients": ["alice"]}
        for number in range(3, 15)
    }
    return sections


def test_a_large_review_fits_into_a_comment_and_counts_the_rest(export: object) -> None:
    """The head of it is whole: who may relay, and where."""
    review = reviewed(export, many(700))
    text = render_markdown(review)
    assert len(text) <= LONGEST
    assert "May relay after this, not before" in text.splitlines()[2]
    assert re.search(r"and [0-9,]+ more", text)
    assert "| 700 x client of roster staff new-00000-of-a-long-name, " in text
    told = {each["name"] for each in json.loads(render_json(review))["certificates"]}
    assert {f"new-{number:05d}-of-a-long-name" for number in range(700)} < told
    assert len(json.loads(render_json(review))["hosts"][0]["rows"]) > 700


def test_renewals_of_many_are_told_as_the_clock_does_them(export: object) -> None:
    """Also where the change itself is large: what is due without it is told apart from it, client by client."""
    review = reviewed(export, many(700), days=45)
    causes = {each.name: each.cause for each in review.certificates if each.kind == "client of roster staff"}
    assert causes["carol"] is Cause.CLOCK
    assert causes["new-00007-of-a-long-name"] is Cause.CHANGE


def test_nothing_that_a_stack_file_says_is_markup() -> None:
    """No HTML, no link, no mention of anybody, whatever a pull request from elsewhere says."""
    hostile = "<img src=x> [link](http://x) @team `code` **bold** | cell # \n<!-- x"
    problem = Problem("clients.<b>", hostile)
    review = Review("mail-pki", "test", NOW, problems=(problem,), notes=(hostile,))
    text = render_markdown(review)
    assert "<img" not in text.replace("\\<img", "")
    assert "[link](" not in text.replace("\\[link\\](", "")
    assert not re.search(r"(?<!\\)[<>`|]", text.replace("`up`", "").replace("<!-- -->", ""))
    assert "http<!-- -->://x" in text
    assert "@team" not in text
