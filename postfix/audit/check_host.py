"""Programs that end, mail that is refused, TLS that fails, files that others may write, and what was not seen."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.audit.known_answers import fault_of_source, sources_in_question
from postfix.effective.handshakes import questions_of_tls
from postfix.effective.soundness import Fault, Harm
from postfix.parameter_readers import EVERY_PROGRAM
from postfix.parameters import known_parameters
from postseal_core.wording import listed

__all__ = ["check_faults", "check_places", "check_what_was_seen"]

_KINDS: Final[Mapping[Harm, Kind]] = MappingProxyType(
    {Harm.ENDS: Kind.DEAD, Harm.REFUSES: Kind.REFUSES, Harm.NO_TLS: Kind.NO_TLS, Harm.IGNORED: Kind.IGNORED}
)
_MAIN: Final = "main.cf"
_FIXES: Final[Mapping[Harm, str]] = MappingProxyType(
    {
        Harm.ENDS: "correct it, and restart Postfix: after a reload it waits up to a minute",
        Harm.REFUSES: "correct it, or make the table, before the next reload",
        Harm.NO_TLS: "correct it, and see with `openssl s_client -starttls smtp` what is served",
        Harm.IGNORED: "correct it, or take it out",
    }
)
_LACKS_REFUSAL: Final = "refuses mail to others"
_REFUSE: Final = (
    "write smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
)
_USUAL: Final = "/etc/postfix"
_OF_DELIVERY: Final = "CLIENT|DOMAIN|EXTENSION|HOME|LOCAL|LOGNAME|ORIGINAL|RECIPIENT|SASL|SENDER|SHELL|USER"
_TEMPLATE: Final = re.compile(
    rf"\{{\{{ ?\w|\{{%|<%|##[A-Z_]+##|@@?[A-Z_]+@|\$\{{?(?!{_OF_DELIVERY})[A-Z][A-Z_]{{3,}}\b", re.ASCII
)
"""What is filled in by Jinja, ERB, sed or envsubst: in upper case Postfix itself has only what local(8) hands on."""
_SHOWN: Final = 8


def check_faults(view: HostView) -> Iterator[Finding]:
    """Tell what `postfix.effective.soundness` finds; of a template, what is filled in is not known."""
    causes = _causes(view)
    for fault, programs in _by_program(view.faults):
        if view.record.is_copy and _is_filled_in(view, fault.message.split(":")[0].split(" ")[0]):
            continue
        if fault.harm is Harm.IGNORED and fault.message.partition(" ")[0] in view.configuration.written:
            continue  # told beside the other names that Postfix does not know
        detail = next((cause for files, cause in causes.items() if fault.message.startswith(files)), "")
        what = f"{_all_of(programs)} {fault.harm.value}: {fault.message}"
        yield Finding(
            kind=_KINDS[fault.harm],
            place=_place(view, fault),
            what=f"{what} ({detail})" if detail else what,
            fix=_REFUSE if fault.message.endswith(_LACKS_REFUSAL) else _FIXES[fault.harm],
        )


def _by_program(faults: Iterable[Fault]) -> Iterator[tuple[Fault, list[str]]]:
    """Yield each fault once, with all programs that are harmed by it: it is to be corrected in one place."""
    programs: dict[Fault, list[str]] = {}
    for each in faults:
        programs.setdefault(replace(each, program=""), []).append(each.program)
    yield from programs.items()


def _all_of(programs: Sequence[str]) -> str:
    if EVERY_PROGRAM in programs:
        return "Postfix"
    first, *others = sorted({*programs})
    return f"{first} ({', '.join(others)} as well)" if others else first


def _causes(view: HostView) -> dict[str, str]:
    """Return why files with keys do not load, by how a fault names them."""
    found: dict[str, str] = {}
    for listener in view.listeners:
        for question in questions_of_tls(listener):
            for source in sources_in_question(question):
                if all(path in view.record.files for path in source.files):
                    found[question.where] = fault_of_source(source, view.record.files)
    return {files: cause for files, cause in found.items() if cause}


def _place(view: HostView, fault: Fault) -> Place:
    name = fault.message.split(":")[0].split(" ")[0]
    parameter = name if name in known_parameters() else ""
    if fault.place == _MAIN:
        return view.lines.main(parameter) if parameter else Place(f"{view.record.root}/{_MAIN}")
    listener = next((each for each in view.listeners if each.name == fault.place), None)
    options = listener.service.options if listener else {}
    if parameter and listener and parameter not in options:
        place = view.lines.main(parameter)
        return Place(place.file, place.line, fault.place, parameter)
    return view.lines.service(listener.service.key if listener else fault.place, parameter)


def _is_filled_in(view: HostView, name: str) -> bool:
    """Return whether the value of a parameter is one that something fills in before Postfix reads it."""
    return _TEMPLATE.search(view.configuration.written.get(name, "")) is not None


def check_places(view: HostView) -> Iterator[Finding]:
    """Tell of files and directories that others than root may write."""
    for path, complaint in view.record.complaints.items():
        fix = f"chown root {path}; chmod go-w {path}"
        yield Finding(kind=Kind.OTHERS_WRITE, place=Place(path), what=complaint, fix=fix)


def check_what_was_seen(view: HostView) -> Iterator[Finding]:
    """Tell what could not be looked at."""
    record = view.record
    if fault := view.configuration.cannot_tell:
        is_absent = record.is_copy and (not record.master_cf or _TEMPLATE.search(record.main_cf) is not None)
        is_fatal = not is_absent and ("fatal:" in fault or "has no service" in fault)
        kind = Kind.UNUSABLE if is_fatal else Kind.NOT_SEEN
        fix = "correct it; `postconf -n` says when it is right" if is_fatal else ""
        yield Finding(kind=kind, place=Place(record.root), what=f"Postfix cannot use the files: {fault}", fix=fix)
    yield from (Finding(kind=Kind.NOT_SEEN, place=Place(record.root), what=each) for each in record.not_seen)
    if record.is_copy and (mark := _TEMPLATE.search("\n".join(each.value for each in view.lines.definitions))):
        what = f"main.cf looks like a template ({mark[0]}): what is filled in is not known"
        yield Finding(kind=Kind.NOT_SEEN, place=Place(f"{record.root}/main.cf"), what=what)
    if not record.is_copy and _names_another_place(view):
        what = f"main.cf names files below {_USUAL}, and none below {record.root}"
        fix = f"if this is a copy, say so: --copy-of {_USUAL}"
        yield Finding(kind=Kind.PERHAPS_A_COPY, place=Place(record.root), what=what, fix=fix)
    for listener in view.unreadable_listeners:
        place = view.lines.service(listener.service.key)
        yield Finding(kind=Kind.UNREADABLE_OPTIONS, place=place, what=listener.cannot_tell, fix="write -o name=value")
    hidden = sorted(path for path, file in record.files.items() if file.is_hidden)
    tables = sorted(name for name, table in record.tables.items() if table.is_hidden)
    if unseen := [*hidden, *tables]:
        what = f"not seen: {listed(unseen, _SHOWN)}"
        fix = "run it on the host itself, as root" if record.is_copy or not record.is_root else ""
        yield Finding(kind=Kind.FILES_UNSEEN, place=Place(record.root), what=what, fix=fix)


def _names_another_place(view: HostView) -> bool:
    values = [view.main[name] for name in view.configuration.written]
    is_elsewhere = view.record.root != _USUAL and any(f"{_USUAL}/" in value for value in values)
    return is_elsewhere and not any(f"{view.record.root}/" in value for value in values)
