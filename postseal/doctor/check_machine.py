"""Who else is on this machine, what does the engine log, and is the clock right? Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from postseal.doctor.facts import Facts, LocalUser
from postseal.doctor.findings import Finding, Severity
from postseal_core.instants import format_instant
from postseal_core.wording import listed

__all__ = ["check_clock", "check_interrupts", "check_logs", "check_other_users"]

_SHOWN: Final = 5
_SLACK: Final = timedelta(minutes=2)


def check_other_users(facts: Facts) -> Iterator[Finding]:
    """Yield whether somebody else can connect to a running engine."""
    fix = "run it on a machine of your own, or as root in a network namespace (docs/secrets.md says where that works)"
    why = "while the engine runs, any user of the machine can connect to it and ask for keys"
    if facts.is_private_network:
        yield Finding("other users", Severity.OK, "this process has a network of its own, as the engine would have")
    elif facts.others is None:
        yield Finding("other users", Severity.CANNOT_TELL, "other users cannot be listed here", why, fix)
    elif not facts.others:
        yield Finding("other users", Severity.OK, "nobody else logs in here or runs anything")
    else:
        if facts.system != "linux":
            why += "; on this system also to the plugin"
        yield Finding("other users", Severity.WARNING, f"{_names(facts.others)} can connect to the engine", why, fix)


def _names(users: tuple[LocalUser, ...]) -> str:
    # Whoever logs in comes first: a person is more than a service.
    names = [user.name for user in sorted(users, key=lambda user: (not user.can_log_in, user.name))]
    return listed(names, _SHOWN)


def check_logs(facts: Facts) -> Iterator[Finding]:
    """Yield which variables let the engine write keys in clear."""
    if facts.log_switches:
        what, why = f"{', '.join(facts.log_switches)} is set", "the engine then writes private keys in clear"
        fix = f"run `unset {' '.join(facts.log_switches)}`, and remove what was written"
        yield Finding("logs", Severity.FAULT, what, why, fix)
    else:
        yield Finding("logs", Severity.OK, "no variable lets the engine log keys in clear")


def check_interrupts(facts: Facts) -> Iterator[Finding]:
    """Yield whether SIGINT reaches the engine, which ends its plugins with it."""
    if facts.is_interrupt_ignored:
        why = "the engine ends its plugins with it: each command may take 5 seconds longer, and Ctrl-C does nothing"
        fix = "start it in the foreground, or through toolchain/pulumi"
        yield Finding("interrupts", Severity.WARNING, "SIGINT is ignored here", why, fix)
    else:
        yield Finding("interrupts", Severity.OK, "interrupts are heeded")


def check_clock(facts: Facts) -> Iterator[Finding]:
    """Yield whether the clock is behind the last run; two minutes are nothing."""
    now, newest = format_instant(facts.now), facts.stack.newest
    if newest is None:
        yield Finding("clock", Severity.CANNOT_TELL, f"it is {now}", "no earlier run says when it was")
    elif facts.now + _SLACK < newest:
        what = f"it is {now} here, but the state was written at {format_instant(newest)}"
        why = "with a wrong clock nothing is renewed in time, and new certificates are not valid yet"
        yield Finding("clock", Severity.WARNING, what, why, "set the clock, with NTP or chrony")
    else:
        yield Finding("clock", Severity.OK, f"it is {now}, after the last run")
