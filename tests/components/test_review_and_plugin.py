"""What a review tells is what `up` then does: the same operations, rows and files, for any two stack files and days."""

import json
from collections.abc import Iterator, Mapping
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow
from postfix.host_resource.records import HostRow
from postseal.ledger.records import HostLedger
from postseal.review.assembling import assembled
from postseal.review.declared import StackSource
from postseal.review.model import ExitCode, Review
from postseal.review.runs import Compared, compare_files
from postseal.review.stack_yaml import read_stack_text
from postseal.review.steps import Operation
from postseal.review.stored import read_stored_stack, without_ciphertext
from postseal_core.errors import PostsealError
from postseal_core.packing import unpack_records
from postseal_core.values import is_unknown
from tests.support.examples import examples
from tests.support.played_engine import PlayedStack, RefusedError

pytestmark = pytest.mark.takes_long

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
NAMES = ("mail-pki", "test")
SECRETS = {"carol-passphrase": "correct horse battery"}
LIFETIME = {"leaf": {"validity": "90d", "renew_fraction": "2/3", "overlap": "14d"}}


def source(sections: Mapping[str, Any], secrets: Mapping[str, str] = SECRETS) -> StackSource:
    """Return a stack file; its secrets are sealed, and the same text is sealed in the same way."""
    config: dict[str, Any] = {f"mail-pki:{name}": section for name, section in sections.items()}
    config |= {f"mail-pki:{key}": {"secure": f"v1:{value[::-1]}"} for key, value in secrets.items()}
    return StackSource(read_stack_text(yaml.safe_dump({"config": config}), "stack file"))


def compared(stack: PlayedStack, old: Mapping[str, Any], new: Mapping[str, Any], now: datetime) -> Compared:
    """Compare two stack files over the state of a stack, of which nothing secret is handed out."""
    export = without_ciphertext(json.loads(json.dumps(stack.export())))
    return compare_files(read_stored_stack(export), source(old), source(new), NAMES, now)


def rows_in_force(stack: PlayedStack) -> dict[str, set[AcceptedRow]]:
    """Return the rows of each host as the state has them."""
    return {
        urn.rpartition("::")[2]: {each.accepted for each in unpack_records(HostRow, made.outputs["rows"])}
        for urn, made in stack.made.items()
        if made.type.endswith("PostfixHost")
    }


def told_rows(review: Review) -> Iterator[tuple[str, HostLedger]]:
    """Yield the ledger of each host after this."""
    return ((each.name, each.after) for each in review.hosts if each.after)


def without_fingerprints(rows: set[AcceptedRow]) -> set[tuple[Any, ...]]:
    """Return rows by all that is decided about them."""
    return {(each.client, each.generation, each.why, each.not_before, each.until, each.issuer) for each in rows}


def agree(stack: PlayedStack, old: Mapping[str, Any], new: Mapping[str, Any], now: datetime) -> Review:
    """Compare what a review tells with what `up` then does, and return the review."""
    found = compared(stack, old, new, now)
    review = assembled(found, NAMES, now)
    if review.problems:
        with pytest.raises((PostsealError, RefusedError)):
            stack.up(new, now)
        return review
    stack.up(new, now)
    told = {urn: step.operation.value for urn, step in found.new.steps.items() if step.operation is not Operation.SAME}
    assert told == stack.operations
    assert (review.exit_code is ExitCode.NOTHING) == (not stack.operations)
    for name, ledger in told_rows(review):
        after = rows_in_force(stack)[name]
        said = {each.accepted for each in ledger.rows}
        assert without_fingerprints(said) == without_fingerprints(after)
        known = {each.fingerprint_sha256 for each in said if not is_unknown(each.fingerprint_sha256)}
        assert known <= {each.fingerprint_sha256 for each in after}
    for urn, step in found.new.steps.items():
        if step.is_host and step.before and urn in stack.made:
            before, after, now_there = step.before.content, step.after.content, stack.made[urn].inputs["content"]
            told_same = {path: digest for path, digest in before.items() if after.get(path) == digest}
            assert told_same == {path: now_there[path] for path in told_same}
    return review


clients = st.dictionaries(
    st.sampled_from(("alice", "bob", "carol", "dave")),
    st.fixed_dictionaries(
        {},
        optional={
            "organization": st.sampled_from(("Example", "Other")),
            "match": st.sampled_from(("certificate", "public_key")),
            "revoke": st.sampled_from(("no", "no", "no", "keyCompromise")),
            "pkcs12": st.sampled_from(("modern", {"profile": "legacy", "passphrase_secret": "carol-passphrase"})),
            "confirm": st.booleans(),
        },
    ),
    max_size=4,
)
rows = st.dictionaries(
    st.sampled_from(("r1", "r2", "r3")),
    st.fixed_dictionaries(
        {}, optional={"organization": st.just("Rows"), "revoke": st.sampled_from(("no", "superseded"))}
    ),
    min_size=1,
    max_size=3,
)


def _said(name: str, said: Mapping[str, Any], *, is_first: bool) -> dict[str, Any]:
    """Return what is said of a client; what was never issued cannot be revoked."""
    is_revoked = said.get("revoke", "no") != "no" and not is_first
    fields = {key: value for key, value in said.items() if key != "revoke" or is_revoked}
    return {"email": f"{name}@example.org", **fields}


@st.composite
def stack_files(draw: st.DrawFn, *, is_first: bool = False) -> dict[str, Any]:
    """Return the sections of a stack file with clients, a roster, a list and hosts, which may be wrong together.

    `is_first`: nothing that needs a certificate before it.
    """
    declared = {name: _said(name, said, is_first=is_first) for name, said in sorted(draw(clients).items())}
    roster = {name: _said(name, said, is_first=is_first) for name, said in sorted(draw(rows).items())}
    named = sorted(declared)
    hosts: dict[str, Any] = {
        "mx1": {
            "myhostname": "mx1.example.org",
            "relay_clients": draw(st.lists(st.sampled_from(named), unique=True)) if named else [],
            "relay": {"networks": draw(st.sampled_from((["127.0.0.0/8"], ["127.0.0.0/8", "10.0.0.0/8"])))},
        }
    }
    if draw(st.booleans()):
        hosts["mx1"]["relay_rosters"] = ["staff"]
    if draw(st.booleans()):
        hosts["mx2"] = {
            "myhostname": "mx2.example.org",
            "relay_clients": draw(st.lists(st.sampled_from(named), unique=True)) if named else [],
            "settings": {"smtpd_helo_required": draw(st.sampled_from(("yes", "no")))},
        }
    lifetime = draw(st.sampled_from((LIFETIME, {"leaf": {**LIFETIME["leaf"], "validity": "60d"}})))
    authority: dict[str, Any] = {"common_name": "Example Mail CA", "path_length": 0, "protect": False}
    if draw(st.booleans()):
        authority["crl"] = {"lifetime": "30d"}
    return {
        "authority": authority,
        "lifetime": lifetime,
        "clients": declared,
        "rosters": {"staff": {"clients": roster}},
        "hosts": hosts,
    }


@examples(20, deadline=None)
@given(
    files=st.tuples(stack_files(is_first=True), stack_files(), stack_files()),
    days=st.integers(0, 80),
    more=st.integers(0, 80),
)
def test_a_review_tells_what_up_does(files: tuple[Mapping[str, Any], ...], days: int, more: int) -> None:
    """Whatever is declared before and after, on whatever day; what is refused is refused by both."""
    first, old, new = files
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        stack = PlayedStack(SECRETS)
        now = FIRST
        try:
            stack.up(first, now)
        except (PostsealError, RefusedError):
            event("the first file is refused")
            return
        now += timedelta(days=days)
        before = first if agree(stack, first, old, now).exit_code is ExitCode.REFUSED else old
        review = agree(stack, before, new, now + timedelta(days=more))
        event(f"the second review: {review.exit_code.name}")


def test_another_stack_file_is_told_otherwise() -> None:
    """A control: with a client more, what is told for the file without it is wrong."""
    sections: dict[str, Any] = {
        "authority": {"common_name": "Example Mail CA", "path_length": 0, "protect": False},
        "clients": {"alice": {"email": "alice@example.org"}},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": ["alice"]}},
    }
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        stack = PlayedStack()
        stack.up(sections, FIRST)
        more = {**sections, "clients": {**sections["clients"], "bob": {"email": "bob@example.org"}}}
        told = assembled(compared(stack, sections, sections, FIRST), NAMES, FIRST)
        assert told.exit_code is ExitCode.NOTHING
        with pytest.raises(AssertionError):
            compare_operations(stack, told, more)


def compare_operations(stack: PlayedStack, told: Review, sections: Mapping[str, Any]) -> None:
    """Fail where a review and `up` with other sections differ."""
    stack.up(sections, FIRST)
    assert (told.exit_code is ExitCode.NOTHING) == (not stack.operations)


def test_a_review_looks_at_the_files_of_nobody() -> None:
    """It runs where no directory of the stack is, and makes none."""
    sections: dict[str, Any] = {"authority": {"common_name": "Example Mail CA", "path_length": 0}}
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        compare_files(read_stored_stack({"deployment": {}}), None, source(sections, {}), NAMES, FIRST)
        assert list(Path(name).iterdir()) == []
