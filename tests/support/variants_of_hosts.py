"""Audited hosts that differ in a place, a word or a boundary: what is said of each is in tests/golden/audit.txt."""

from collections.abc import Mapping
from dataclasses import replace

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import load_pem_x509_certificate

from postfix.audit.record import HostRecord, SeenTable
from postfix.effective.visitors import Answer, Asked
from postfix.public_file import PublicFile, public_file
from tests.support.audited_hosts import AUTHORITY, CHAIN, CLIENTS, MAIN_CF, MASTER_CF, ROOT, SERVER, AuditedHost, row_of

__all__ = ["VARIANTS"]

RELAY, CLIENT = "smtpd_relay_restrictions", "smtpd_client_restrictions"
REJECT, LISTED, ANYBODY = "reject_unauth_destination", "permit_tls_clientcerts", "permit_tls_all_clientcerts"
LEVEL, DIGEST, SENDING = "smtpd_tls_security_level", "smtpd_tls_fingerprint_digest", "smtp_tls_security_level"
REQUIRE, MANDATORY = "smtpd_tls_req_ccert", "smtpd_tls_mandatory_protocols"
NO_LIST = {RELAY: REJECT, "relay_clientcerts": None}
PASSWD = "proxy:unix:passwd.byname"
SUBMISSION = "submission inet n - y - - smtpd\n"
HERE = HostRecord(directory=ROOT, root=ROOT)
COPY = HostRecord(directory="/c", root=ROOT, is_copy=True)
OWN_PAIR = {"smtpd_tls_chain_files": None, "smtpd_tls_cert_file": "/p/cert.pem", "smtpd_tls_key_file": "/p/key.pem"}
KEY, CERTIFICATE = SERVER.private_key_pem, SERVER.certificate_pem
OLD_CLIENT = AUTHORITY.issue_expired_client("old")
OLD_SHA1 = load_pem_x509_certificate(OLD_CLIENT.certificate_pem.encode()).fingerprint(SHA1()).hex(":")  # noqa: S303
NO_COLONS = SeenTable(source=row_of().replace(":", ""), has_source=True)
TYPES = ("hash", "btree", "lmdb", "cdb", "texthash", "dbm", "sdbm")
DECIDING = (
    *(f"-o {name}={REJECT}" for name in (CLIENT, "smtpd_helo_restrictions", "smtpd_sender_restrictions")),
    *(f"-o {name}={REJECT}" for name in (RELAY, "smtpd_recipient_restrictions")),
    *(f"-o {LEVEL}=may", "-o smtpd_tls_ask_ccert=no", f"-o {DIGEST}=sha256", f"-o relay_clientcerts={CLIENTS}"),
    *("-o smtpd_use_tls=yes", "-o smtpd_enforce_tls=no", "-o smtpd_delay_reject=yes"),
    *(f"-o smtpd_tls_chain_files={CHAIN}", "-o smtpd_tls_cert_file="),
)
"""Every option of a service that may decide whether listed clients are let in."""


def service(line: str, *options: str) -> str:
    """Return lines of master.cf."""
    return line + "".join(f"  {option}\n" for option in options)


def rows(*lines: str) -> Mapping[str, SeenTable]:
    """Return the table of clients with these rows."""
    return {CLIENTS: SeenTable(source="".join(f"{line}\n" for line in lines), has_source=True)}


def hidden(*paths: str) -> Mapping[str, PublicFile]:
    """Return files that whoever looked may not read."""
    return {path: PublicFile(path, is_hidden=True) for path in paths}


RELAYING: Mapping[str, AuditedHost] = {
    "open at one port": AuditedHost(
        master_cf=service(SUBMISSION, f"-o {RELAY}=permit_mynetworks,reject", "-o mynetworks=0.0.0.0/0")),
    "open by a class": AuditedHost(
        main_cf={RELAY: f"own, {REJECT}", "own": "check_client_access static:ok", "smtpd_restriction_classes": "own"}),
    "the own root beside networks": AuditedHost(
        main_cf={RELAY: f"permit_mynetworks, {ANYBODY}, {REJECT}", "relay_clientcerts": None, "mynetworks": "0.0.0.0/0",
                 "smtpd_tls_CAfile": CHAIN}),
    "a table of domains": AuditedHost(
        main_cf={"relay_domains": "ldap:/d.cf"}, answers={(Asked.LOOKUP, "ldap:/d.cf"): Answer.UNKNOWN}),
    "a table of domains, deferred": AuditedHost(
        main_cf={"relay_domains": "ldap:/d.cf", RELAY: f"{LISTED}, defer_unauth_destination"},
        answers={(Asked.LOOKUP, "ldap:/d.cf"): Answer.UNKNOWN}),
    "a table of domains, permitted": AuditedHost(
        main_cf={"virtual_mailbox_domains": "ldap:/d.cf", RELAY: f"{LISTED}, permit_auth_destination, reject"},
        answers={(Asked.LOOKUP, "ldap:/d.cf"): Answer.UNKNOWN}),
    "a table of domains elsewhere": AuditedHost(
        main_cf={"rewrite_service_name": "other"},
        master_cf=service("other unix - - y - - trivial-rewrite\n", "-o relay_domains=ldap:/d.cf"),
        answers={(Asked.LOOKUP, "ldap:/d.cf"): Answer.UNKNOWN}),
    "a garbled line": AuditedHost(base=MASTER_CF.replace("trivial-rewrite", "trivial-rewrite -o x = y")),
    "no end": AuditedHost(main_cf={RELAY: "$one", "one": "$two", "two": "$one"}),
    "what only refuses": AuditedHost(main_cf={CLIENT: "check_client_access ldap:/d.cf"}, answers={
        (Asked.LOOKUP, "ldap:/d.cf"): Answer.UNKNOWN}),
    "a policy server in a class": AuditedHost(main_cf={
        RELAY: f"{LISTED}, own, {REJECT}", "own": "check_policy_service inet:127.0.0.1:9",
        "smtpd_restriction_classes": "own"}, master_cf=SUBMISSION),
    "a policy server before a permission": AuditedHost(main_cf={
        RELAY: f"{LISTED}, check_policy_service inet:127.0.0.1:9, {REJECT}",
        "smtpd_recipient_restrictions": "permit_mynetworks, permit"}),
    "overridden by all that decides": AuditedHost(master_cf=service(SUBMISSION, *DECIDING)),
    "nothing of its own": AuditedHost(master_cf=service(SUBMISSION, "-o syslog_name=postfix/submission")),
    "a list for this machine": AuditedHost(
        master_cf=service("127.0.0.1:10025 inet n - y - - smtpd\n", f"-o {RELAY}=permit_mynetworks,reject")),
    "no table at one port": AuditedHost(
        main_cf=NO_LIST, master_cf=service(SUBMISSION, f"-o {RELAY}={LISTED},{REJECT}")),
    "no table, and another port": AuditedHost(
        main_cf={"relay_clientcerts": None},
        master_cf=service(SUBMISSION, f"-o {RELAY}={REJECT}", "-o smtpd_tls_ask_ccert=no")),
    "refused everywhere": AuditedHost(main_cf={CLIENT: "reject"}, master_cf=SUBMISSION),
    "networks of a service": AuditedHost(
        master_cf=service(SUBMISSION, "-o {mynetworks=198.0.0.0/8, 192.0.2.1/24, /networks, cidr:/n, !9.0.0.0/8}")),
    "networks that only look wrong": AuditedHost(main_cf={
        "mynetworks": "127.0.0.0/8 !198.0.0.0/8 cidr:/n !/networks [2001:db8::]/48", "mynetworks_style": "class"}),
    "IPv6 with bits behind": AuditedHost(
        main_cf={"mynetworks": "127.0.0.0/8 [2001:db8::1]/48", "inet_protocols": "all"}),
    "networks that nobody asks": AuditedHost(main_cf={
        "mynetworks": "192.0.2.0/255.255.255.0", RELAY: f"{LISTED}, {REJECT}", "smtpd_recipient_restrictions": ""}),
    "a whole class in capitals": AuditedHost(main_cf={"mynetworks": None, "mynetworks_style": "CLASS"}),
    "a subnet": AuditedHost(main_cf={"mynetworks": None, "mynetworks_style": "subnet"}),
}  # fmt: skip

FINGERPRINTS: Mapping[str, AuditedHost] = {
    "a digest of one port": AuditedHost(
        tables=rows(), master_cf=service(SUBMISSION, f"-o {DIGEST}=sha1")),
    "md5, and no level of defaults": AuditedHost(main_cf={DIGEST: None, "compatibility_level": None}, tables=rows()),
    "md5 and no table": AuditedHost(main_cf={DIGEST: "md5", "relay_clientcerts": None}),
    "a digest of which nothing is known": AuditedHost(main_cf={DIGEST: "shake"}, tables=rows("x y")),
    "tables of all types": AuditedHost(
        main_cf={"relay_clientcerts": ", ".join(f"{each}:/{each}" for each in TYPES)},
        tables={f"{each}:/{each}": NO_COLONS for each in TYPES}),
    "tables that are not read here": AuditedHost(
        main_cf={"relay_clientcerts": "ldap:/l.cf, hash:clients, hash:/gone"},
        tables={"ldap:/l.cf": NO_COLONS, "hash:clients": NO_COLONS, "hash:/gone": SeenTable(source="x y\n")}),
    "the table of two ports": AuditedHost(tables=rows("AB:CD one"), master_cf=SUBMISSION),
    "three rows in a wrong form": AuditedHost(tables=rows(
        row_of().strip(), ":".join(["GG"] * 32) + " letters", f"AB:{row_of().strip()}", "AB " + "w" * 41)),
    "four rows in a wrong form": AuditedHost(tables=rows(row_of().strip(), "A 1", "B 2", "C 3", "D 4")),
    "an old certificate by sha1": AuditedHost(
        main_cf={DIGEST: "sha1"}, tables=rows(f"{OLD_SHA1} old"),
        known=replace(HERE, certificates={"/old.pem": OLD_CLIENT.certificate_pem, "/junk.pem": "junk"})),
    "a date that is none": AuditedHost(tables=rows(f"{row_of().strip()} not_after=2020-13-45")),
}  # fmt: skip

TLS: Mapping[str, AuditedHost] = {
    "TLS off at one port": AuditedHost(main_cf=NO_LIST, master_cf=service(SUBMISSION, f"-o {LEVEL}=none")),
    "no level beside a pair": AuditedHost(main_cf={**NO_LIST, **OWN_PAIR, LEVEL: None}),
    "an authority by directory": AuditedHost(
        main_cf={**NO_LIST, LEVEL: "encrypt", REQUIRE: "yes", "smtpd_tls_CApath": "/ca"}),
    "the default authorities": AuditedHost(
        main_cf={**NO_LIST, LEVEL: "encrypt", REQUIRE: "yes", "tls_append_default_CA": "yes"}),
    "required at one port": AuditedHost(main_cf=NO_LIST, master_cf=service(SUBMISSION, f"-o {REQUIRE}=yes")),
    "asked for a milter": AuditedHost(main_cf={**NO_LIST, "smtpd_milters": "inet:127.0.0.1:9"}),
    "asked for a filter": AuditedHost(main_cf={**NO_LIST, "smtpd_proxy_filter": "127.0.0.1:9"}),
    "asked for access": AuditedHost(
        main_cf={**NO_LIST, RELAY: f"{REJECT}, check_ccert_access texthash:/a"}),
    "asked for a policy": AuditedHost(
        main_cf={**NO_LIST, RELAY: f"{REJECT}, check_policy_service inet:127.0.0.1:9"}),
    "levels of clients": AuditedHost(main_cf=NO_LIST, master_cf=(
        service("587 inet n - y - - smtpd\n", f"-o {LEVEL}=FINGERPRINT", f"-o {MANDATORY}=>=TLSv1.1")
        + service("588 inet n - y - - smtpd\n", f"-o {LEVEL}=secure", f"-o {MANDATORY}=>=TLSv1.2"))),
    "ports by number and name": AuditedHost(
        main_cf={**NO_LIST, MANDATORY: ">=TLSv1.2", "smtpd_tls_ask_ccert": "no"}, master_cf=(
        service("[192.0.2.1]:25 inet n - y - - smtpd\n", f"-o {LEVEL}=encrypt")
        + service("465 inet n - y - - smtpd\n") + service("submissions inet n - y - - smtpd\n")
        + service("ssmtp inet n - y - - smtpd\n") + service("urd inet n - y - - smtpd\n")
        + service("smtps inet n - y - - smtpd\n", "-o smtpd_tls_wrappermode=yes")
        + service("587 inet n - y - - smtpd\n", "-o smtpd_tls_wrappermode=yes")
        + service("192.0.2.1:smtp inet n - y - - smtpd\n", f"-o {LEVEL}=", "-o smtpd_enforce_tls=yes"))),
    "ports of this machine": AuditedHost(main_cf=NO_LIST, master_cf=(
        service("localhost:465 inet n - y - - smtpd\n")
        + service("[::1]:25 inet n - y - - smtpd\n", f"-o {LEVEL}=encrypt"))),
    "no plain passwords": AuditedHost(main_cf={
        "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_security_options": "noanonymous,noplaintext"}),
    "both, in every program": AuditedHost(main_cf={
        "smtp_tls_chain_files": "/c.pem", "lmtp_tls_chain_files": "/c.pem",
        **{f"{program}_tls_{kind}{end}_file": "/o.pem" for program in ("smtpd", "smtp", "lmtp")
           for kind in ("", "d", "ec") for end in ("cert", "key")}},
        files={"/c.pem": KEY + CERTIFICATE}),
}  # fmt: skip

CERTIFICATES: Mapping[str, AuditedHost] = {
    "another key in a pair": AuditedHost(
        main_cf=OWN_PAIR, files={"/p/cert.pem": OLD_CLIENT.certificate_pem, "/p/key.pem": KEY}),
    "a pair": AuditedHost(main_cf=OWN_PAIR, files={"/p/cert.pem": CERTIFICATE, "/p/key.pem": KEY}),
    "the certificate of one port": AuditedHost(
        files={"/o.pem": OLD_CLIENT.chain_pem},
        master_cf=service(SUBMISSION, "-o smtpd_tls_chain_files=/o.pem", f"-o {RELAY}={LISTED},{REJECT}")),
    "a certificate that is not served": AuditedHost(
        main_cf=NO_LIST, files={"/o.pem": OLD_CLIENT.chain_pem},
        master_cf=service(SUBMISSION, "-o smtpd_tls_chain_files=/o.pem", f"-o {LEVEL}=none")),
    "a certificate at two ports": AuditedHost(main_cf={"myhostname": "mx2.example.org"}, master_cf=SUBMISSION),
    "many names": AuditedHost(
        files={CHAIN: AUTHORITY.issue_server(*(f"mx{number}.example.net" for number in range(1, 8))).chain_pem}),
    "no name": AuditedHost(files={CHAIN: AUTHORITY.issue_client("alice").chain_pem}),
    "a name that nobody wrote": AuditedHost(main_cf={"myhostname": None}),
    "an old client over LMTP": AuditedHost(
        main_cf={"lmtp_tls_chain_files": "/o.pem"}, files={"/o.pem": OLD_CLIENT.chain_pem},
        master_cf="lmtp unix - - y - - lmtp\n"),
    "an old client of one service": AuditedHost(
        files={"/o.pem": OLD_CLIENT.chain_pem},
        master_cf=service("relay unix - - y - - smtp\n", "-o smtp_tls_chain_files=/o.pem")),
    "an old client of a garbled service": AuditedHost(
        files={"/o.pem": OLD_CLIENT.chain_pem},
        master_cf=service("relay unix - - y - - smtp\n", "-o smtp_tls_chain_files=/o.pem", "-o x = y")),
}  # fmt: skip

SBIN, JAIL = "/usr/lib/postfix/sbin", "/var/spool/postfix"

FILES: Mapping[str, AuditedHost] = {
    "authorities outside the jail": AuditedHost(main_cf={"smtpd_tls_CApath": "/ca"}, answers={
        (Asked.READABLE, f"{JAIL}/ca"): Answer.NO}),
    "a wrong boolean at one port": AuditedHost(master_cf=service(SUBMISSION, "-o smtpd_helo_required=yess")),
    "a wrong boolean of a sender": AuditedHost(
        master_cf=service("relay unix - - y - - smtp\n", "-o smtp_tls_note_starttls_offer=yess")),
    "no program": AuditedHost(answers={(Asked.READABLE, f"{SBIN}/cleanup"): Answer.BROKEN}),
    "a wrong boolean that is filled in": AuditedHost(
        main_cf={"smtpd_helo_required": "{{ helo }}", "smtpd_delay_reject": "yess"}, known=COPY),
    "no service and a slip": AuditedHost(base="", main_cf={"smtpd_tls_ask_cert": "yes"}),
    "a copy of main.cf alone": AuditedHost(base="", known=COPY),
    "a copy that is filled in": AuditedHost(more="{% if relay %}\n", known=COPY),
    "a copy that is wrong": AuditedHost(more="this is none\n", known=COPY),
    "the host of a template": AuditedHost(more="{% if relay %}\n"),
    "the files of two places": AuditedHost(
        main_cf={"virtual_alias_maps": "texthash:/b/pf/a"}, known=HostRecord(directory="/b/pf", root="/b/pf")),
    "a copy of another place": AuditedHost(known=HostRecord(directory="/c", root="/b/pf", is_copy=True)),
    "eight hidden files": AuditedHost(known=replace(
        HERE, is_root=False, files=hidden(*map("/h/{}".format, range(7))),
        tables={"hash:/t": SeenTable(is_hidden=True)})),
    "nine hidden files of a copy": AuditedHost(known=replace(COPY, files=hidden(*map("/h/{}".format, range(9))))),
    "a key for all in two places": AuditedHost(
        main_cf={**OWN_PAIR, "smtp_tls_cert_file": "/p/cert.pem", "smtp_tls_key_file": "/p/key.pem"},
        files={"/p/cert.pem": CERTIFICATE, "/p/key.pem": public_file("/p/key.pem", KEY, is_open=True)}),
}  # fmt: skip


def seen(source_time: float, index_time: float | None, *, is_index_open: bool = False) -> SeenTable:
    """Return a table with the times of source and index."""
    return SeenTable(has_source=True, source_time=source_time, index_time=index_time, is_index_open=is_index_open)


MAPS = ("alias_maps", "canonical_maps", "recipient_canonical_maps", "relocated_maps", "sender_canonical_maps")

TABLES: Mapping[str, AuditedHost] = {
    "an old index of each type": AuditedHost(
        main_cf={"virtual_alias_maps": ", ".join(f"proxy:{each}:/{each}" for each in TYPES),
                 "proxy_read_maps": f"$virtual_alias_maps {PASSWD}"},
        tables={f"{each}:/{each}": seen(9.0, 6.9) for each in TYPES}),
    "indexes that are not old": AuditedHost(
        main_cf={"virtual_alias_maps": "lmdb:/edge, lmdb:/none, lmdb:relative, lmdb:/open"},
        tables={"lmdb:/edge": seen(9.0, 7.0), "lmdb:/none": seen(9.0, None), "lmdb:relative": seen(9.0, 1.0),
                "lmdb:/open": seen(1.0, 9.0, is_index_open=True)}),
    "an old index of keys": AuditedHost(
        main_cf={"tls_server_sni_maps": "lmdb:/n"}, tables={"lmdb:/n": seen(9.0, 1.0)}),
    "a table of one service": AuditedHost(
        base=MASTER_CF.replace("0 cleanup\n", "0 cleanup\n  -o virtual_alias_maps=hash:/a\n")),
    "a table in a class": AuditedHost(main_cf={
        "own_restrictions": "check_client_access proxy:btree:/a, check_client_access pcre:b",
        "proxy_read_maps": f"proxy:btree:/a {PASSWD}",
        CLIENT: "own_restrictions", "smtpd_restriction_classes": "own_restrictions"}),
    "caches": AuditedHost(main_cf={
        "address_verify_map": "btree:/a", "smtp_tls_session_cache_database": "btree:/b",
        "postscreen_cache_map": "btree:/c"}),
    "six tables of Berkeley DB": AuditedHost(main_cf=dict.fromkeys([*MAPS, "virtual_alias_maps"], "hash:/a")),
    "seven tables of Berkeley DB": AuditedHost(
        main_cf=dict.fromkeys([*MAPS, "virtual_alias_maps", "transport_maps"], "btree:/a")),
}  # fmt: skip

PARAMETERS: Mapping[str, AuditedHost] = {
    "old names": AuditedHost(main_cf={
        "smtpd_per_record_deadline": "yes", "tlsproxy_client_level": "may", "lmtp_per_record_deadline": "yes",
        "postscreen_whitelist_interfaces": "all", "smtp_use_tls": "yes", "lmtp_enforce_tls": "no"}),
    "old names of one port": AuditedHost(
        master_cf=service(SUBMISSION, "-o smtpd_use_tls=yes", "-o smtpd_enforce_tls=no")),
    "names of one's own": AuditedHost(
        main_cf={"mailman_destination_recipient_limit": "1", "a_list": "10.0.0.1", "b_list": "10.0.0.2",
                 "virtual_mailbox_domains": "ldap:dir", "dir_server_host": "x", "reject_class": "permit",
                 "smtpd_restriction_classes": "reject_class",
                 "mynetworks": "127.0.0.0/8 $a_list ${b_list}", "of_master": "x", "permit_sasl_authenticated": "x",
                 "mail_release_date": "x"},
        master_cf=service(SUBMISSION, "-o smtpd_banner=$of_master", "-o smtpd_client_restrictions=reject_class")),
    "a long name of nothing": AuditedHost(main_cf={"x" * 70: "$" + "y" * 70}),
    "a slip at one port": AuditedHost(master_cf=service(SUBMISSION, "-o smtpd_banner=$myhostnam")),
    "references that are none": AuditedHost(main_cf={
        "mailbox_command": "/bin/deliver $EXTENSION $1", "smtpd_banner": "$myhostname $service_name $mail_version",
        "proxy_read_maps": f"$nothing_maps {PASSWD}"}),
    "defined in three lines": AuditedHost(more="mynetworks = 10.0.0.0/8\nmynetworks = 192.168.0.0/16\n"),
    "nothing is written": AuditedHost(main_cf=dict.fromkeys(MAIN_CF)),
}  # fmt: skip

LOGIN = {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "texthash:/p", "smtp_sasl_security_options": ""}

SENDERS: Mapping[str, AuditedHost] = {
    "level none": AuditedHost(main_cf={SENDING: "none"}),
    "level none with policies": AuditedHost(main_cf={SENDING: "none", "smtp_tls_policy_maps": "texthash:/p", **LOGIN}),
    "level none by IPv6 to this machine": AuditedHost(main_cf={SENDING: "none", "relayhost": "[::1]"}),
    "level none to this machine by name": AuditedHost(main_cf={SENDING: "none", "relayhost": "LOCALHOST:10025"}),
    "level none to another machine": AuditedHost(main_cf={SENDING: "none", "relayhost": "[192.0.2.1]:25"}),
    "a transport of another program": AuditedHost(main_cf={SENDING: "none", "default_transport": "relay:"},
        master_cf="relay unix - - y - - pipe\n"),
    "a transport with a level": AuditedHost(main_cf={SENDING: "none", "default_transport": "relay:x"},
        master_cf=service("relay unix - - y - - smtp\n", f"-o {SENDING}=encrypt")),
    "a transport that is garbled": AuditedHost(main_cf={SENDING: "none", "default_transport": "relay"},
        master_cf=service("relay unix - - y - - smtp\n", "-o x = y")),
    "a wrapped password": AuditedHost(main_cf={SENDING: "encrypt", "smtp_tls_wrappermode": "yes", **LOGIN}),
    "a password with dane": AuditedHost(main_cf={SENDING: "dane", "smtp_dns_support_level": "DNSSEC", **LOGIN}),
    "a password without a level": AuditedHost(main_cf={SENDING: None, "smtp_use_tls": "yes", **LOGIN}),
    "a password that is never plain": AuditedHost(main_cf={**LOGIN, "smtp_sasl_security_options": "noplaintext"}),
    "no password": AuditedHost(main_cf={**LOGIN, "smtp_sasl_password_maps": ""}),
    "a password and no login": AuditedHost(main_cf={**LOGIN, "smtp_sasl_auth_enable": "no"}),
    "verify by the old names": AuditedHost(main_cf={
        SENDING: None, "smtp_enforce_tls": "yes", "smtp_tls_enforce_peername": "yes"}),
    "an authority to verify by": AuditedHost(main_cf={SENDING: "verify", "smtp_tls_trust_anchor_file": "/a"}),
    "default authorities to verify by": AuditedHost(main_cf={SENDING: "secure", "tls_append_default_CA": "yes"}),
    "policies to verify by": AuditedHost(main_cf={SENDING: "secure", "smtp_tls_policy_maps": "texthash:/p"}),
    "a print": AuditedHost(main_cf={SENDING: "fingerprint", "smtp_tls_fingerprint_cert_match": "AB:CD"}),
    "prints by policies": AuditedHost(main_cf={SENDING: "fingerprint", "smtp_tls_policy_maps": "texthash:/p"}),
    "dane only": AuditedHost(main_cf={SENDING: "dane-only"}),
}  # fmt: skip

VARIANTS: Mapping[str, AuditedHost] = {
    **RELAYING, **FINGERPRINTS, **TLS, **CERTIFICATES, **FILES, **TABLES, **PARAMETERS, **SENDERS
}  # fmt: skip
"""Hosts by name."""
