"""What an audit finds of a host: each kind has a host that has it, and one like it that has not."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from postfix.audit.findings import Finding, Place, exit_code, sorted_findings
from postfix.audit.kinds import Kind, Severity
from postfix.audit.record import HostRecord, SeenTable
from postfix.effective.captures import CALLS, Captures, Said
from postfix.effective.visitors import Answer, Asked
from postfix.parameters import PostfixVersion
from postfix.public_file import FAULTS, PublicFile, public_file
from tests.support.audited_hosts import AUTHORITY, CHAIN, CLIENTS, MAIN_CF, SERVER, AuditedHost, row_of
from tests.support.test_authority import ThrowAwayAuthority
from tests.support.variants_of_hosts import VARIANTS

RELAY, RECIPIENT, CLIENT = (f"smtpd_{name}_restrictions" for name in ("relay", "recipient", "client"))
REJECT = "reject_unauth_destination"
LEVEL, DIGEST = "smtpd_tls_security_level", "smtpd_tls_fingerprint_digest"
CA, BUNDLE = "/etc/postfix/ca.pem", "/etc/ssl/certs/all.pem"
NOT_CHAIN = SERVER.chain_pem.split("-----BEGIN CERTIFICATE-----", maxsplit=1)[0]
MANY = "".join(ThrowAwayAuthority(f"Root {number}").certificate_pem for number in range(20))
EXPIRED, FUTURE, ENDING = (
    AUTHORITY.issue_server("mx1.example.org", days=each) for each in ((-9, -1), (2, 9), (-29, 3))
)
OLD_CLIENT = AUTHORITY.issue_expired_client("old")
SUBMISSION = "submission inet n - y - - smtpd\n"
LOCAL = "127.0.0.1:10025 inet n - y - - smtpd\n"
SNI = "hash:/etc/postfix/names"


def table(source: str, *, source_time: float | None = None, index_time: float | None = None) -> SeenTable:
    """Return a table that was read."""
    return SeenTable(source=source, has_source=True, source_time=source_time, index_time=index_time)


def saying(stderr: str = "", **main_cf: str) -> HostRecord:
    """Return a host whose postconf(1) says what our own reader would, and something on stderr."""
    known = AuditedHost(main_cf=main_cf).record.configuration
    parameters, written = (
        "".join(f"{name} = {value}\n" for name, value in each.items()) for each in (known.parameters, known.written)
    )
    fields = "smtp/inet/service = smtp\nsmtp/inet/type = inet\nsmtp/inet/chroot = y\nsmtp/inet/command = smtpd\n"
    outputs = {
        "all_parameters": Said(0, parameters),
        "written_parameters": Said(0, written, stderr),
        "service_fields": Said(0, fields),
        "map_types": Said(0, "hash\ntexthash\n"),
    }
    said = {name: outputs.get(name, Said()) for name in CALLS}
    return HostRecord(
        directory="/etc/postfix", root="/etc/postfix", captures=Captures(directory="/x", root="/etc/postfix", **said)
    )


FOUND: Mapping[str, tuple[Kind, AuditedHost]] = {
    "all networks": (Kind.OPEN_RELAY, AuditedHost(main_cf={"mynetworks": "0.0.0.0/0"})),
    "all networks of IPv6": (Kind.OPEN_RELAY, AuditedHost(main_cf={"mynetworks": "[::]/0", "inet_protocols": "all"})),
    "a pattern for all domains": (Kind.OPEN_RELAY, AuditedHost(main_cf={"relay_domains": "static:all"}, answers={
        (Asked.LOOKUP, "static:all"): Answer.YES})),
    "a table that knows all": (Kind.OPEN_RELAY, AuditedHost(
        main_cf={RELAY: f"check_client_access static:ok, {REJECT}", RECIPIENT: ""})),
    "roots of the public": (Kind.ANY_CERTIFICATE, AuditedHost(
        main_cf={RELAY: f"permit_tls_all_clientcerts, {REJECT}", "smtpd_tls_CAfile": BUNDLE, "relay_clientcerts": None},
        files={BUNDLE: MANY})),
    "the own root": (Kind.WHOLE_AUTHORITY, AuditedHost(
        main_cf={RELAY: f"permit_tls_all_clientcerts, {REJECT}", "smtpd_tls_CAfile": CA, "relay_clientcerts": None},
        files={CA: AUTHORITY.certificate_pem})),
    "a wide network": (Kind.WIDE_NETWORKS, AuditedHost(main_cf={"mynetworks": "198.0.0.0/8"})),
    "a netmask": (Kind.UNREADABLE_NETWORK, AuditedHost(main_cf={"mynetworks": "192.0.2.0/255.255.255.0"})),
    "a whole class": (Kind.WHOLE_CLASS, AuditedHost(main_cf={"mynetworks": None, "mynetworks_style": "class"})),
    "nobody asked": (Kind.LISTED_REFUSED, AuditedHost(main_cf={"smtpd_tls_ask_ccert": "no"})),
    "refused before": (Kind.LISTED_REFUSED, AuditedHost(main_cf={RECIPIENT: f"permit_mynetworks, {REJECT}"})),
    "refused at one port": (Kind.LISTED_REFUSED_HERE, AuditedHost(
        master_cf=f"{SUBMISSION}  -o {CLIENT}=permit_sasl_authenticated,reject\n")),
    "overridden": (Kind.OVERRIDDEN, AuditedHost(
        master_cf=f"{SUBMISSION}  -o {RELAY}=permit_sasl_authenticated,reject\n")),
    "rows that nobody asks": (Kind.ROWS_UNUSED, AuditedHost(main_cf={RELAY: REJECT})),
    "no table": (Kind.NO_ROWS, AuditedHost(main_cf={"relay_clientcerts": None})),
    "a policy server": (Kind.RELAY_UNKNOWN, AuditedHost(
        main_cf={RELAY: f"permit_tls_clientcerts, check_policy_service inet:127.0.0.1:9, {REJECT}"})),
    "a milter beside": (Kind.RELAY_UNKNOWN, AuditedHost(main_cf={"smtpd_milters": "inet:127.0.0.1:9"})),
    "sha1": (Kind.WEAK_DIGEST, AuditedHost(main_cf={DIGEST: "sha1"}, tables={CLIENTS: table("")})),
    "md5 by default": (Kind.WEAK_DIGEST, AuditedHost(
        main_cf={DIGEST: None, "compatibility_level": "2"}, tables={CLIENTS: table("")})),
    "md5 for access": (Kind.WEAK_DIGEST, AuditedHost(
        main_cf={DIGEST: "md5", RELAY: f"check_ccert_access texthash:/a, {REJECT}", "relay_clientcerts": None})),
    "sha1 rows": (Kind.ROWS_NEVER_MATCH, AuditedHost(tables={CLIENTS: table(":".join(["AB"] * 20) + " old\n")})),
    "no colons": (Kind.ROWS_NEVER_MATCH, AuditedHost(tables={CLIENTS: table(row_of().replace(":", ""))})),
    "one without colons": (Kind.SOME_ROWS_NEVER_MATCH, AuditedHost(
        tables={CLIENTS: table(row_of() + row_of().replace(":", ""))})),
    "a known certificate": (Kind.EXPIRED_ROW, AuditedHost(
        tables={CLIENTS: table(row_of(OLD_CLIENT))},
        known=HostRecord(
            directory="/etc/postfix", root="/etc/postfix", certificates={"/old.pem": OLD_CLIENT.certificate_pem}))),
    "a date in the row": (Kind.EXPIRED_ROW, AuditedHost(
        tables={CLIENTS: table(row_of().strip() + " not_after=2020-01-01\n")})),
    "expired": (Kind.EXPIRED, AuditedHost(files={CHAIN: EXPIRED.chain_pem})),
    "not yet": (Kind.NOT_YET_VALID, AuditedHost(files={CHAIN: FUTURE.chain_pem})),
    "soon": (Kind.EXPIRES_SOON, AuditedHost(files={CHAIN: ENDING.chain_pem})),
    "an odd chain": (Kind.CHAIN_ODD, AuditedHost(
        files={CHAIN: SERVER.chain_pem + ThrowAwayAuthority("Other").issue_client("x").certificate_pem})),
    "other names": (Kind.OTHER_NAMES, AuditedHost(main_cf={"myhostname": "mx2.example.org"})),
    "a server's as a client": (Kind.NOT_FOR_CLIENTS, AuditedHost(main_cf={"smtp_tls_chain_files": CHAIN})),
    "an old client": (Kind.CLIENT_EXPIRED, AuditedHost(
        main_cf={"smtp_tls_chain_files": "/etc/postfix/c.pem"}, files={"/etc/postfix/c.pem": OLD_CLIENT.chain_pem})),
    "a key for all": (Kind.OPEN_KEY, AuditedHost(files={CHAIN: public_file(CHAIN, SERVER.chain_pem, is_open=True)})),
    "a hidden key": (Kind.FILES_UNSEEN, AuditedHost(files={CHAIN: PublicFile(CHAIN, is_hidden=True)})),
    "no certificate": (Kind.NO_TLS, AuditedHost(files={CHAIN: NOT_CHAIN})),
    "a missing file": (Kind.NO_TLS, AuditedHost(files={CHAIN: PublicFile(CHAIN, fault="is not there")})),
    "another key": (Kind.NO_TLS, AuditedHost(files={CHAIN: NOT_CHAIN + EXPIRED.certificate_pem})),
    "no level": (Kind.TLS_OFF, AuditedHost(main_cf={LEVEL: None, "relay_clientcerts": None, RELAY: REJECT})),
    "required at may": (Kind.REQUIRED_IN_VAIN, AuditedHost(main_cf={"smtpd_tls_req_ccert": "yes"})),
    "required of nobody": (Kind.REQUIRED_UNTRUSTED, AuditedHost(
        main_cf={LEVEL: "encrypt", "smtpd_tls_req_ccert": "yes"})),
    "asked in vain": (Kind.ASKED_IN_VAIN, AuditedHost(main_cf={RELAY: REJECT, "relay_clientcerts": None})),
    "verify": (Kind.LEVEL_OF_CLIENTS, AuditedHost(main_cf={LEVEL: "verify"})),
    "both": (Kind.OTHER_CHAIN_COUNTS, AuditedHost(main_cf={"smtpd_tls_cert_file": "/etc/ssl/snakeoil.pem"})),
    "passwords": (Kind.LOGIN_IN_CLEAR, AuditedHost(
        main_cf={"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_security_options": "noanonymous"})),
    "a wrapped MX": (Kind.WRAPPED_MX, AuditedHost(
        base="", master_cf="smtp inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n")),
    "port 465": (Kind.NOT_WRAPPED, AuditedHost(master_cf="smtps inet n - y - - smtpd\n")),
    "old TLS": (Kind.OLD_PROTOCOLS, AuditedHost(
        main_cf={"smtpd_tls_mandatory_protocols": "!SSLv2, !SSLv3"}, master_cf=f"{SUBMISSION}  -o {LEVEL}=encrypt\n")),
    "an MX that insists": (Kind.MX_REQUIRES_TLS, AuditedHost(main_cf={LEVEL: "encrypt"})),
    "a template": (Kind.NOT_SEEN, AuditedHost(
        main_cf={"mailbox_size_limit": "${SIZE_LIMIT}"}, known=HostRecord(directory="/c", root="/c", is_copy=True))),
    "no template": (Kind.DEAD, AuditedHost(main_cf={"queue_minfree": "${SIZE_LIMIT}"})),
    "no refusal": (Kind.DEAD, AuditedHost(main_cf={RELAY: "permit_mynetworks"})),
    "a wrong boolean": (Kind.DEAD, AuditedHost(main_cf={"smtpd_helo_required": "yess"})),
    "a table that is away": (Kind.REFUSES, AuditedHost(
        main_cf={"virtual_alias_maps": "texthash:/gone"}, answers={(Asked.LOOKUP, "texthash:/gone"): Answer.BROKEN})),
    "an unknown word": (Kind.REFUSES, AuditedHost(main_cf={RELAY: f"permit_tls_clientcerts, permit_ssl, {REJECT}"})),
    "no definition": (Kind.UNUSABLE, AuditedHost(more="this is none\n")),
    "no service": (Kind.UNUSABLE, AuditedHost(base="")),
    "an old index": (Kind.INDEX_OLD, AuditedHost(
        main_cf={"virtual_alias_maps": "lmdb:/a"}, tables={"lmdb:/a": table("", source_time=9.0, index_time=1.0)})),
    "a default that moved": (Kind.LEAVING_TYPE, AuditedHost(
        known=saying(virtual_alias_maps="hash:/a", default_database_type="lmdb"))),
    "Berkeley DB": (Kind.BERKELEY, AuditedHost(main_cf={"virtual_alias_maps": "hash:/a"})),
    "written by others": (Kind.OTHERS_WRITE, AuditedHost(known=HostRecord(
        directory="/etc/postfix", root="/etc/postfix", complaints={"/etc/postfix/main.cf": "others may write it"}))),
    "an open index": (Kind.OPEN_INDEX, AuditedHost(
        main_cf={"tls_server_sni_maps": SNI}, tables={SNI: SeenTable(has_source=True, is_index_open=True)})),
    "a legacy level": (Kind.DEPRECATED, AuditedHost(main_cf={"smtp_tls_per_site": "inline:{a=NONE}"})),
    "a level beside": (Kind.SUPERSEDED, AuditedHost(main_cf={"smtpd_use_tls": "yes"})),
    "an old name": (Kind.RENAMED, AuditedHost(main_cf={"postscreen_blacklist_action": "drop"})),
    "a slip": (Kind.IGNORED, AuditedHost(main_cf={"smtpd_tls_ask_cert": "yes"})),
    "what postconf says": (Kind.IGNORED, AuditedHost(
        known=saying("postconf: warning: /x/main.cf: unused parameter: foo=bar\n"))),
    "a release that is older": (Kind.IGNORED, AuditedHost(known=replace(
        saying("postconf: warning: /x/main.cf: unused parameter: smtpd_hide_client_session=yes\n",
               smtpd_hide_client_session="yes"), version=PostfixVersion(3, 7)))),
    "nothing of that name": (Kind.UNDEFINED, AuditedHost(main_cf={"smtpd_banner": "$myhostnam ESMTP"})),
    "twice": (Kind.OVERWRITTEN, AuditedHost(more="mynetworks = 10.0.0.0/8\n")),
    "a remark": (Kind.REMARK_IN_VALUE, AuditedHost(main_cf={"inet_protocols": "ipv4 # only"})),
    "no level of defaults": (Kind.OLD_DEFAULTS, AuditedHost(main_cf={"compatibility_level": None})),
    "no TLS out": (Kind.SENT_IN_CLEAR, AuditedHost(main_cf={"smtp_tls_security_level": None})),
    "a password out": (Kind.LOGIN_SENT_IN_CLEAR, AuditedHost(main_cf={
        "smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "texthash:/p",
        "smtp_sasl_security_options": "noanonymous"})),
    "no authority": (Kind.NEVER_VERIFIES, AuditedHost(main_cf={"smtp_tls_security_level": "secure"})),
    "no prints": (Kind.NEVER_VERIFIES, AuditedHost(main_cf={"smtp_tls_security_level": "fingerprint"})),
    "dane": (Kind.DANE_WITHOUT_DNSSEC, AuditedHost(main_cf={"smtp_tls_security_level": "dane"})),
    "what was not looked at": (Kind.NOT_SEEN, AuditedHost(known=HostRecord(
        directory="/etc/postfix", root="/etc/postfix", not_seen=("nobody looked",)))),
    "another place": (Kind.PERHAPS_A_COPY, AuditedHost(known=HostRecord(directory="/b/pf", root="/b/pf"))),
    "garbled": (Kind.UNREADABLE_OPTIONS, AuditedHost(master_cf=f"{SUBMISSION}  -o {LEVEL} = may\n")),
}  # fmt: skip

NOT_FOUND: Mapping[str, tuple[Kind, AuditedHost]] = {
    "all networks of IPv6, which nobody speaks": (Kind.OPEN_RELAY, AuditedHost(
        main_cf={"mynetworks": "[::]/0", "inet_protocols": "ipv4"})),
    "own networks": (Kind.WIDE_NETWORKS, AuditedHost(main_cf={"mynetworks": "10.0.0.0/8 192.0.2.0/24 [fc00::]/7"})),
    "an open service for this machine": (Kind.OPEN_RELAY, AuditedHost(
        master_cf=f"{LOCAL}  -o mynetworks=0.0.0.0/0\n  -o {RELAY}=permit_mynetworks,reject\n")),
    "all certificates of nobody": (Kind.ANY_CERTIFICATE, AuditedHost(
        main_cf={RELAY: f"permit_tls_all_clientcerts, {REJECT}", "relay_clientcerts": None})),
    "all of the public, behind a refusal": (Kind.ANY_CERTIFICATE, AuditedHost(
        main_cf={RELAY: f"{REJECT}, permit_tls_all_clientcerts", "smtpd_tls_CAfile": BUNDLE}, files={BUNDLE: MANY})),
    "a policy server behind": (Kind.RELAY_UNKNOWN, AuditedHost(
        main_cf={RELAY: f"permit_tls_clientcerts, {REJECT}, check_policy_service inet:127.0.0.1:9"})),
    "md5 that nobody looks at": (Kind.WEAK_DIGEST, AuditedHost(
        main_cf={DIGEST: "md5", RELAY: REJECT, "relay_clientcerts": None})),
    "rows in lower case": (Kind.ROWS_NEVER_MATCH, AuditedHost(tables={CLIENTS: table(row_of().lower())})),
    "an index just made": (Kind.INDEX_OLD, AuditedHost(
        main_cf={"virtual_alias_maps": "lmdb:/a"}, tables={"lmdb:/a": table("", source_time=9.0, index_time=7.5)})),
    "no TLS for this machine": (Kind.TLS_OFF, AuditedHost(
        master_cf=f"{LOCAL}  -o {LEVEL}=none\n")),
    "passwords inside TLS": (Kind.LOGIN_IN_CLEAR, AuditedHost(
        main_cf={"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes"})),
    "a password within TLS": (Kind.LOGIN_SENT_IN_CLEAR, AuditedHost(main_cf={
        "smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "texthash:/p",
        "smtp_sasl_security_options": "noanonymous", "smtp_tls_security_level": "encrypt"})),
    "no TLS to this machine": (Kind.SENT_IN_CLEAR, AuditedHost(
        main_cf={"smtp_tls_security_level": None, "relayhost": "[127.0.0.1]:25"})),
    "a name of one's own": (Kind.IGNORED, AuditedHost(
        main_cf={"my_list": REJECT, RELAY: "permit_tls_clientcerts, $my_list"})),
    "a placeholder": (Kind.REMARK_IN_VALUE, AuditedHost(main_cf={"myorigin": "##HOST##"})),
    "a number that is filled in": (Kind.DEAD, AuditedHost(
        main_cf={"mailbox_size_limit": "${SIZE_LIMIT}"}, known=HostRecord(directory="/c", root="/c", is_copy=True))),
    "a release that is newer": (Kind.IGNORED, AuditedHost(
        main_cf={"smtpd_hide_client_session": "yes"},
        known=HostRecord(directory="/c", root="/etc/postfix", is_copy=True))),
    "a level that may is the default of": (Kind.SENT_IN_CLEAR, AuditedHost(
        main_cf={"smtp_tls_security_level": None, "compatibility_level": "3.11"},
        known=HostRecord(directory="/c", root="/etc/postfix", is_copy=True))),
}  # fmt: skip


GOLDEN: Final = Path(__file__).parents[1] / "golden" / "audit.txt"
HOSTS: Mapping[str, AuditedHost] = {
    **{name: host for name, (_, host) in [*FOUND.items(), *NOT_FOUND.items()]},
    **VARIANTS,
}


@cache
def found_of(name: str) -> tuple[Finding, ...]:
    """Return what is found of a host; several tests look at it."""
    return HOSTS[name].findings()


def told_of(name: str) -> str:
    """Return a paragraph with all that is found of a host; certificates here are as old as the test."""
    lines = [f"# {name}", *(line for finding in found_of(name) for line in lines_of(finding))]
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "DATE", "\n".join(lines))


def lines_of(finding: Finding) -> list[str]:
    """Return a finding with all its members but those that its kind says."""
    place = f"{finding.place.file}:{finding.place.line} [{finding.place.service}] [{finding.place.parameter}]"
    return [f"{finding.kind} {place}", f"  {finding.what}", *([f"  fix: {finding.fix}"] if finding.fix else [])]


@pytest.fixture(scope="module")
def golden() -> Mapping[str, str]:
    """Read the reviewed paragraphs by host; `UPDATE_GOLDEN=1` writes them anew."""
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text("\n\n".join(map(told_of, HOSTS)) + "\n", encoding="utf-8")
    paragraphs = GOLDEN.read_text(encoding="utf-8").removesuffix("\n").split("\n\n")
    return {each.partition("\n")[0].removeprefix("# "): each for each in paragraphs}


@pytest.mark.parametrize("name", HOSTS)
def test_nothing_else_is_found(name: str, golden: Mapping[str, str]) -> None:
    """Each with its place, what is said, and what to do: a host has the findings that somebody has reviewed."""
    command = "UPDATE_GOLDEN=1 .venv/bin/pytest -n 0 tests/unit/test_audit_findings.py"
    assert told_of(name) == golden.get(name), f"run `{command}`, and review the diff of tests/golden/audit.txt"


def test_each_reviewed_host_is_still_there(golden: Mapping[str, str]) -> None:
    """A name stands for one host."""
    assert [*golden] == [*HOSTS]
    assert len(HOSTS) == len(FOUND) + len(NOT_FOUND) + len(VARIANTS)


def test_a_host_of_which_nothing_is_to_be_said() -> None:
    """Nothing is found, so that what is found elsewhere comes from the difference."""
    assert AuditedHost().findings() == ()


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found(name: str) -> None:
    """Each with a place, a sentence, and where to read more."""
    kind, _ = FOUND[name]
    found = [finding for finding in found_of(name) if finding.kind is kind]
    assert found, found_of(name)
    for finding in found:
        assert finding.place.file.startswith("/")
        assert finding.what
        assert finding.fix or finding.severity is Severity.CANNOT_TELL


def test_a_table_that_two_programs_lack_is_one_finding() -> None:
    """One file is to be made, whoever waits for it: here local(8), and smtpd(8) for its recipients."""
    host = AuditedHost(
        main_cf={"alias_maps": "hash:/etc/aliases"},
        master_cf="local unix - n n - - local\n",
        answers={(Asked.LOOKUP, "hash:/etc/aliases"): Answer.BROKEN},
    )
    (finding,) = [each for each in host.findings() if each.kind is Kind.REFUSES]
    assert finding.what.startswith("local (smtpd as well) refuses mail for now: ")


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_only_looks_like_it_is_not_found(name: str) -> None:
    """The same words where they do no harm."""
    kind, _ = NOT_FOUND[name]
    assert kind not in {finding.kind for finding in found_of(name)}


def test_each_kind_has_a_host_that_has_it() -> None:
    """And says how bad it is, why, and where that is written."""
    assert {kind for kind, _ in FOUND.values()} == {*Kind}
    for kind in Kind:
        assert kind.why
        assert kind.source
        assert kind.severity in Severity


def test_a_finding_names_the_line() -> None:
    """In main.cf that of the last definition, in master.cf that of the option."""
    (listed,) = [each for each in found_of("overridden") if each.kind is Kind.OVERRIDDEN]
    assert listed.place == Place("/etc/postfix/master.cf", 10, "submission/inet", RELAY)
    (twice,) = [each for each in found_of("twice") if each.kind is Kind.OVERWRITTEN]
    assert twice.place == Place("/etc/postfix/main.cf", len(MAIN_CF) + 1, "", "mynetworks")


def test_a_release_does_not_know_a_parameter() -> None:
    """What postconf(1) calls unused is told once, with the release."""
    said = "postconf: warning: /x/main.cf: unused parameter: smtpd_hide_client_session=yes\n"
    record = saying(said)
    host = AuditedHost(known=replace(record, version=PostfixVersion(3, 7)))
    (finding,) = [each for each in host.findings() if each.kind is Kind.IGNORED]
    assert "not known to this release" in finding.what


@pytest.mark.parametrize(("days", "kind"), [(0, None), (22, None), (23, Kind.EXPIRES_SOON), (31, Kind.EXPIRED)])
def test_the_date_decides(days: int, kind: Kind | None) -> None:
    """A certificate of 31 days is late with less than a quarter of its life left, and wrong behind its end."""
    found = AuditedHost().findings(datetime.now(UTC) + timedelta(days=days))
    assert [finding.kind for finding in found if finding.kind is not Kind.EXPIRED_ROW] == ([kind] if kind else [])


def test_a_file_that_is_too_large_says_how_large_it_may_be() -> None:
    """In the unit in which people see sizes."""
    assert FAULTS["large"] == "has more than 2 MiB"


@pytest.mark.parametrize(
    ("found", "code"),
    [((), 0), ((Kind.BERKELEY,), 0), ((Kind.NOT_SEEN,), 1), ((Kind.EXPIRES_SOON, Kind.BERKELEY), 1),
     ((Kind.BERKELEY, Kind.OPEN_RELAY, Kind.NOT_SEEN), 2)],
)  # fmt: skip
def test_the_worst_is_the_exit_code(found: tuple[Kind, ...], code: int) -> None:
    """What cannot be told is never fine."""
    assert exit_code(Finding(kind=kind, place=Place("/x"), what="x") for kind in found) == code


def test_one_line_is_one_finding() -> None:
    """However many listeners it is about; the worst come first."""
    places = [Place("/etc/postfix/main.cf", 3, service, LEVEL) for service in ("b/inet", "a/inet")]
    some = [Finding(kind=Kind.LEVEL_OF_CLIENTS, place=place, what="x") for place in places]
    other = Finding(kind=Kind.OPEN_RELAY, place=Place("/z"), what="y")
    first, second = sorted_findings([*some, other, other])
    assert first == other
    assert second.place.service == "a/inet, b/inet"
