"""What is read from postconf(1), and how references in it are filled in for one service."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.effective.captures import Captures, Said, configuration_of
from postfix.effective.expansion import CannotExpandError, Values, expanded

RAW = {"a": "yes", "b": "$a.b", "old": "3.5", "new": "3.10", "self": "x $self", "ping": "$pong", "pong": "$ping"}
EXPANSIONS = {
    "$a ${a} $(a) $$a": "yes yes yes $a",
    "$b": "yes.b",
    "[$nobody]": "[]",
    "${a?x y}|${a:x}": "x y|",
    "${nobody?x}|${nobody:x $a}": "|x yes",
    "${a?{t}:{u}}|${nobody?{t}:{u}}": "t|u",
    "${a?{ t }:{u}}": " t ",
    "${a? {t} : {u}}": "t",
    "${a?{${b}}}": "yes.b",
    "${{$a} == {yes} ? {t} : {u}}": "t",
    "${{$a} != {yes} ? {t} : {u}}": "u",
    "${{10} < {9} ? {less} : {not}}": "not",
    "${{ 10 } < {9} ? {less} : {not}}": "less",
    "${{$old} <level {3.6} ? {t} : {u}}": "t",
    "${{$new} <level {3.6} ? {t} : {u}}": "u",
    '!"#$%&': '!"#$%&',
}
FIELDS = "\n".join(
    f"{key}/{name} = {value}"
    for key, command in {
        "smtp/inet": "smtpd",
        "submission/inet": "smtpd -o {smtpd_recipient_restrictions=permit_mynetworks, reject} -o a=b -v",
    }.items()
    for name, value in {"service": key, "type": "inet", "chroot": "y", "command": command}.items()
)
CAPTURES = Captures(
    directory="/staged",
    root="/etc/postfix",
    all_parameters=Said(stdout="config_directory = /staged\nmyhostname = mx1\nsmtpd_tls_CAfile =\n"),
    written_parameters=Said(stdout="config_directory = /staged\nmyhostname = mx1\ngreet = permit\n"),
    service_fields=Said(stdout=FIELDS),
    service_options=Said(stdout="submission/inet/a = b\n"),
    map_types=Said(stdout="hash\ntexthash\n"),
)


@pytest.mark.parametrize(("value", "expected"), EXPANSIONS.items())
def test_references_are_filled_in_as_postconf_does(value: str, expected: str) -> None:
    """The expected values are what `postconf -x` of Postfix 3.7.11 prints."""
    assert expanded(value, RAW) == expected


@pytest.mark.parametrize("value", ["$self", "$ping", "${a", "${a?{t}", "${{x} ~ {y}?{t}:{u}}", "${a!b}", "${}"])
def test_what_has_no_end_or_no_known_form_is_not_guessed(value: str) -> None:
    """Neither a loop nor a broken brace becomes a value."""
    with pytest.raises(CannotExpandError):
        expanded(value, RAW)


def test_a_value_that_doubles_with_each_name_is_cut_off() -> None:
    """Twenty lines of main.cf would make a million words."""
    raw = {f"n{number}": f"$n{number + 1} $n{number + 1}" for number in range(30)} | {"n30": "x" * 1000}
    with pytest.raises(CannotExpandError):
        expanded("$n0", raw)


@given(st.text(alphabet="${}()?:ab =<>!x", max_size=40))
def test_any_text_is_expanded_or_refused(value: str) -> None:
    """Whatever stands in a foreign main.cf, nothing else is raised."""
    try:
        expanded(value, RAW)
    except CannotExpandError:
        return


def test_options_of_a_service_decide_what_its_references_mean() -> None:
    """`smtp_tls_CAfile = $smtpd_tls_CAfile` follows the service's own CAfile; what cannot be expanded is named."""
    raw = {"smtp_tls_CAfile": "$smtpd_tls_CAfile", "smtpd_tls_CAfile": "/main", **RAW}
    assert Values(raw)["smtp_tls_CAfile"] == "/main"
    values = Values({**raw, "smtpd_tls_CAfile": "/own"})
    assert (values["smtp_tls_CAfile"], values["self"], values.unexpandable) == ("/own", "", ["self"])


def test_a_staged_copy_is_read_as_the_directory_it_stands_for() -> None:
    """Otherwise every `$config_directory` would look changed."""
    found = configuration_of(CAPTURES)
    assert found.parameters["config_directory"] == "/etc/postfix"
    assert found.written == {"myhostname": "mx1", "greet": "permit"}
    assert [(each.key, each.options, each.is_readable) for each in found.services] == [
        ("smtp/inet", {}, True),
        ("submission/inet", {"a": "b"}, True),
    ]


@pytest.mark.parametrize(
    "command",
    [
        "smtpd -o smtpd_hel -o {_required=yes }}",
        "smtpd -o smtpd_delay_reject=n -o -v",
        "smtpd -o smtpd_delay_reject =no -v",
    ],
)
def test_options_that_postconf_prints_garbled_are_not_believed(command: str) -> None:
    """What it prints of `-o{ name=value }`, `-oname=no` and `-o name =value`."""
    fields = Said(stdout=FIELDS.replace("command = smtpd\n", f"command = {command}\n"))
    smtp, submission = configuration_of(replace(CAPTURES, service_fields=fields)).services
    assert (smtp.is_readable, submission.is_readable) == (False, True)


@pytest.mark.parametrize("name", ["all_parameters", "written_parameters", "service_fields", "map_types"])
def test_a_call_that_fails_means_that_nobody_can_tell(name: str) -> None:
    """It is neither an empty configuration nor a host without Postfix."""
    said = Said(1, "", "postconf: fatal: /staged/master.cf: line 3: bad field count\n")
    changed: dict[str, Any] = {name: said}
    found = configuration_of(replace(CAPTURES, **changed))
    assert found.cannot_tell.endswith("fatal: /etc/postfix/master.cf: line 3: bad field count")


def test_a_missing_master_cf_means_that_nobody_can_tell() -> None:
    """postconf(1) only warns of it, and exits with 0."""
    said = Said(0, "", "postconf: warning: open /staged/master.cf: No such file or directory\n")
    found = configuration_of(replace(CAPTURES, service_fields=said))
    assert found.cannot_tell.startswith("master.cf has no service: ")
