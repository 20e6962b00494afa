"""Refuse, before anything changes, that an authority is withdrawn while something it signed is still accepted."""

from pki.errors import Problem
from pki.plugin.values import Properties, contains_unknown
from pki.rollover import problems_of_withdrawal

__all__ = ["withdrawal_problems"]


def withdrawal_problems(new: Properties) -> list[Problem]:
    """Return which accepted certificates would lose the authority that signed them."""
    withdrawal = new.get("withdrawal")
    if not withdrawal:
        return []
    dependents = {
        name: each for name, each in withdrawal["dependents"].items() if not contains_unknown(each["previous"])
    }
    return problems_of_withdrawal(dependents, withdrawal["issuers"], withdrawal["authorities"])
