"""Words about ledgers that readers meet in several places; pure."""

from datetime import datetime
from typing import Final

from pki.acceptance import Why
from postseal.ledger.records import HostLedger, LedgerRow

__all__ = ["OVERLAP", "is_ended", "login_words", "network_words", "why_words"]

OVERLAP: Final = "overlap, goes with the first `up` after that"
"""What is said of a row that stands beside that of a newer generation."""

_OF_ITSELF: Final = {Why.CURRENT: "current", Why.OVERLAP: OVERLAP, Why.FOREIGN: "from elsewhere"}
_ENDED: Final = {
    Why.CURRENT: "ended; listed until `up` renews it",
    Why.OVERLAP: "overlap ended, goes with the next `up`",
    Why.FOREIGN: "from elsewhere, ended; stays until taken out",
}


def network_words(ledger: HostLedger) -> str:
    """Return whose hosts relay without any proof."""
    return "not set here" if ledger.networks is None else " ".join(ledger.networks) or "none"


def login_words(ledger: HostLedger) -> str:
    """Return whether users relay who log in."""
    where = f" at {', '.join(ledger.login_services)}" if ledger.login_services else ""
    return {None: "not set here", True: f"relays{where}", False: "does not relay"}[ledger.has_login]


def is_ended(row: LedgerRow, at: datetime) -> bool:
    """Return whether a row has reached its end; Postfix, which looks at no date, lets it in all the same."""
    return row.accepted.until is not None and row.accepted.until <= at


def why_words(row: LedgerRow, at: datetime) -> str:
    """Return why a row stands there at an instant."""
    return (_ENDED if is_ended(row, at) else _OF_ITSELF)[row.accepted.why]
