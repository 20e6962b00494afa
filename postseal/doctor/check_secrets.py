"""Can the state be read, what opens its secrets, and who can reach the files? Pure."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

from postseal.doctor.facts import Facts, Passphrase, Place
from postseal.doctor.findings import Finding, Severity

__all__ = ["check_directories", "check_passphrase", "check_state"]

_GROUP_AND_OTHERS: Final = 0o077
_WRITABLE_BY_OTHERS: Final = 0o022
_ABSENT_STACK: Final = re.compile(r"no stack named '(?P<name>[^']+)' found")


def check_state(facts: Facts) -> Iterator[Finding]:
    """Yield whether the engine can read the state, and where it is."""
    stack = facts.stack
    if facts.project_file.mode is None:
        return
    where = stack.backend_url or "the engine's own login"
    if not facts.engine.path:
        yield Finding("state", Severity.CANNOT_TELL, f"the state is at {where}", "it is read with `pulumi`")
    elif stack.error:
        yield Finding("state", Severity.FAULT, "the state cannot be read", stack.error, _way_to_state(stack.error))
    else:
        yield Finding("state", Severity.OK, f"the state can be read, at {where}")


def _way_to_state(error: str) -> str:
    if absent := _ABSENT_STACK.search(error):
        return f"run `pulumi stack init {shlex.quote(absent['name'])}`, or name with --stack one of `pulumi stack ls`"
    return (
        "name the stack with --stack, one of `pulumi stack ls`; `pulumi stack init NAME` makes one, and `pulumi login` "
        "logs in to where they are"
    )


def check_passphrase(facts: Facts) -> Iterator[Finding]:
    """Yield what opens the secrets in the state, and whether its file is closed to others."""
    source, file, provider = facts.passphrase, facts.passphrase_file, facts.stack.secrets_provider
    if provider not in ("", "passphrase"):
        yield Finding("passphrase", Severity.OK, f"secrets are opened by the provider {provider}")
    elif source is Passphrase.FILE and file:
        yield _file_of_passphrase(file)
    elif source is Passphrase.ENVIRONMENT:
        why = "every program that is started from here receives it"
        fix = "put it into a file of mode 0600 and name that in PULUMI_CONFIG_PASSPHRASE_FILE"
        yield Finding("passphrase", Severity.WARNING, "the passphrase is in the environment", why, fix)
    else:
        severity = Severity.FAULT if provider else Severity.CANNOT_TELL
        why = "a preview decides with the keys in the state, which the passphrase opens"
        fix = "name its file in PULUMI_CONFIG_PASSPHRASE_FILE"
        yield Finding("passphrase", severity, "no passphrase is given", why, fix)


def _file_of_passphrase(file: Place) -> Finding:
    if file.mode is None:
        why, fix = "the secrets of the state cannot be opened", "put the file back, or correct the variable"
        return Finding("passphrase", Severity.FAULT, f"there is no file {file.path}", why, fix)
    if not file.is_own:
        why, fix = "who owns it can read and replace it", f"run `chown $(id -u) {file.path}`"
        return Finding("passphrase", Severity.FAULT, f"{file.path} belongs to another user", why, fix)
    if file.mode & _GROUP_AND_OTHERS:
        why, fix = "with the state it opens every key", f"run `chmod 0600 {file.path}`"
        return Finding("passphrase", Severity.FAULT, f"{file.path} has mode {file.mode:04o}", why, fix)
    return Finding("passphrase", Severity.OK, f"in {file.path}, mode {file.mode:04o}")


def check_directories(facts: Facts) -> Iterator[Finding]:
    """Yield who can reach the state directory, and whether files can be written into the out directory."""
    if facts.state_directory:
        yield _state_directory(facts.state_directory)
    if facts.out_directory:
        yield _out_directory(facts.out_directory)


def _out_directory(place: Place) -> Finding:
    topic = "out directory"
    if place.complaint:
        why = "somebody else could replace what is in it"
        return Finding(topic, Severity.FAULT, f"`pulumi up` writes nothing into {place.path}", why, place.complaint)
    if place.mode is None:
        return Finding(topic, Severity.OK, f"{place.path} is not there yet")
    return Finding(topic, Severity.OK, f"{place.path} has mode {place.mode:04o}")


def _state_directory(place: Place) -> Finding:
    topic = "state directory"
    if place.mode is None:
        return Finding(topic, Severity.OK, f"{place.path} is not there yet")
    what, fix = f"{place.path} has mode {place.mode:04o}", f"run `chmod 0700 {place.path}`"
    if not place.is_own:
        why, fix = "who owns it can replace what is in it", f"run `chown $(id -u) {place.path}`"
        return Finding(topic, Severity.FAULT, f"{place.path} belongs to another user", why, fix)
    if place.mode & _WRITABLE_BY_OTHERS:
        return Finding(topic, Severity.FAULT, what, "others can replace what is in it", fix)
    if place.mode & _GROUP_AND_OTHERS:
        return Finding(topic, Severity.WARNING, what, "others can copy the state, and then try passphrases", fix)
    return Finding(topic, Severity.OK, what)
