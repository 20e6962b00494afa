"""Whatever stands in the files, an audit ends, shows no key, and never takes for well what it has not seen."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from postfix.audit.findings import exit_code
from postfix.audit.judgement import audited
from postfix.audit.kinds import Severity
from postfix.audit.lines_of_files import Lines
from postfix.audit.own_reading import configuration_of_files
from postfix.audit.record import HostRecord, SeenTable
from postfix.effective.visitors import Answer
from postfix.public_file import PublicFile
from postseal.audit.document import render_audit, render_audit_json
from tests.support.audited_hosts import MASTER_CF
from tests.support.examples import examples

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WORDS = st.sampled_from(
    [
        *("permit", "reject", "permit_mynetworks", "reject_unauth_destination", "permit_tls_clientcerts"),
        *("check_client_access", "hash:/a", "static:ok", "own", "$own", "${own}", "inline:{{a=b}}", "yes", "no", "may"),
        *("encrypt", "none", "sha1", "0.0.0.0/0", "{", "}", "$$", "#", "=", "\x1b[31m", "\udcff"),
        *("-----BEGIN PRIVATE KEY-----", "warn_if_reject", "permit_tls_all_clientcerts"),
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        *("smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_client_restrictions", "own"),
        *("smtpd_tls_security_level", "smtpd_use_tls", "relay_clientcerts", "smtpd_tls_fingerprint_digest"),
        *("smtpd_restriction_classes", "smtp_tls_security_level", "smtpd_tls_chain_files", "nothing"),
        *("relay_domains", "mynetworks", "inet_interfaces"),
    ]
)  # fmt: skip
VALUES = st.lists(WORDS, max_size=6).map(" ".join)
MAIN_CF = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(
    lambda pairs: "".join(f"{name} = {value}\n" for name, value in pairs)
)
OPTIONS = st.lists(st.tuples(NAMES, WORDS), max_size=4).map(
    lambda pairs: "".join(f"  -o {name}={value}\n" for name, value in pairs)
)
ANSWERS = st.sampled_from(Answer)


def record_of(main_cf: str, master_cf: str) -> HostRecord:
    """Return a host of which both files are known."""
    configuration = configuration_of_files(main_cf, master_cf, "/etc/postfix")
    return HostRecord(
        directory="/x", root="/etc/postfix", main_cf=main_cf, master_cf=master_cf, configuration=configuration
    )


@given(st.text(), st.text())
@examples(100)
def test_any_text_is_read(main_cf: str, master_cf: str) -> None:
    """Lines that are none are skipped, or told."""
    lines = Lines("/r", main_cf, master_cf)
    assert all(each.line > 0 for each in lines.definitions)
    assert all(each.line > 0 for each in lines.services)
    findings = audited(record_of(main_cf, master_cf), NOW).findings
    text = render_audit(record_of(main_cf, master_cf), findings)
    assert all(line.isprintable() for line in text.split("\n"))


@given(MAIN_CF, OPTIONS, ANSWERS)
@examples(100)
def test_any_host_is_judged(main_cf: str, options: str, answer: Answer) -> None:
    """It ends within a few rounds, and nothing that is shown moves a cursor or looks like a key."""
    record = record_of(main_cf, MASTER_CF + f"submission inet n - y - - smtpd\n{options}")
    for _ in range(12):
        audit = audited(record, NOW)
        if not audit.wanted:
            break
        record = replace(
            record,
            files={**record.files, **{path: PublicFile(path, is_hidden=True) for path in audit.wanted.files}},
            tables={**record.tables, **dict.fromkeys(audit.wanted.tables, SeenTable())},
            answers={**record.answers, **dict.fromkeys(audit.wanted.questions, answer)},
        )
    assert not audit.wanted
    shown = render_audit(record, audit.findings) + render_audit_json(record, audit.findings, NOW)
    assert all(line.isprintable() for line in shown.split("\n"))
    shown.encode()


@given(MAIN_CF, OPTIONS)
@examples(60)
def test_what_is_not_seen_is_never_fine(main_cf: str, options: str) -> None:
    """A record that says so has no exit code 0, and what is known of it is not taken back."""
    record = record_of(main_cf, MASTER_CF + f"submission inet n - y - - smtpd\n{options}")
    told = audited(replace(record, not_seen=("nobody looked",)), NOW).findings
    assert exit_code(told) > 0
    assert {*audited(record, NOW).findings} <= {*told}
    assert [each.severity.rank for each in told] == sorted(each.severity.rank for each in told)
    assert any(each.severity is Severity.CANNOT_TELL for each in told)
