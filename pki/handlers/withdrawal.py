"""Refuse, before anything changes, that an authority is withdrawn while something it signed is still accepted."""

from collections.abc import Mapping

from pki.rollover import problems_of_roster_withdrawal, problems_of_withdrawal
from pki.roster.decisions import Record, schedule_of
from postseal_core.errors import Problem
from postseal_core.values import Properties, contains_unknown

__all__ = ["roster_withdrawal_problems", "withdrawal_problems"]


def withdrawal_problems(new: Properties) -> list[Problem]:
    """Return which accepted certificates would lose the authority that signed them."""
    withdrawal = new.get("withdrawal")
    if not withdrawal:
        return []
    dependents = {
        name: each for name, each in withdrawal["dependents"].items() if not contains_unknown(each["previous"])
    }
    return problems_of_withdrawal(dependents, withdrawal["issuers"], withdrawal["authorities"])


def roster_withdrawal_problems(new: Properties, records: Mapping[str, Record]) -> list[Problem]:
    """Return the same for a roster, whose own clients depend on its authority beside what stands in `withdrawal`."""
    withdrawal = new.get("withdrawal")
    if not withdrawal:
        return []
    accepted = (
        (name, entry)
        for name, record in records.items()
        if "accepted" in record
        for entry in schedule_of(record).accepted
    )
    of_clients = problems_of_roster_withdrawal(accepted, withdrawal["issuers"], withdrawal["authorities"])
    return [*of_clients, *withdrawal_problems(new)]
