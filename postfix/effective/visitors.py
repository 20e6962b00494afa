"""Who may come to a listener, and what has to be asked on its host to know how they are received."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "AUTHORITIES",
    "CHAIN",
    "INDEX_SUFFIXES",
    "NOBODY",
    "PAIR",
    "Answer",
    "Answers",
    "Asked",
    "Kind",
    "Question",
    "Visitor",
]

NOBODY: Final = "nobody.postseal.invalid"
"""A key that no table has: it is looked up only to see whether the table opens."""


class Kind(StrEnum):
    """The clients that are tried, by what they bring."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    FOREIGN = "foreign authority"
    USER = "SASL user"
    NO_CERTIFICATE = "TLS without certificate"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One client that comes from outside and writes to somebody elsewhere; it is well-behaved in all other ways.

    `address`: where it comes from, IPv4 or IPv6. `prints`: the fingerprints of its certificate and of its key by name
    of digest, in the form that stands in tables. `domain`: that it writes to, one that nobody receives for.
    """

    kind: Kind
    address: str
    domain: str
    prints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_certificate(self) -> bool:
        """Whether it shows a certificate when it is asked."""
        return self.kind in (Kind.LISTED, Kind.UNLISTED, Kind.FOREIGN)


class Asked(Enum):
    """What can be asked on a host; `Question` says how."""

    LOOKUP = "postmap -q"
    TRUSTED = "openssl verify"
    LOADS = "certificate and key"
    READABLE = "test -r"
    CIPHERS = "openssl ciphers"
    LOGIN = "login server"


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only question to a host.

    LOOKUP: is `key` in the table of type and name `where`. TRUSTED: is the certificate of the visitor of kind `key`
    trusted by the file or directory `where`, as one of a client.

    LOADS: can root read what `where` names, and what is in it serve. For the key CHAIN: `where` are files, one blank
    between them, which one after the other hold a private key without a passphrase, its certificate, and what issued
    that; perhaps more such chains. For PAIR: `where` is a file with a certificate, `beside` one with its key, perhaps
    the same. For AUTHORITIES: there is a certificate in `where`.

    READABLE: can the account `key` read the file `where`; BROKEN where there is no such file.

    CIPHERS: does OpenSSL find a cipher in the list `where`.

    LOGIN: does the server for passwords of the type `key`, dovecot or cyrus, offer a way to log in. `where` is
    smtpd_sasl_path: for Dovecot a socket, from the queue directory on if it is relative, or `inet:HOST:PORT`; for Cyrus
    the name of its configuration. NO where there is no such socket, or no mechanism of Cyrus SASL is installed.
    """

    asked: Asked
    where: str
    key: str = ""
    beside: str = ""


CHAIN: Final = "chain"
PAIR: Final = "pair"
AUTHORITIES: Final = "authorities"


class Answer(Enum):
    """What the host said; BROKEN: the table or file cannot be opened; UNKNOWN: nobody could ask."""

    YES = "yes"
    NO = "no"
    BROKEN = "broken"
    UNKNOWN = "unknown"


INDEX_SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "btree": ".db",
        "cdb": ".cdb",
        "hash": ".db",
        "lmdb": ".lmdb",
        "cidr": "",
        "pcre": "",
        "regexp": "",
        "texthash": "",
    }
)
"""What stands behind the name of a table in the file that Postfix opens, by type."""
_PROXY: Final = "proxy:"
# Through proxymap(8), keys are sought in lower case and rows are as they stand, so that upper case is never found.
_UNFOLDED: Final = frozenset({"inline", "texthash"})


class Answers:
    """The answers that there are; those that were wanted and are missing are remembered in `missing`.

    `mail_owner`: the account as which proxymap(8) opens tables.
    """

    def __init__(
        self, known: Mapping[Question, Answer], map_types: frozenset[str], mail_owner: str = "postfix"
    ) -> None:
        self._known = known
        self._map_types = map_types
        self._mail_owner = mail_owner
        self.missing: set[Question] = set()

    def to(self, question: Question) -> Answer:
        """Return the answer, UNKNOWN while it is missing; a table of a type that Postfix lacks is never asked."""
        kind = question.where.partition(":")[0]
        if question.asked is Asked.LOOKUP and kind not in self._map_types:
            return Answer.BROKEN
        if question not in self._known:
            self.missing.add(question)
        return self._known.get(question, Answer.UNKNOWN)

    def lookup(self, table: str, key: str) -> Answer:
        """Return whether a table has a key.

        One behind proxymap(8) is asked for itself, since that need not run yet, and its file has to be the account's
        to read.
        """
        if not table.startswith(_PROXY):
            return self.to(Question(Asked.LOOKUP, table, key))
        kind, _, path = table.removeprefix(_PROXY).partition(":")
        found = self.to(Question(Asked.LOOKUP, f"{kind}:{path}", key))
        if kind in _UNFOLDED and found is Answer.YES:
            return Answer.UNKNOWN
        if kind not in INDEX_SUFFIXES or not path.startswith("/"):
            return found
        opens = self.to(Question(Asked.READABLE, f"{path}{INDEX_SUFFIXES[kind]}", self._mail_owner))
        return {Answer.YES: found, Answer.UNKNOWN: Answer.UNKNOWN}.get(opens, Answer.BROKEN)
