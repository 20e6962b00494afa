"""What the report says about certificates that hosts have by themselves: what was seen, and how long ago that was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.model import Validity
from postfix.host import Ownership
from postfix.host_resource.records import HostInputs, HostState
from postfix.on_host import CertificateOnHost, SeenCertificate, Sighting
from postfix.target import Local
from postseal.report.csv_document import render_csv
from postseal.report.forecast import forecast
from postseal.report.forecast_document import render_forecast
from postseal.report.inventory import build_inventory
from postseal.report.json_document import render_json
from postseal.report.model import ExitCode, Inventory, Kind, State, Verb, exit_code
from postseal.report.page import PageAssets, render_page
from postseal.report.prometheus import render_prometheus
from postseal.report.selection import Selection
from postseal.report.table import TableStyle, render_table
from postseal_core.records import encode

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=90)
LATE = END - timedelta(days=14)
DECLARED = CertificateOnHost(public_names=("mx1.example.org",), keeps_parameters=True)
TARGET = Local("/etc/postfix", ownership=Ownership.MERGE).record


def seen(*kinds: str, at: datetime | None = BEGIN, **more: Any) -> Sighting:
    """Return a look at certificates with keys of these kinds, at an instant."""
    certificates = tuple(
        SeenCertificate(
            kind=kind,
            subject="CN=mx1.example.org",
            issuer="CN=R13,O=Let's Encrypt,C=US",
            dns_names=("mx1.example.org",),
            validity=Validity(BEGIN, END),
            fingerprint_sha256="AB:CD",
        )
        for kind in kinds
    )
    return Sighting(declared=DECLARED, certificates=certificates, seen_at=at, **more)


def export_of(sighting: Sighting | None) -> dict[str, Any]:
    """Return the state of a stack with a host of which this was seen."""
    inputs = HostInputs(name="mx1", target=TARGET, main_cf={}, on_host=DECLARED)
    state = HostState(name="mx1", target=TARGET, on_host=sighting, rows="")
    row = {
        "urn": "urn:pulumi:prod::mail-pki::postseal:index:PostfixHost::mx1",
        "type": "postseal:index:PostfixHost",
        "inputs": json.loads(json.dumps(encode(inputs))),
        "outputs": {name: value for name, value in encode(state).items() if name != "deployed" and not callable(value)},
    }
    return {"deployment": {"resources": [row]}}


def inventory(sighting: Sighting | None, now: datetime = BEGIN) -> Inventory:
    """Return the report on such a host."""
    return build_inventory(export_of(sighting), now)


def test_what_was_seen_has_its_dates_and_its_age() -> None:
    """It is renewed by somebody else, and the report says when to look whether that was done."""
    found = inventory(seen("ECDSA"), BEGIN + timedelta(days=3))
    (item,) = found.items
    assert (item.kind, item.name, item.not_after, item.state) == (Kind.ON_HOST, "mx1", END, State.OK)
    assert item.label == "mx1 (seen 3 d ago)"
    assert item.next_action
    assert (item.next_action.verb, item.next_action.due) == (Verb.RENEW_ON_HOST, LATE)
    assert inventory(seen("ECDSA")).items[0].label == "mx1 (seen today)"
    assert found.unseen == ()


def test_several_certificates_of_a_host_are_told_apart_by_their_keys() -> None:
    """Each has dates of its own."""
    assert {item.name for item in inventory(seen("ECDSA", "RSA")).items} == {"mx1 ECDSA", "mx1 RSA"}


@pytest.mark.parametrize(
    ("looked", "now", "state"),
    [
        (BEGIN, LATE - timedelta(seconds=1), State.DUE_SOON),
        (BEGIN, LATE, State.CANNOT_TELL),
        (LATE, LATE, State.OVERDUE),
        (LATE, END - timedelta(seconds=1), State.OVERDUE),
        (LATE, END, State.CANNOT_TELL),
        (END, END, State.EXPIRED),
        (BEGIN, END + timedelta(days=400), State.CANNOT_TELL),
    ],
)
def test_an_old_fact_says_nothing_about_a_renewal(looked: datetime, now: datetime, state: State) -> None:
    """Only who looked after the date can tell that nothing was done; before, the next step is to look."""
    (item,) = inventory(seen("RSA", at=looked), now).items
    assert item.state is state
    assert item.next_action
    assert (item.next_action.verb is Verb.LOOK) is (state is State.CANNOT_TELL)
    assert (exit_code([item]) is ExitCode.FINE) is False


@given(
    looked=st.datetimes(
        BEGIN.replace(tzinfo=None), datetime(2027, 6, 1, tzinfo=UTC).replace(tzinfo=None), timezones=st.just(UTC)
    ),
    later=st.integers(0, 10**7),
)
def test_nothing_is_ever_called_expired_that_was_not_seen_to_be(looked: datetime, later: int) -> None:
    """And nothing is called fine after the day on which somebody should have renewed it."""
    now = looked + timedelta(seconds=later)
    (item,) = inventory(seen("RSA", at=looked), now).items
    assert (item.state is State.EXPIRED) is (looked >= END)
    assert item.state.is_fine is False or now < LATE


@pytest.mark.parametrize(
    ("sighting", "words", "is_fault"),
    [
        (seen(cannot_tell="the files are on another machine", at=None), "cannot tell what certificate", False),
        (seen(faults=("/etc/ssl/mx1.pem is not there",)), "/etc/ssl/mx1.pem is not there (seen 2026-10-01)", True),
        (None, "nobody has looked yet", False),
    ],
    ids=["elsewhere", "broken", "never looked"],
)
def test_what_has_no_date_is_said_all_the_same(sighting: Sighting | None, words: str, *, is_fault: bool) -> None:
    """In every form that people or programs read; a fault is due, and that nobody can tell is none."""
    found = inventory(sighting)
    assert found.items == ()
    assert words in render_table(found, (), TableStyle(width=200))
    assert words.replace("'", "&#x27;") in render_page(found, (), PageAssets("", ""))
    (unseen,) = json.loads(render_json(found, ()))["unseen"]
    assert (unseen["host"], unseen["is_fault"]) == ("mx1", is_fault)
    assert f'why="{"fault" if is_fault else "cannot_tell"}"' in render_prometheus(found, ())
    assert exit_code((), found.unseen) is (ExitCode.DUE if is_fault else ExitCode.FINE)


def test_filters_hold_for_what_has_no_date() -> None:
    """A report on clients says nothing about hosts."""
    unseen = inventory(None).unseen
    assert Selection().apply_to_unseen(unseen) == unseen
    assert Selection(kinds=(Kind.ON_HOST,), names=("mx*",)).apply_to_unseen(unseen) == unseen
    assert Selection(kinds=(Kind.CLIENT,)).apply_to_unseen(unseen) == ()
    assert Selection(names=("web*",)).apply_to_unseen(unseen) == ()
    assert Selection(states=(State.EXPIRED,)).apply_to_unseen(unseen) == ()


def test_every_form_has_the_instant_at_which_somebody_looked() -> None:
    """So that each reader can judge how much the date is worth."""
    found = inventory(seen("RSA"), BEGIN + timedelta(days=3))
    assert json.loads(render_json(found, found.items))["entries"][0]["seen_at"] == "2026-10-01T00:00:00Z"
    assert render_csv(found.items).splitlines()[1].endswith(",2026-10-01T00:00:00Z,,,")
    assert "postseal_certificate_seen_at_seconds{" in render_prometheus(found, found.items)
    assert "mx1 (seen 3 d ago)" in render_table(found, found.items, TableStyle())
    assert "mx1 (seen 3 d ago)" in render_page(found, found.items, PageAssets("", ""))


def test_a_host_that_serves_ours_is_nothing_to_report() -> None:
    """Its certificate is a resource of its own."""
    row = {
        "urn": "urn:pulumi:prod::mail-pki::postseal:index:PostfixHost::mx1",
        "type": "postseal:index:PostfixHost",
        "inputs": {"name": "mx1"},
        "outputs": {},
    }
    found = build_inventory({"deployment": {"resources": [row]}}, BEGIN)
    assert (found.items, found.unseen) == ((), ())


def test_the_forecast_says_who_must_renew_it_and_by_when() -> None:
    """No run of ours renews it; what was seen ends on a day all the same."""
    events = forecast(export_of(seen("ECDSA", "RSA")), BEGIN, END)
    assert [(event.at, event.action, event.name, event.not_after) for event in events] == [
        (LATE, "renew on host", f"mx1 {kind}", END) for kind in ("ECDSA", "RSA")
    ]
    assert events[0].reason == "whoever renews it there must; what was seen (seen 2026-10-01) ends 2026-12-30"
    text = render_forecast(events, BEGIN, END, TableStyle(width=200))
    assert "renew on host  on host mx1 ECDSA, mx1 RSA (whoever renews it there must" in text
    assert forecast(export_of(seen("ECDSA")), BEGIN, LATE - timedelta(seconds=1)) == ()
    assert [event.at for event in forecast(export_of(seen("ECDSA")), END, END)] == [END]


@pytest.mark.parametrize("sighting", [None, seen(cannot_tell="no rights", at=None)])
def test_the_forecast_knows_nothing_of_what_nobody_has_seen(sighting: Sighting | None) -> None:
    """Nothing is guessed; the report says that nobody has looked."""
    assert forecast(export_of(sighting), BEGIN, END) == ()
