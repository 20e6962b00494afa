"""An authority that somebody else signs, in report and forecast: awaited, in use, due, and what it leaves below."""

from argparse import Namespace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from pki.fields import DeclaredCertificate
from pki.model import Profile, SlotId
from pki.requested_authority.records import RequestedAuthorityArgs
from postseal.cli import RENDERERS
from postseal.report.forecast import BLOCKED, Event, forecast
from postseal.report.inventory import build_inventory
from postseal.report.model import Expiring, State, Verb
from postseal.report.table import TableStyle, render_table
from tests.support.offline_signer import OfflineSigner, pem
from tests.support.running_stack import RunningStack, slot_key_pem
from tests.support.specimens import NOW

SLOT = SlotId("issuing")
DAY = timedelta(days=1)


class Waiting:
    """A stack with an authority that an offline root signs, once it is told to."""

    def __init__(self) -> None:
        """Declare the authority; nothing is signed."""
        self.root, self.answer, self.stack = OfflineSigner(NOW), "", RunningStack()
        self.stack.requested(self._args)

    def sign(self, at: datetime, days: int = 1000) -> None:
        """Let the root answer the request."""
        request = self.stack.resources["issuing"].state.cert_request_pem
        self.answer = pem(self.root.sign(request, at=at, days=days, serial_number=x509.random_serial_number()))

    def export(self, *more: dict[str, Any]) -> dict[str, Any]:
        """Return the state, with further resources."""
        return {"deployment": {"resources": [*self.stack.exported(), *more]}}

    def _args(self) -> RequestedAuthorityArgs:
        return RequestedAuthorityArgs(
            name="issuing",
            slot=SLOT,
            declared=DeclaredCertificate(common_name="Example Issuing CA", path_length=0),
            private_key_pem=slot_key_pem(SLOT),
            signed_chain_pem=self.answer,
            roots_pem=pem(self.root.certificate) if self.answer else "",
        )


def alone(export: dict[str, Any], now: datetime) -> Expiring:
    """Return the authority as the report has it."""
    (item,) = (each for each in build_inventory(export, now).items if each.name == "issuing")
    return item


def waiting_client(name: str) -> dict[str, Any]:
    """Return a client that waits, as an export shows it."""
    type_name = "postseal:index:ClientCertificate"
    told = {"awaits": "the certificate of issuing"}
    row = {"urn": f"urn:pulumi:prod::mail-pki::{type_name}::{name}", "type": type_name, "id": name, "custom": True}
    return row | {"inputs": told, "outputs": told}


def test_what_is_awaited_stands_in_every_format_and_says_what_to_do() -> None:
    """It waits whatever the date; what waits for it is named, and nothing of that is an item of its own."""
    story = Waiting()
    story.stack.up(NOW)
    export = story.export(waiting_client("alice"), waiting_client("bob"))
    for now in (NOW, NOW + 5000 * DAY):
        item = alone(export, now)
        assert (item.state, item.next_action and item.next_action.verb) == (State.WAITING, Verb.FETCH)
        assert len(build_inventory(export, now).items) == 1
    inventory = build_inventory(export, NOW)
    text = render_table(inventory, inventory.items, TableStyle(width=200))
    assert "have issuing.csr.pem signed" in text
    assert "wait for it: client alice, client bob" in text
    assert "9999" not in text
    options = Namespace(all=False, no_color=True, output=None, soon=30)
    told = {name: render(inventory, inventory.items, options) for name, render in RENDERERS.items()}
    assert [name for name, each in told.items() if "issuing" not in each] == []
    assert "client alice" in told["json"]
    assert "9999" not in told["html"] + told["icalendar"] + told["table"]


def test_a_signed_one_is_due_when_the_next_is_to_be_asked_for() -> None:
    """Until then it is fine; from then on it is overdue; after its end it has expired; a new answer makes it fine."""
    story = Waiting()
    story.stack.up(NOW)
    story.sign(NOW)
    story.stack.up(NOW)
    export = story.export()
    states = [alone(export, NOW + days * DAY).state for days in (0, 640, 670, 1001)]
    assert states == [State.OK, State.DUE_SOON, State.OVERDUE, State.EXPIRED]
    story.sign(NOW + 700 * DAY)
    story.stack.up(NOW + 700 * DAY)
    assert alone(story.export(), NOW + 700 * DAY).state is State.OK


def test_the_forecast_asks_in_time_and_sees_the_end_of_what_is_below() -> None:
    """A client's certificate ends with the authority's at the latest, and its renewal is blocked behind that."""
    story = Waiting()
    story.stack.up(NOW)
    assert [each.action for each in forecast(story.export(), NOW, NOW + 10 * DAY)] == ["fetch"]
    story.sign(NOW, days=400)
    story.stack.up(NOW)
    story.stack.certificate("alice", Profile.CLIENT, SLOT, email="alice@example.org")
    story.stack.up(NOW)
    events = forecast(story.export(), NOW, NOW + 500 * DAY)
    (asked,) = (each for each in events if each.name == "issuing")
    assert (asked.action, (asked.at - NOW).days) == ("fetch", 266)
    renewals = [each for each in events if each.name == "alice" and each.action == "renew"]
    end = NOW + 400 * DAY
    assert renewals
    assert all(_end(each) <= end for each in renewals)
    assert [each for each in events if each.name == "alice" and each.action == BLOCKED]


def _end(event: Event) -> datetime:
    assert event.not_after
    return event.not_after
