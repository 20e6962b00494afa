"""What is told of one host: when its Postfix reads what is new, who may relay without a certificate, what moves."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pki.acceptance import AcceptedRow, Why
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.host_resource.records import HostInputs, HostRow
from postfix.settings import ServerSettings, Submission
from postfix.submission_rendering import submission_services
from postfix.target import Target, TargetKind
from postseal.ledger.documents import render_text
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import ledger_of_host
from postseal.ledger.words import login_words
from postseal.review.clients import Clients
from postseal.review.headline import headline
from postseal.review.hosts import host_reviews
from postseal.review.model import HostReview, Mark, Review
from postseal.review.rows import row_changes
from postseal.review.steps import Operation, Step

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOCAL = Target(kind=TargetKind.LOCAL, path="/etc/postfix", config_directory="/etc/postfix", ownership=Ownership.MERGE)
ELSEWHERE = Target(
    kind=TargetKind.LOCAL, path="/etc/postfix-out", config_directory="/etc/postfix", ownership=Ownership.MERGE
)
INPUTS = HostInputs(
    name="mx1",
    target=LOCAL,
    main_cf={"myhostname": "mx1.example.org", "mynetworks": "127.0.0.0/8, [::1]/128"},
    content={"relay_clientcerts": "sha256:1", "tls/mx1.pem": "sha256:2"},
)
LOGS_IN = {"smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject"}


def row(client: str, fingerprint: str = "AA:BB", **more: Any) -> HostRow:
    """Return a row that stands on the host for a week."""
    accepted = AcceptedRow(client=client, generation=1, fingerprint_sha256=fingerprint, until=NOW + timedelta(days=9))
    return HostRow(service="smtp", accepted=replace(accepted, **more), since=NOW - timedelta(days=7))


def reviewed(operation: Operation, before: Any, after: Any, **more: Any) -> HostReview:
    """Return what is told of one host."""
    step = Step("urn", "postseal:index:PostfixHost", "mx1", operation, before=before, after=after, **more)
    (host,) = host_reviews([step], Clients([]), NOW)
    return host


def changed(**main_cf: str) -> HostInputs:
    """Return the host with other parameters."""
    return replace(INPUTS, main_cf={**INPUTS.main_cf, **main_cf})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (INPUTS, changed(smtpd_tls_loglevel="2"), "Postfix **reloads**"),
        (INPUTS, changed(inet_interfaces="all"), "Postfix **is stopped and started**"),
        (None, INPUTS, "Postfix **reloads**, if it runs there"),
        (INPUTS, replace(INPUTS, target=ELSEWHERE), "Postfix **reloads**, if it runs there"),
        (INPUTS, replace(INPUTS, target=replace(LOCAL, kind=TargetKind.DIRECTORY)), "**By hand**: "),
    ],
    ids=["parameter", "interfaces", "new", "moved", "directory"],
)  # fmt: skip
def test_it_is_told_when_postfix_reads_what_is_new(before: Any, after: Any, told: str) -> None:
    """A reload, a stop and a start, or nothing, by the target and by what differs."""
    operation = Operation.UPDATE if before else Operation.CREATE
    assert reviewed(operation, before, after).reading.startswith(told)


def test_a_directory_with_a_backtick_is_still_code() -> None:
    """Its name is escaped as all text of others; what is behind it would be markup."""
    target = replace(LOCAL, kind=TargetKind.DIRECTORY, path="out/a`b")
    assert "copy `out/a\\`b` to" in reviewed(Operation.CREATE, None, replace(INPUTS, target=target)).reading


def test_a_host_that_goes_and_one_that_stays_are_told_apart() -> None:
    """Of the one every row goes; of the other nothing is written and nothing reloads."""
    rows = (row("alice"),)
    gone = reviewed(Operation.DELETE, INPUTS, None, rows_before=rows)
    assert (gone.after, [each.mark for each in gone.rows]) == (None, [Mark.GONE])
    assert gone.removed == ("relay_clientcerts", "tls/mx1.pem")
    same = reviewed(Operation.SAME, INPUTS, INPUTS, rows_before=rows, rows=rows)
    assert (same.is_changed, same.reading, same.written) == (False, "", ())
    assert [each.mark for each in same.rows] == [Mark.SAME]


def test_a_host_that_is_refused_stays_as_it_is() -> None:
    """Whatever its declaration says."""
    rows = (row("alice"),)
    host = reviewed(Operation.REFUSED, INPUTS, changed(mynetworks="0.0.0.0/0"), rows_before=rows, rows=())
    assert host.is_refused
    assert host.after == host.before
    assert [each.mark for each in host.rows] == [Mark.SAME]


def test_values_and_files_that_differ_are_named() -> None:
    """Also a main.cf of somebody else, of which there is no digest: it is changed in place."""
    after = replace(changed(smtpd_tls_loglevel="2"), content={**INPUTS.content, "tls/mx1.pem": "sha256:3"})
    host = reviewed(Operation.UPDATE, INPUTS, after)
    assert host.written == ("main.cf", "tls/mx1.pem")
    assert [(each.place, each.name, each.before, each.after) for each in host.differences] == [
        ("main.cf", "smtpd_tls_loglevel", "", "2")
    ]


def test_a_moved_host_writes_all_its_files() -> None:
    """Those of the old place are ours no more."""
    host = reviewed(Operation.UPDATE, INPUTS, replace(INPUTS, target=ELSEWHERE))
    assert host.written == ("relay_clientcerts", "tls/mx1.pem")
    assert host.differences[0].name == "place"


def test_the_ledger_says_who_needs_no_certificate() -> None:
    """What the declaration does not set, only the host itself could tell; that is never told as nobody."""
    ledger = ledger_of_host(INPUTS, [row("bob", "CC"), row("alice", "AA")])
    assert ledger.networks == ("127.0.0.0/8", "[::1]/128")
    assert ledger.has_login is None
    assert [each.accepted.client for each in ledger.rows] == ["alice", "bob"]
    assert ledger_of_host(replace(INPUTS, main_cf={}), []).networks is None
    assert ledger_of_host(replace(INPUTS, main_cf=LOGS_IN), []).has_login is True
    assert ledger_of_host(changed(smtpd_relay_restrictions="reject"), []).has_login is False


@pytest.mark.parametrize(
    ("main_cf", "found"),
    [
        ({"smtpd_relay_restrictions": "reject"}, ("submission",)),
        ({}, ("submission",)),
        (LOGS_IN, ("smtp", "submission")),
    ],
)
def test_a_login_at_a_service_for_mail_programs_is_a_way_in(main_cf: dict[str, str], found: tuple[str, ...]) -> None:
    """Whatever port 25 says; one that lets in by certificate alone is none, and neither is a way of sending."""
    services = submission_services(
        HostDeclaration(
            "mx1",
            "mx1.example.org",
            server=ServerSide(
                ServerSettings(),
                ("mx1",),
                submission={"submission": Submission(sasl=True), "submissions": Submission()},
            ),
        )
    )
    lines = {f"{each.name}/{each.type}": f"smtpd {dict(each.options)}" for each in services}
    inputs = replace(
        INPUTS, main_cf=main_cf, master_cf={**lines, "to-hub/unix": "smtp -o { smtp_tls_chain_files = a }"}
    )
    ledger = ledger_of_host(inputs, [])
    assert (ledger.has_login, ledger.login_services) == (True, found)
    assert login_words(ledger) == f"relays at {', '.join(found)}"
    by_certificate = {name: line for name, line in lines.items() if name == "submissions/inet"}
    assert ledger_of_host(replace(inputs, master_cf=by_certificate), []).login_services == ()


def test_a_row_whose_overlap_ended_says_when() -> None:
    """It goes because of its date, not because of somebody's change."""
    old = row("alice", "AA", until=NOW - timedelta(days=1), why=Why.OVERLAP)
    new = row("alice", "BB", generation=2)
    host = reviewed(Operation.UPDATE, INPUTS, changed(x="y"), rows_before=(old, new), rows=(new,))
    assert [(each.mark, each.why) for each in host.rows] == [
        (Mark.GONE, "overlap ended 2026-05-31 12:00"),
        (Mark.SAME, "current"),
    ]


def test_the_headline_of_many_renewals_takes_time_by_their_number() -> None:
    """Each host of ten thousand is looked at once, not once a client."""
    count = 5_000
    old = tuple(row(f"c{number}", f"A{number}", why=Why.OVERLAP) for number in range(count))
    new = tuple(row(f"c{number}", f"B{number}", generation=2) for number in range(count))
    was = tuple(replace(each, accepted=replace(each.accepted, why=Why.CURRENT)) for each in old)
    host = reviewed(Operation.UPDATE, INPUTS, changed(x="y"), rows_before=was, rows=(*old, *new))
    start = time.process_time()
    told = dict(headline(Review("mail-pki", "test", NOW, hosts=(host,)), 3))
    assert time.process_time() - start < 2
    assert told["New certificate, old one accepted beside it"] == "c0, c1, c10 and 4,997 more"
    assert told["May relay after this, not before"] == told["May no longer relay"] == "nobody"


def test_a_client_that_comes_to_a_service_for_mail_programs_is_told_as_new() -> None:
    """Port 25 lets it in already; whoever reads names only would see nobody come. It is one client all the same."""
    at_port_25 = row("bob", "AA")
    submitting = replace(at_port_25, service="submission")
    before, after = (ledger_of_host(INPUTS, rows) for rows in ([at_port_25], [at_port_25, submitting]))
    changes = row_changes(before.rows, after.rows, Clients([]), NOW)
    assert [(each.mark, each.row.who) for each in changes] == [(Mark.SAME, "bob"), (Mark.ADDED, "bob (submission)")]
    assert "by certificate 1 client, 2 rows" in render_text(StackLedger("mail-pki", "prod", NOW, (after,)))
    host = reviewed(Operation.UPDATE, INPUTS, changed(x="y"), rows_before=(at_port_25,), rows=(at_port_25, submitting))
    told = dict(headline(Review("mail-pki", "test", NOW, hosts=(host,)), 3))
    assert told["May relay after this, not before"] == "bob (submission) on mx1"
    assert told["May no longer relay"] == "nobody"
