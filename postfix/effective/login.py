"""Judge if those who log in can: smtpd(8) asks another program for mechanisms, and dies where none is left."""

from collections.abc import Iterator
from typing import Final

from postfix.effective.handshakes import is_auth_discarded
from postfix.effective.listeners import Listener, TlsLevel
from postfix.effective.matching import address_in, any_of
from postfix.effective.visitors import Answer, Answers, Asked, Question
from postfix.list_items import split_list

__all__ = ["has_no_mechanism", "may_lack_mechanisms", "may_log_in"]

_EXCEPTIONS: Final = "smtpd_sasl_exceptions_networks"
_PASSWORDS: Final = "noplaintext"


def may_log_in(listener: Listener, address: str, answers: Answers, *, has_tls: bool) -> Answer:
    """Return whether a client from an address is offered to log in."""
    if not listener.offers_auth(has_tls=has_tls):
        return Answer.NO
    hidden = any_of(
        [
            address_in(split_list(listener.values[_EXCEPTIONS]), address, answers),
            is_auth_discarded(listener, address, answers),
        ]
    )
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(hidden, Answer.UNKNOWN)


def has_no_mechanism(listener: Listener, answers: Answers) -> Answer:
    """Return whether smtpd(8) dies because nobody offers it a way to log in; NO where it never asks."""
    values = listener.values
    is_asked = listener.offers_auth(has_tls=False) or (
        listener.tls is not TlsLevel.NONE and listener.offers_auth(has_tls=True)
    )
    if not is_asked:
        return Answer.NO
    offered = answers.to(Question(Asked.LOGIN, values["smtpd_sasl_path"], values["smtpd_sasl_type"]))
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(offered, Answer.UNKNOWN)


def may_lack_mechanisms(listener: Listener) -> Iterator[str]:
    """Name the options that may leave no mechanism: which are without plain passwords is for another program to say."""
    values = listener.values
    is_clear, is_secure = (
        listener.offers_auth(has_tls=False) and not listener.is_wrapped,
        listener.tls is not TlsLevel.NONE,
    )
    for name, counts in (
        ("smtpd_sasl_security_options", is_clear),
        ("smtpd_sasl_tls_security_options", is_secure and listener.offers_auth(has_tls=True)),
    ):
        if counts and _PASSWORDS in split_list(values[name]):
            yield f"{name}: {_PASSWORDS} may leave no mechanism"
