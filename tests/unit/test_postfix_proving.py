"""What was proven of a host: read from what the program told, kept with its age, shown in each form of the report."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postfix.deploy.program_result import read_result
from postfix.host_resource.records import HostInputs, HostState
from postfix.proving import (
    HostEvidence,
    ServerEvidence,
    StraightEvidence,
    TableEvidence,
    TrialAnswer,
    evidence_of,
    sentences_of_proof,
    summary_of_evidence,
)
from postfix.target import Local
from postseal.report.inventory import build_inventory
from postseal.report.json_document import render_json
from postseal.report.model import ExitCode, Inventory, Kind, exit_code
from postseal.report.page import PageAssets, render_page
from postseal.report.prometheus import render_prometheus
from postseal.report.selection import Selection
from postseal.report.table import TableStyle, render_table
from postseal_core.errors import ConfigError
from postseal_core.records import decode_stored, encode

NOW = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
TOLD = """\
evidence\ttrial\ttried\t2
evidence\tanswer\tsmtp\tlisted\t250 2.1.5 Ok | 250 2.1.5 Ok
evidence\tanswer\tsubmission\tnot tried\ta policy server would be asked
evidence\ttable\thash:relay_clientcerts\tfound\t3
evidence\ttable\thash:relay_clientcerts\tabsent\t1
evidence\tsessions\t2\t1
evidence\tserver\t127.0.0.1:smtp\tstarttls\ttls AA:BB\t554 5.7.1 no\tTLSv1.3 TLS_AES_256_GCM_SHA384 X25519
evidence\tserver\t[::1]:10025\tstarttls\tplain\tnone\t-
evidence\tname\t127.0.0.1:smtp\tmx1.example.org\tAA:BB
evidence\tplain\t127.0.0.1:smtp\tyes
evidence\ttime\t2026-11-26T22:59:58Z
end\tcommitted
complete
"""
EXPECTED = HostEvidence(
    proven_at=NOW,
    host_clock="2026-11-26T22:59:58Z",
    trial="tried",
    answers=(
        TrialAnswer(server="smtp", client="listed", reply="250 2.1.5 Ok | 250 2.1.5 Ok"),
        TrialAnswer(server="submission", client="not tried", reply="a policy server would be asked"),
    ),
    servers=(
        ServerEvidence(
            address="127.0.0.1:smtp",
            seen="tls",
            fingerprint_sha256="AA:BB",
            manner="TLSv1.3 TLS_AES_256_GCM_SHA384 X25519",
            reply="554 5.7.1 no",
            demands_tls=True,
            names=("mx1.example.org",),
        ),
        ServerEvidence(address="[::1]:10025", seen="plain"),
    ),
    tables=(TableEvidence(table="hash:relay_clientcerts", found=3, gone=1),),
    sessions_cut=2,
    sessions_open=1,
)


def test_what_the_program_told_is_one_record_that_survives_being_stored() -> None:
    """With nothing left of how it was told."""
    found = evidence_of(read_result(TOLD).evidence, (), NOW)
    assert found == EXPECTED
    assert decode_stored(HostEvidence, json.loads(json.dumps(encode(found)))) == EXPECTED
    assert decode_stored(HostEvidence, {"proven_at": encode(found)["proven_at"]}) == HostEvidence(proven_at=NOW)


@pytest.mark.parametrize(
    ("told", "trial"),
    [
        ("trial\tnot needed\tat most rows of clients change", "not needed: at most rows of clients change"),
        ("trial\tnot tried\tno port", "not tried: no port"),
        ("time\t2026-11-26T22:59:58Z", ""),
    ],
)
def test_what_was_not_tried_says_why(told: str, trial: str) -> None:
    """It is neither a yes nor a no; where no Postfix ran, no server is claimed."""
    found = evidence_of(read_result(f"evidence\t{told}\nend\tcommitted\ncomplete\n").evidence, (), NOW)
    assert (found.trial, found.servers) == (trial, ())
    assert summary_of_evidence(found) == f"no Postfix ran; trial run beforehand: {trial or 'not tried'}"


def test_every_part_of_it_is_a_sentence() -> None:
    """With the name of the server or table that it is about."""
    lines = list(sentences_of_proof(EXPECTED))
    assert lines[0] == (
        "127.0.0.1:smtp served AA:BB, with TLSv1.3 TLS_AES_256_GCM_SHA384 X25519, also as mx1.example.org, "
        "refused mail without TLS"
    )
    assert lines[1:] == [
        "[::1]:10025 TLS: plain",
        "hash:relay_clientcerts: 3 declared rows are found, 1 withdrawn ones are not",
        "trial run beforehand: tried",
        "in the trial run smtp told a listed client: 250 2.1.5 Ok | 250 2.1.5 Ok",
        "in the trial run submission was not asked: a policy server would be asked",
        "1 sessions with rows from before went on",
        "not probed from outside",
    ]


@pytest.mark.parametrize(("fingerprint", "served"), [("AA:BB", "served AA:BB"), ("", "served no TLS")])
def test_what_was_seen_from_outside_is_a_sentence(fingerprint: str, served: str) -> None:
    """A server without TLS is never one that served a certificate."""
    seen = StraightEvidence(address="mx1:25", fingerprint_sha256=fingerprint, reply="554 5.7.1 no")
    assert [*sentences_of_proof(replace(EXPECTED, outside=(seen,)))][-1] == (
        f"from where it was deployed mx1:25 {served}, and said to a stranger: 554 5.7.1 no"
    )


def export_of(evidence: object) -> dict[str, Any]:
    """Return the state of a stack with a host of which this was proven."""
    target = Local().record
    row = {
        "urn": "urn:pulumi:prod::mail-pki::postseal:index:MailServer::mx1",
        "type": "postseal:index:MailServer",
        "inputs": json.loads(json.dumps(encode(HostInputs(name="mx1", target=target, main_cf={})))),
        "outputs": {"name": "mx1", "target": encode(target)["kind"], "evidence": evidence},
    }
    return {"deployment": {"resources": [row]}}


def inventory(evidence: HostEvidence | None = EXPECTED, days: int = 3) -> Inventory:
    """Return the report on such a host, some days later."""
    return build_inventory(
        export_of(json.loads(json.dumps(encode(evidence))) if evidence else None), NOW + timedelta(days)
    )


def test_the_report_shows_what_was_proven_with_its_age_in_every_form() -> None:
    """A proof is no date that ends: it changes no exit code."""
    found = inventory()
    (proven,) = found.proven
    assert (proven.host, proven.days_ago) == ("mx1", 3)
    assert exit_code(found.items, found.unseen) is ExitCode.FINE
    said = "last proven 3 d ago (2026-11-26 23:00 UTC): 1 of 2 servers served TLS; trial run beforehand: tried"
    assert f"mx1: {said}" in render_table(found, (), TableStyle(width=200))
    page = render_page(found, (), PageAssets("", ""))
    assert said in page
    assert "127.0.0.1:smtp served AA:BB" in page
    (document,) = json.loads(render_json(found, ()))["proven"]
    assert (document["host"], document["proven_at"], document["days_ago"]) == ("mx1", "2026-11-26T23:00:00Z", 3)
    assert document["servers"][0]["fingerprint_sha256"] == "AA:BB"
    assert f'postseal_host_proven_at_seconds{{stack="prod",host="mx1"}} {NOW.timestamp():.0f}' in render_prometheus(
        found, ()
    )
    assert "last proven today" in inventory(days=0).proven[0].label


def test_a_host_of_an_earlier_version_has_no_proof_and_a_damaged_one_is_named() -> None:
    """Nothing is claimed of it."""
    assert inventory(None).proven == ()
    with pytest.raises(ConfigError, match=r"mx1\.evidence"):
        build_inventory(export_of({"servers": 3}), NOW)


def test_filters_choose_proofs_by_the_name_of_the_host() -> None:
    """A kind or a state asks for what expires."""
    proven = inventory().proven
    assert Selection(names=("mx*",)).apply_to_proven(proven) == proven
    for selection in (Selection(names=("web*",)), Selection(kinds=(Kind.CLIENT,))):
        assert selection.apply_to_proven(proven) == ()


def test_a_state_without_evidence_reads() -> None:
    """As those of all versions before."""
    state = encode(HostState(name="mx1", target=Local().record, rows=""))
    plain = {name: value for name, value in state.items() if name not in ("evidence", "deployed")}
    assert decode_stored(HostState, plain).evidence is None
