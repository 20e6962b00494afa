"""Why smtpd(8) does not start with the restriction lists of a listener, so that every client is sent away."""

from collections.abc import Callable, Iterator
from typing import Final

from postfix.effective.expansion import Values
from postfix.effective.listeners import Listener
from postfix.effective.meanings import OWN_ACCESS
from postfix.list_items import split_list
from postfix.restriction_steps import WARNING

__all__ = ["may_not_start", "will_not_start"]

_UNCONDITIONAL: Final = frozenset(
    {"defer", "defer_if_permit", "defer_unauth_destination", "reject", "reject_unauth_destination"}
)
_RELAYING: Final = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_PROXY: Final = "proxy:"


def will_not_start(listener: Listener, proxy: Values) -> tuple[str, ...]:
    """Return what keeps smtpd(8) from starting for certain; `proxy`: the values of the service proxymap."""
    return (
        *listener.start_faults,
        *_faults_of_classes(listener),
        *_faults_of_refusal(listener, str.lower),
        *_faults_of_proxy(listener, proxy),
    )


def may_not_start(listener: Listener) -> tuple[str, ...]:
    """Return what may keep it from starting.

    That names are compared in another case there was not tried. Mechanisms for logging in are those of another program,
    and smtpd(8) ends where its options leave none.
    """
    return (*_faults_of_refusal(listener, str), *_faults_of_login(listener))


def _faults_of_login(listener: Listener) -> Iterator[str]:
    values = listener.values
    if values.is_yes("smtpd_sasl_auth_enable") and "noplaintext" in split_list(values["smtpd_sasl_security_options"]):
        yield "smtpd_sasl_security_options: noplaintext may leave no mechanism"


def _faults_of_classes(listener: Listener) -> Iterator[str]:
    for name in split_list(listener.values["smtpd_restriction_classes"]):
        if not listener.values[name] and name not in listener.values.unexpandable:
            yield f"smtpd_restriction_classes: {name} is defined nowhere"


def _faults_of_refusal(listener: Listener, folded: Callable[[str], str]) -> Iterator[str]:
    if not any(_has_refusal(listener, name, folded, frozenset()) for name in _RELAYING):
        yield f"neither {' nor '.join(_RELAYING)} refuses mail to others"


def _has_refusal(listener: Listener, name: str, folded: Callable[[str], str], inside: frozenset[str]) -> bool:
    words = iter(listener.words_of(name))
    classes = split_list(listener.values["smtpd_restriction_classes"])
    for word in words:
        restriction = folded(word)
        if restriction == WARNING:
            next(words, "")
        elif restriction == "permit":
            return False
        elif restriction in _UNCONDITIONAL or (
            word in classes and word not in inside and _has_refusal(listener, word, folded, inside | {word})
        ):
            return True
    return False


def _faults_of_proxy(listener: Listener, proxy: Values) -> Iterator[str]:
    allowed = {*split_list(proxy["proxy_read_maps"])}
    classes = split_list(listener.values["smtpd_restriction_classes"])
    for name in ("relay_clientcerts", *OWN_ACCESS, *classes):
        for word in listener.words_of(name):
            if word.startswith(_PROXY) and word not in allowed:
                yield f"{name}: {word} is not in proxy_read_maps"
