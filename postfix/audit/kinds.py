"""Everything that an audit may find: how bad each is, why it matters, and where that is written.

Words are here, the rest is in `kinds.tsv`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

__all__ = ["Kind", "Severity"]


class Severity(StrEnum):
    """How bad a finding is, worst first.

    Attributes:
        ERROR: Broken now, or open to whom it must not be.
        WARNING: It will break, or protects less than it seems to.
        CANNOT_TELL: Something that matters could not be seen; it is not taken for well.
        NOTE: Worth knowing, and nothing has to be done.
    """

    ERROR = "error"
    WARNING = "warning"
    CANNOT_TELL = "cannot tell"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Its place in the order, the worst being 0."""
        return [*Severity].index(self)


class Kind(StrEnum):
    """One kind of finding, by its word."""

    OPEN_RELAY = "open-relay"
    ANY_CERTIFICATE = "any-certificate"
    WHOLE_AUTHORITY = "whole-authority"
    WIDE_NETWORKS = "wide-networks"
    UNREADABLE_NETWORK = "unreadable-network"
    WHOLE_CLASS = "whole-class"
    LISTED_REFUSED = "listed-refused"
    LISTED_REFUSED_HERE = "listed-refused-here"
    OVERRIDDEN = "overridden"
    ROWS_UNUSED = "rows-unused"
    NO_ROWS = "no-rows"
    RELAY_UNKNOWN = "relay-unknown"
    WEAK_DIGEST = "weak-digest"
    ROWS_NEVER_MATCH = "rows-never-match"
    SOME_ROWS_NEVER_MATCH = "some-rows-never-match"
    EXPIRED_ROW = "expired-row"
    EXPIRED = "certificate-expired"
    NOT_YET_VALID = "certificate-not-yet-valid"
    EXPIRES_SOON = "certificate-expires-soon"
    CHAIN_ODD = "chain-incomplete"
    OTHER_NAMES = "other-names"
    NOT_FOR_CLIENTS = "not-for-clients"
    CLIENT_EXPIRED = "client-certificate-expired"
    OPEN_KEY = "open-key"
    FILES_UNSEEN = "files-unseen"
    NO_TLS = "no-tls"
    TLS_OFF = "tls-off"
    REQUIRED_IN_VAIN = "required-in-vain"
    REQUIRED_UNTRUSTED = "required-untrusted"
    ASKED_IN_VAIN = "asked-in-vain"
    LEVEL_OF_CLIENTS = "level-of-clients"
    OTHER_CHAIN_COUNTS = "other-chain-counts"
    LOGIN_IN_CLEAR = "login-in-clear"
    WRAPPED_MX = "wrapped-mx"
    NOT_WRAPPED = "not-wrapped"
    OLD_PROTOCOLS = "old-protocols"
    MX_REQUIRES_TLS = "mx-requires-tls"
    UNUSABLE = "unusable"
    DEAD = "dead"
    REFUSES = "refuses-mail"
    INDEX_OLD = "index-old"
    LEAVING_TYPE = "leaving-type"
    BERKELEY = "berkeley-db"
    OTHERS_WRITE = "others-write"
    OPEN_INDEX = "open-index"
    DEPRECATED = "deprecated"
    SUPERSEDED = "superseded"
    RENAMED = "renamed"
    UNDEFINED = "undefined"
    IGNORED = "ignored"
    OVERWRITTEN = "overwritten"
    REMARK_IN_VALUE = "remark-in-value"
    OLD_DEFAULTS = "old-defaults"
    SENT_IN_CLEAR = "sent-in-clear"
    LOGIN_SENT_IN_CLEAR = "relay-login-in-clear"
    NEVER_VERIFIES = "never-verifies"
    DANE_WITHOUT_DNSSEC = "dane-without-dnssec"
    NOT_SEEN = "not-seen"
    UNREADABLE_OPTIONS = "unreadable-options"
    PERHAPS_A_COPY = "perhaps-a-copy"

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return Severity(_table()[self][0])

    @property
    def why(self) -> str:
        """Why it matters: a sentence in lower case."""
        return _table()[self][1]

    @property
    def source(self) -> str:
        """Where that is written."""
        return _table()[self][2]


@cache
def _table() -> Mapping[str, list[str]]:
    text = files("postfix.audit").joinpath("kinds.tsv").read_text(encoding="utf-8")
    _header, *rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {word: rest for word, *rest in rows}
