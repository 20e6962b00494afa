"""Check declared main.cf parameters: name, Postfix release and value.

`postfix check` accepts most wrong values; the daemon then dies, turns TLS off or ignores them. This module finds them
beforehand.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from postfix.lines import BLANKS
from postfix.list_items import split_list
from postfix.parameters import (
    LEGACY_CHAIN_FILES,
    OLDEST_SUPPORTED,
    Parameter,
    PostfixVersion,
    nearest_name,
    parameter_named,
)
from postfix.references import filled_in, has_condition
from postfix.table_places import OWN_PLACES
from postfix.values import CHECKS, NAMING_KINDS
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["has_remark", "problems_of_parameters", "problems_of_text"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)  # hyphens: t-out_destination_rate_delay
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TRAILING_COMMENT = re.compile(r"(^|\s)#")
# Of these kinds every value is text, and # may stand in it.
_TEXT_KINDS = frozenset({"string", "word"})
_NO_REFERENCE = re.compile(r"\$(?![A-Za-z0-9_({])", re.ASCII)
_RESERVED = re.compile(
    r"(smtpd?|lmtp|tls|tlsproxy|postscreen|relay)_(.*_)?(tls|c?certs?|client_?certs?)(_.*)?", re.IGNORECASE
)
_MENTIONS_TLS = re.compile(r"tls|tsl|cert", re.IGNORECASE)
_NEAR = 0.85
_UNCHECKED = "write the value itself, or name this parameter under unchecked"


def _problems_of_one_text(name: str, value: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "this is not a parameter name; use letters, digits, underscores and hyphens only"
    if _CONTROL.search(value):
        yield "the value holds a line break or another control character, which could start another parameter"


def problems_of_text(parameters: Mapping[str, str]) -> list[Problem]:
    """Return the names and values that would not stay one definition on one logical line of main.cf."""
    return [
        Problem(name, message) for name, value in parameters.items() for message in _problems_of_one_text(name, value)
    ]


def _problems_of_unknown(name: str) -> Iterator[str]:
    """Find misspelt TLS parameters; a parameter that the user made up for `$name` is not one."""
    if _RESERVED.fullmatch(name) or (_MENTIONS_TLS.search(name) and nearest_name(name, cutoff=_NEAR)):
        nearest = nearest_name(name, cutoff=0.6)
        hint = f"did you mean {nearest}?" if nearest else "see postconf(5) for the names"
        yield f"Postfix has no such TLS parameter and would ignore it; {hint}"


def _problems_of_release(parameter: Parameter, version: PostfixVersion | None) -> Iterator[str]:
    if parameter.instead:
        yield f"this parameter is obsolete; use {parameter.instead}"
    elif parameter.removed and parameter.removed <= (version or OLDEST_SUPPORTED):
        yield f"Postfix {parameter.removed} removed this parameter; leave it out"
    elif version and parameter.since > version:
        yield (f"this parameter needs Postfix {parameter.since}, but the host has {version}, which ignores it")


def _problems_of_protocol_bounds(parameter: Parameter, value: str, version: PostfixVersion | None) -> Iterator[str]:
    if parameter.kind == "protocols" and "=" in value and version and version < (3, 6):
        yield f"{shown(value)} needs Postfix 3.6; exclude single protocols, as !TLSv1, !TLSv1.1"


def _problems_of_later_values(parameter: Parameter, value: str, version: PostfixVersion | None) -> Iterator[str]:
    for item in split_list(value.lower()) if version and parameter.later else ():
        if (since := parameter.later.get(item)) and version and since > version:
            known = ", ".join(each for each in parameter.allowed if each not in parameter.later)
            yield f"{shown(item)} needs Postfix {since}, but the host has {version}, which knows {known}"


def has_remark(parameter: Parameter, value: str) -> bool:
    """Return whether a value holds what was meant as a comment; in a text a # may be meant."""
    return _TRAILING_COMMENT.search(value) is not None and parameter.kind not in _TEXT_KINDS


def _problems_of_known(parameter: Parameter, value: str, version: PostfixVersion | None) -> Iterator[str]:
    yield from _problems_of_release(parameter, version)
    yield from _problems_of_protocol_bounds(parameter, value, version)
    yield from _problems_of_later_values(parameter, value, version)
    if has_remark(parameter, value):
        yield f"{shown(value)} holds a comment; Postfix takes everything after = as the value: leave the # part out"
    elif parameter.kind not in _TEXT_KINDS and _NO_REFERENCE.search(value.replace("$$", "")):
        yield f"{shown(value)} has a $ before no name, over which Postfix dies; write $$ for the sign itself"
    else:
        yield from CHECKS[parameter.kind](value, parameter.allowed)


def _problems_of_references(parameter: Parameter, value: str, others: Mapping[str, str]) -> Iterator[str]:
    """Judge a value as it becomes: what it refers to may be set in the same file, and be judged less there."""
    filled = filled_in(value, others)
    if filled is None:
        yield f"{shown(value)} refers to itself over other parameters, or becomes too long; write what is meant"
    elif has_condition(filled):
        yield f"{shown(value)} holds a condition, and what it becomes cannot be judged; {_UNCHECKED}"
    elif filled != value:
        yield from (
            f"{fault} (with its references filled in)" for fault in CHECKS[parameter.kind](filled, parameter.allowed)
        )


def _problems_of_one(name: str, value: str, version: PostfixVersion | None, others: Mapping[str, str]) -> Iterator[str]:
    parameter = parameter_named(name)
    broken = list(_problems_of_one_text(name, value))
    if not broken and not parameter:
        broken = list(_problems_of_unknown(name))
    elif not broken and parameter:
        broken = list(_problems_of_known(parameter, value.strip(BLANKS), version))
    yield from broken
    if not broken and parameter and parameter.kind in NAMING_KINDS and "$" in value:
        yield from _problems_of_references(parameter, value.strip(BLANKS), others)


def _legacy_siblings(chain_files: str) -> list[str]:
    prefix = chain_files.removesuffix("chain_files")
    return [f"{prefix}{ending}" for ending in LEGACY_CHAIN_FILES]


def _problems_between(parameters: Mapping[str, str]) -> Iterator[Problem]:
    for chain_files in (name for name in parameters if name.endswith("_chain_files") and parameters[name]):
        for name in _legacy_siblings(chain_files):
            if parameters.get(name):
                yield Problem(name, f"Postfix ignores this beside {chain_files}; declare one of the two")
    required = parameters.get("smtpd_tls_req_ccert", "").lower() == "yes"
    if required and parameters.get("smtpd_tls_security_level", "").lower() == "may":
        yield Problem(
            "smtpd_tls_req_ccert", "Postfix ignores this at level may; set smtpd_tls_security_level to encrypt"
        )


def problems_of_parameters(
    parameters: Mapping[str, str], *, postfix_version: PostfixVersion | None = None, unchecked: Collection[str] = ()
) -> list[Problem]:
    """Return everything in main.cf parameters that Postfix would die of, refuse or silently ignore.

    Known parameters are checked by release and value; any other name only has to be well-formed, with a value that
    stays on its line, and so has one in `unchecked`. `postfix_version` is that of the host; without it a parameter may
    be as new as 3.12. `$name` stands for what is set here, or for something that only the host knows. Not checked:
    whether files and tables exist, and who may set what (`postfix.parameter_use`).
    """
    checked = {name: value for name, value in parameters.items() if name not in unchecked}
    others = {name: value for name, value in checked.items() if name not in OWN_PLACES}
    problems = [
        Problem(name, message)
        for name, value in parameters.items()
        for message in (
            _problems_of_one(name, value, postfix_version, others)
            if name in checked
            else _problems_of_one_text(name, value)
        )
    ]
    return problems + list(_problems_between(parameters))
