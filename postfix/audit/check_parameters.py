"""Parameters that are old, unknown, said twice, or that hold a remark."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final

from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.parameter_checks import has_remark
from postfix.parameters import EARLIER_NAMES, ParameterClass, nearest_name, parameter_named
from postfix.restriction_names import RESTRICTIONS

__all__ = ["check_definitions", "check_names", "check_old_defaults", "check_unused"]

_UNUSED: Final = re.compile(r"unused parameter: ([^=\s]+)=")
_UNDEFINED: Final = re.compile(r"undefined parameter: (\S+)")
_REFERENCE: Final = re.compile(r"\$[{(]?\s*(\w+)", re.ASCII)
_RENAMED: Final = ("blacklist", "whitelist", "per_record_deadline", "tlsproxy_client_")
_LEGACY: Final = re.compile(r"(?P<program>smtpd|smtp|lmtp|postscreen|tlsproxy)_(?:use|enforce)_tls")
_ALLOWED: Final = "proxy_read_maps"
_MADE_UP: Final = EARLIER_NAMES | {
    "service_name",
    "process_name",
    "process_id",
    "stress",
    "sender",
    "recipient",
    "user",
}
"""What Postfix itself defines for a service, or for one mail."""
_PLACEHOLDER: Final = "##"
"""A file that is a template says so with it, as `##HOSTNAME##`."""
_NEAR: Final = 0.85
_SHOWN: Final = 60


def check_names(view: HostView) -> Iterator[Finding]:
    """Find parameters that have a successor, in main.cf and as options."""
    places = [(name, view.lines.main(name)) for name in sorted(view.configuration.written)]
    places += [
        (name, view.lines.service(service.key, name))
        for service in view.configuration.services
        for name in sorted(service.options)
    ]
    for name, place in places:
        parameter = parameter_named(name)
        if parameter and parameter.instead:
            yield _old(view, name, parameter.instead, place)


def _old(view: HostView, name: str, instead: str, place: Place) -> Finding:
    if _LEGACY.fullmatch(name) and not place.service and view.main[instead]:
        what = f"{name} does not count beside {instead}"
        return Finding(kind=Kind.SUPERSEDED, place=place, what=what, fix="take it out")
    kind = Kind.RENAMED if any(word in name for word in _RENAMED) else Kind.DEPRECATED
    return Finding(kind=kind, place=place, what=f"{name} is an old parameter", fix=f"use {instead} instead")


def check_unused(view: HostView) -> Iterator[Finding]:
    """Find names that Postfix does not know, as postconf(1) says, or our table of parameters where there is none."""
    captures = view.record.captures
    said = f"{captures.written_parameters.stderr}\n{captures.service_options.stderr}" if captures else ""
    names = _UNUSED.findall(said) if captures else _unknown(view)
    for name in dict.fromkeys(names):
        # Of a copy, nobody knows by which release it is read.
        if not (view.record.is_copy and parameter_named(name)):
            nearest = nearest_name(name, cutoff=_NEAR)
            fix = f"write {nearest}, if it is meant" if nearest else "take it out, or see postconf(5) for the names"
            what = f"{name[:_SHOWN]} is no parameter of Postfix, and nothing refers to it"
            if parameter_named(name):
                fix, what = "take it out", f"{name} is not known to this release of Postfix"
            yield Finding(kind=Kind.IGNORED, place=_place(view, name), what=what, fix=fix)
    for name in dict.fromkeys(_UNDEFINED.findall(said) if captures else _undefined(view)):
        if place := _first_with(view, name):
            what = f"${name[:_SHOWN]} is defined nowhere"
            yield Finding(kind=Kind.UNDEFINED, place=place, what=what, fix="define it, or take it out")


def _place(view: HostView, name: str) -> Place:
    """Return where a name is set: in main.cf, else as an option of a service."""
    place = view.lines.main(name)
    service = next((each for each in view.lines.services if name in each.option_lines), None)
    return view.lines.service(service.key, name) if service and not place.line else place


def _unknown(view: HostView) -> Iterator[str]:
    """Yield names of main.cf that are no parameters, and to which no other value refers."""
    values = [*(each.value for each in view.lines.definitions), view.record.master_cf]
    used = {name for value in values for name in _REFERENCE.findall(value)}
    used |= {word for value in values for word in re.split(r"[\s,]+", value)}
    prefixes = {value.partition(":")[2] for text in values for value in re.split(r"[\s,]+", text) if ":" in value}
    for name in view.configuration.written:
        is_of_table = any(prefix and name.startswith(f"{prefix}_") for prefix in prefixes)
        if (
            parameter_named(name) is None
            and name not in EARLIER_NAMES
            and name not in used
            and not is_of_table
            and name not in RESTRICTIONS
        ):
            yield name


def _undefined(view: HostView) -> Iterator[str]:
    """Yield names that are referred to and are nothing."""
    options = [dict(each.options) for each in view.configuration.services]
    defined = {*view.configuration.written, *(name for each in options for name in each)}
    for each in (view.configuration.written, *options):
        for parameter, value in each.items():
            known = parameter_named(parameter)
            # Commands have names of their own, as $EXTENSION and $1.
            names = () if known and known.decides is ParameterClass.EXEC else _REFERENCE.findall(value)
            yield from (name for name in names if _is_undefined(name, defined))


def _is_undefined(name: str, defined: Collection[str]) -> bool:
    return not (name.isdecimal() or name in defined or name in _MADE_UP or parameter_named(name))


def _first_with(view: HostView, name: str) -> Place | None:
    """Return where a name is referred to; in proxy_read_maps it does no harm, and is in many."""
    sign = re.compile(rf"\$[{{(]?\s*{re.escape(name)}\b")
    for each in view.lines.definitions:
        if each.name != _ALLOWED and sign.search(each.value):
            return view.lines.main(each.name)
    for service in view.configuration.services:
        for option, value in service.options.items():
            if sign.search(value):
                return view.lines.service(service.key, option)
    return None


def check_definitions(view: HostView) -> Iterator[Finding]:
    """Find parameters that are defined twice, and values that hold a remark."""
    lines: dict[str, list[int]] = defaultdict(list)
    for each in view.lines.definitions:
        lines[each.name].append(each.line)
    for name, numbers in lines.items():
        if len(numbers) > 1:
            earlier = ", ".join(map(str, numbers[:-1]))
            what = f"{name} is defined in line {earlier} as well, which does not count"
            yield Finding(kind=Kind.OVERWRITTEN, place=view.lines.main(name), what=what, fix="keep one of them")
    for name, value in view.configuration.written.items():
        parameter = parameter_named(name)
        if parameter and has_remark(parameter, value) and _PLACEHOLDER not in value:
            what = f"{name} has # in its value"
            fix = "put the remark on a line of its own"
            yield Finding(kind=Kind.REMARK_IN_VALUE, place=view.lines.main(name), what=what, fix=fix)


def check_old_defaults(view: HostView) -> Iterator[Finding]:
    """Tell of a host without a compatibility level."""
    name = "compatibility_level"
    if name not in view.configuration.written and view.configuration.written:
        what = "compatibility_level is not set, so it is 0"
        fix = "see COMPATIBILITY_README, and write what is in force before you raise it"
        yield Finding(kind=Kind.OLD_DEFAULTS, place=view.lines.main(name), what=what, fix=fix)
