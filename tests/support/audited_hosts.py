"""Hosts that are audited without being there: two files, and what else is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from postfix.audit.findings import Finding
from postfix.audit.judgement import Audit, settled
from postfix.audit.own_reading import configuration_of_files
from postfix.audit.record import HostRecord, SeenTable, Wanted
from postfix.effective.visitors import Answer, Asked, Question
from postfix.public_file import PublicFile, public_file
from tests.support.test_authority import Credential, ThrowAwayAuthority

__all__ = ["ALICE", "AUTHORITY", "CHAIN", "CLIENTS", "MAIN_CF", "MASTER_CF", "SERVER", "AuditedHost", "row_of"]

ROOT = "/etc/postfix"
CHAIN, CLIENTS = f"{ROOT}/tls/mx1.pem", f"texthash:{ROOT}/clients"
AUTHORITY = ThrowAwayAuthority("Example Mail CA")
SERVER = AUTHORITY.issue_server("mx1.example.org")
ALICE = AUTHORITY.issue_client("alice")
MAIN_CF = {
    "compatibility_level": "3.6",
    "myhostname": "mx1.example.org",
    "mynetworks": "127.0.0.0/8",
    "relay_clientcerts": CLIENTS,
    "smtp_tls_security_level": "may",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_chain_files": CHAIN,
    "smtpd_tls_fingerprint_digest": "sha256",
    "smtpd_tls_security_level": "may",
}
MASTER_CF = """\
smtp       inet  n - y - - smtpd
cleanup    unix  n - y - 0 cleanup
tlsmgr     unix  - - y 1000? 1 tlsmgr
rewrite    unix  - - y - - trivial-rewrite
proxymap   unix  - - n - - proxymap
smtp       unix  - - y - - smtp
anvil      unix  - - y - 1 anvil
postlog    unix-dgram n - n - 1 postlogd
"""


def row_of(client: Credential = ALICE) -> str:
    """Return the row of a client as a table has it."""
    return f"{client.fingerprint_sha256} client\n"


@dataclass(frozen=True, kw_only=True)
class AuditedHost:
    """A host; with no argument one of which nothing is to be said.

    `main_cf`: what differs from MAIN_CF, None leaves a parameter out; `more`: lines behind that; `master_cf`: lines
    behind MASTER_CF. `answers`: those that differ, else tables open and do not know the key, and all else is yes.
    """

    main_cf: Mapping[str, str | None] = field(default_factory=dict)
    more: str = ""
    master_cf: str = ""
    base: str = MASTER_CF
    files: Mapping[str, PublicFile | str] = field(default_factory=dict)
    tables: Mapping[str, SeenTable] = field(default_factory=dict)
    answers: Mapping[tuple[Asked, str], Answer] = field(default_factory=dict)
    known: HostRecord = field(default_factory=lambda: HostRecord(directory=ROOT, root=ROOT))

    @property
    def record(self) -> HostRecord:
        """The facts that are there before anything is asked."""
        parameters = {name: value for name, value in {**MAIN_CF, **self.main_cf}.items() if value is not None}
        main_cf = "".join(f"{name} = {value}\n" for name, value in parameters.items()) + self.more
        master_cf = self.base + self.master_cf
        configuration = configuration_of_files(main_cf, master_cf, ROOT)
        return replace(self.known, main_cf=main_cf, master_cf=master_cf, configuration=configuration)

    def findings(self, now: datetime | None = None) -> tuple[Finding, ...]:
        """Return what is found once all is asked."""
        return self._settled(now)[1].findings

    def settled(self, now: datetime | None = None) -> HostRecord:
        """Return the facts once all is asked."""
        return self._settled(now)[0]

    def _settled(self, now: datetime | None) -> tuple[HostRecord, Audit]:
        record, audit = settled(self.record, now or datetime.now(UTC), self._with)
        assert not audit.wanted, "the audit never has enough"
        return record, audit

    def _with(self, record: HostRecord, wanted: Wanted) -> HostRecord:
        return replace(
            record,
            files={**record.files, **{path: self._file(path) for path in wanted.files}},
            tables={**record.tables, **{name: self._table(name) for name in wanted.tables}},
            answers={**record.answers, **{each: self._answer(each) for each in wanted.questions}},
        )

    def _file(self, path: str) -> PublicFile:
        known: Mapping[str, PublicFile | str] = {CHAIN: SERVER.chain_pem, **self.files}
        found = known.get(path, PublicFile(path, is_hidden=True))
        return public_file(path, found) if isinstance(found, str) else found

    def _table(self, name: str) -> SeenTable:
        usual = SeenTable(source=row_of(), has_source=True)
        return self.tables.get(name, usual if name == CLIENTS else SeenTable())

    def _answer(self, question: Question) -> Answer:
        usual = Answer.NO if question.asked is Asked.LOOKUP else Answer.YES
        return self.answers.get((question.asked, question.where), usual)
