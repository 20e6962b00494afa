"""What smtpd(8) refuses after all restriction lists: recipients whose tables cannot be looked up, or have no route."""

from collections.abc import Iterable, Iterator
from typing import Final

from postfix.effective.destinations import DOMAIN_LISTS, may_be_unknown
from postfix.effective.expansion import Values
from postfix.effective.listeners import Listener
from postfix.effective.visitors import NOBODY, Answer, Answers
from postfix.list_items import split_list

__all__ = ["receive_options", "recipient_faults"]

# Looked up by smtpd(8) itself, and by trivial-rewrite(8) with its own options.
_OWN_TABLES: Final = ("virtual_alias_maps", "canonical_maps", "recipient_canonical_maps", "mydestination")
_ROUTING_TABLES: Final = (
    *("transport_maps", "sender_dependent_default_transport_maps", "sender_dependent_relayhost_maps"),
    *DOMAIN_LISTS,
)


def receive_options(listener: Listener) -> frozenset[str]:
    """Return the words of receive_override_options."""
    return frozenset(split_list(listener.values["receive_override_options"]))


def recipient_faults(
    listener: Listener, rewrite: Values, domain: str, answers: Answers
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what refuses recipients of a domain for certain, and what may; nothing where none are checked."""
    is_off = listener.values["smtpd_reject_unlisted_recipient"].lower() == "no"
    if is_off or "no_unknown_recipient_checks" in receive_options(listener):
        return frozenset(), frozenset()
    opened = {**_opened(listener.values, _OWN_TABLES, answers), **_opened(rewrite, _ROUTING_TABLES, answers)}
    broken = frozenset(cause for cause, answer in opened.items() if answer is Answer.BROKEN)
    unsure = frozenset(cause for cause, answer in opened.items() if answer is Answer.UNKNOWN)
    unknown = {"a recipient may be nobody here"} if may_be_unknown(rewrite, domain, answers) else set()
    return broken, unsure | {*_errors(rewrite, answers)} | unknown


def _opened(values: Values, names: Iterable[str], answers: Answers) -> dict[str, Answer]:
    """Return for each table in some lists whether it opens."""
    words = [(name, word) for name in names for word in split_list(values[name]) if ":" in word]
    return {f"{name}: {word}": answers.lookup(word.lstrip("!"), NOBODY) for name, word in words}


def _errors(rewrite: Values, answers: Answers) -> Iterator[str]:
    """Name what may send mail of all domains back."""
    if rewrite["default_transport"].startswith("error"):
        yield f"default_transport: {rewrite['default_transport']}"
    for table in split_list(rewrite["transport_maps"]):
        if answers.lookup(table, "*") is not Answer.NO:
            yield f"transport_maps: a row for * in {table}"
