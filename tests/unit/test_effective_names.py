"""Names in the tables of what is looked at on a host: each is one that Postfix has."""

import pytest

from postfix.effective import (
    comparison,
    destinations,
    host_lists,
    listeners,
    recipient_check,
    remedies,
    sending,
    soundness,
    starting,
    verdicts,
)
from postfix.parameters import known_parameters
from postfix.restriction_names import INSTEAD, RESTRICTIONS
from postfix.values import CHECKS

# In postconf(5), and in no list that we write.
BACKUP = "permit_mx_backup"
NAMES = {
    "comparison": comparison._FOLLOW_LEVEL,
    "destinations": destinations.DOMAIN_LISTS,
    "listeners": [*listeners._LOGIN_WORDS, *(name for pair in listeners._PAIRS for name in pair)],
    "lists": host_lists.OWN_ACCESS,
    "recipient check": [*recipient_check._OWN_TABLES, *recipient_check._ROUTING_TABLES],
    "remedies": remedies._LISTS,
    "sending": [*sending._ASKED_FIRST, *(name for names in sending._ASKED_FIRST.values() for name in names)],
    "soundness": [*soundness._OTHER_LISTS, *soundness._CACHES],
    "starting": [*starting._TABLES, *starting._RELAYING],
    "verdicts": [*verdicts._MAY_REFUSE, *verdicts._SCREENING, *verdicts._DEEP_TESTS],
}


@pytest.mark.parametrize("where", NAMES)
def test_the_parameters_that_are_looked_at_are_parameters_that_there_are(where: str) -> None:
    """A misspelt name counts as empty, so that what it decides would be passed over."""
    assert {*NAMES[where]} <= known_parameters().keys()


def test_words_that_decide_are_restrictions_and_kinds_that_there_are() -> None:
    """Of old files as well, with the name of today."""
    assert {*starting._UNCONDITIONAL, *host_lists._ANYTHING} <= RESTRICTIONS.keys() | INSTEAD.keys() | {BACKUP}
    assert {*host_lists.OWN_ACCESS.values()} <= RESTRICTIONS.keys()
    assert CHECKS.keys() >= soundness._TABLES
