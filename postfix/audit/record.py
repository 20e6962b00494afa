"""The facts that an audit judges, as plain values: nothing in them is a private key.

Whoever can read a host can make one, here or from afar. What is missing is asked for by `Wanted`, and added; an audit
of a record that lacks something says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postfix.effective.captures import Captures, HostConfiguration
from postfix.effective.visitors import Answer, Question
from postfix.parameters import PostfixVersion
from postfix.public_file import PublicFile

__all__ = ["HostRecord", "SeenTable", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTable:
    """A table in a file as it was seen.

    `source`: its rows as text, empty where `has_source` is false. `source_time` and `index_time`: when each was changed
    last, in seconds since 1970; None where it is absent or says nothing. `is_index_open`: every user of the host may
    read the index. `is_hidden`: whoever looked may not read it.
    """

    source: str = ""
    has_source: bool = False
    source_time: float | None = None
    index_time: float | None = None
    is_index_open: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """What is known of a host.

    Args:
        directory: The directory that was read.
        root: The one that Postfix reads, as /etc/postfix; the same, unless a copy was read.
        captures: What postconf(1) says; None where there is none.
        configuration: What our own reader says instead.
        main_cf: The text of main.cf.
        master_cf: The text of master.cf.
        version: The release of Postfix; None where nobody knows.
        is_root: Whether whoever looked may read all that Postfix reads.
        is_copy: Whether the host itself was not there to be asked.
        addresses: Those of the host; None where nobody knows.
        files: Files with certificates by absolute path, keys as their public halves.
        tables: Tables by `type:/path`.
        answers: What the host answered.
        certificates: Certificates in PEM that lie about in the directory, by path.
        complaints: What is wrong with who may write a file or directory, by absolute path.
        not_seen: What could not be looked at at all, as sentences.
    """

    directory: str
    root: str
    captures: Captures | None = None
    configuration: HostConfiguration = field(default_factory=HostConfiguration)
    main_cf: str = ""
    master_cf: str = ""
    version: PostfixVersion | None = None
    is_root: bool = True
    is_copy: bool = False
    addresses: frozenset[str] | None = None
    files: Mapping[str, PublicFile] = field(default_factory=dict)
    tables: Mapping[str, SeenTable] = field(default_factory=dict)
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    certificates: Mapping[str, str] = field(default_factory=dict)
    complaints: Mapping[str, str] = field(default_factory=dict)
    not_seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What would tell more: files and tables to read, questions to ask; `listing`: those tables that list clients."""

    files: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    listing: frozenset[str] = frozenset()
    questions: frozenset[Question] = frozenset()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.files or self.tables or self.questions)
