"""Find values of a host with which a program of Postfix ends, refuses mail, has no TLS, or that are ignored.

postconf(1) and postfix-check(1) say nothing about most of them, and a reload says that it went well.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from typing import Final

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.expansion import Values
from postfix.effective.handshakes import questions_of_tls, tls_faults
from postfix.effective.host_lists import OWN_ACCESS, named_table, restriction_named
from postfix.effective.listeners import Listener, listeners_of, values_of_service
from postfix.effective.login import has_no_mechanism
from postfix.effective.starting import will_not_start
from postfix.effective.visitors import AUTHORITIES, CHAIN, NOBODY, Answer, Answers, Asked, Question
from postfix.list_items import split_list
from postfix.parameter_readers import EVERY_PROGRAM, fault_of_value, known_readers, names_read_by
from postfix.parameters import PostfixVersion, known_parameters

__all__ = ["Fault", "Harm", "HostFacts", "faults_of"]

_MAIN_CF: Final = "main.cf"
_SMTPD: Final = "smtpd"
_WORDS: Final = frozenset({"all", "loopback-only"})
_TABLES: Final = frozenset(
    {"map", "map-list", "address-map-list", "milter-map-list", "transport-map-list", "content-map-list"}
    | {"sent-content-map-list", "next-hop-map-list"}
)
_PROXY: Final = "proxy:"
_OTHER_LISTS: Final = ("smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions")
_CACHES: Final = frozenset({"address_verify_map", "alias_database"})


class Harm(StrEnum):
    """What comes of a fault."""

    ENDS = "ends"
    REFUSES = "refuses mail for now"
    NO_TLS = "has no TLS"
    IGNORED = "does without it"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; `place`: main.cf, or the service of master.cf that says it for itself, as `smtp/inet`.

    `program`: who is harmed, by the last part of its path; EVERY_PROGRAM for all. `message`: a lower-case sentence.
    """

    harm: Harm
    program: str
    place: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What is known of a host beside its files.

    `addresses`: all of its interfaces; None where nobody can tell. `table_bytes`: the size that the index of a table
    will have which postmap(1) makes with this configuration, by `type:name`; one that is there already is looked into.
    `version`: of its Postfix; None where it is not known.
    """

    addresses: frozenset[str] | None = None
    table_bytes: Mapping[str, int] = field(default_factory=dict)
    version: PostfixVersion | None = None


_NO_FACTS: Final = HostFacts()


def faults_of(
    configuration: HostConfiguration, answers: Mapping[Question, Answer], facts: HostFacts = _NO_FACTS
) -> tuple[tuple[Fault, ...], frozenset[Question]]:
    """Return the faults of a host, and the questions whose answers would tell more.

    A fault is one that is certain: what is not known is none. Of a host of which nothing is known there is none; look
    at `HostConfiguration.cannot_tell` first. Not looked into: programs of others, and what cleanup(8) and the delivery
    agents do with tables that they ask only for some mail.
    """
    known = Answers(answers, configuration.map_types, configuration.parameters.get("mail_owner", "postfix"))
    return tuple(sorted({*_Soundness(configuration, known, facts).faults()})), frozenset(known.missing)


@dataclass(frozen=True, slots=True)
class _Soundness:
    configuration: HostConfiguration
    answers: Answers
    facts: HostFacts

    def faults(self) -> Iterator[Fault]:
        if self.configuration.cannot_tell:
            return
        main = values_of_service(self.configuration, "")
        yield from self._of_main_cf(main)
        for service in self.configuration.services:
            if service.is_readable:
                yield from self._of_service(service)
        for listener in listeners_of(self.configuration):
            if not listener.cannot_tell:
                yield from self._of_listener(listener)

    def _of_main_cf(self, main: Values) -> Iterator[Fault]:
        """Name what ends all programs, and master(8) first."""
        everybody = partial(Fault, Harm.ENDS, EVERY_PROGRAM, _MAIN_CF)
        for name in sorted(self.configuration.written):
            if fault := fault_of_value(EVERY_PROGRAM, name, main[name]):
                yield everybody(fault)
            parameter = known_parameters().get(name)
            if parameter and self.facts.version and not parameter.is_known_to(self.facts.version):
                message = f"{name} is not known to Postfix {self.facts.version}"
                yield Fault(Harm.IGNORED, EVERY_PROGRAM, _MAIN_CF, message)
        queue = main["queue_directory"]
        if queue and self.answers.to(Question(Asked.READABLE, queue, "root")) is Answer.BROKEN:
            yield everybody(f"queue_directory: {queue} is not there")
        if self.facts.addresses is not None:
            for word in split_list(main["inet_interfaces"]):
                if _is_address(word) and _bare(word) not in self.facts.addresses:
                    yield everybody(f"inet_interfaces: {word} is no address of this host")
        yield from self._of_sizes(main)

    def _of_sizes(self, main: Values) -> Iterator[Fault]:
        limit = main["lmdb_map_size"]
        for table, size in self.facts.table_bytes.items():
            if table.startswith("lmdb:") and limit.isdecimal() and size > int(limit):
                message = f"lmdb_map_size = {limit}: {table} will have {size} bytes, and lose keys without a word"
                yield Fault(Harm.REFUSES, EVERY_PROGRAM, _MAIN_CF, message)

    def _of_service(self, service: MasterService) -> Iterator[Fault]:
        values = values_of_service(self.configuration, service.name, service)
        path = f"{values['daemon_directory']}/{service.command}"
        if self.answers.to(Question(Asked.READABLE, path, "root")) is Answer.BROKEN:
            yield Fault(Harm.ENDS, service.command, service.key, f"there is no {path}")
            return
        for name in sorted(
            (self.configuration.written.keys() | service.options.keys()) & names_read_by(service.command)
        ):
            place = service.key if name in service.options else _MAIN_CF
            is_of_all = place == _MAIN_CF and EVERY_PROGRAM in known_readers()[name].programs
            if not is_of_all and (fault := fault_of_value(service.command, name, values[name])):
                yield Fault(Harm.ENDS, service.command, place, fault)
            # What proxymap(8) is allowed to open it opens when another program asks, which is told of that one.
            if _names_tables(name) and service.command != "proxymap":
                for harm, message in self._of_tables(name, values):
                    # What ends smtpd(8) is told of each listener.
                    if harm is not Harm.ENDS or service.command != _SMTPD:
                        yield Fault(harm, service.command, place, message)

    def _of_tables(self, name: str, values: Values) -> Iterator[tuple[Harm, str]]:
        allowed = split_list(values_of_service(self.configuration, "proxymap")["proxy_read_maps"])
        for word in split_list(values[name]):
            kind, separator, _ = word.partition(":")
            if word.startswith(_PROXY) and word not in allowed:
                yield Harm.ENDS, f"{name}: {word} is not in proxy_read_maps"
            elif not separator:
                yield Harm.ENDS, f"{name}: {word} has no type in front, as hash:{word}"
            elif self.configuration.map_types and kind not in self.configuration.map_types:
                yield Harm.REFUSES, f"{name}: {word} is of a type that this Postfix lacks"
            elif self.answers.lookup(word, NOBODY) is Answer.BROKEN:
                yield Harm.REFUSES, f"{name}: {word} cannot be opened"

    def _of_listener(self, listener: Listener) -> Iterator[Fault]:
        of = partial(Fault, program=_SMTPD, place=listener.name)
        for message in will_not_start(listener, values_of_service(self.configuration, "proxymap")):
            if message not in listener.start_faults:
                yield of(harm=Harm.ENDS, message=message)
        if has_no_mechanism(listener, self.answers) is Answer.YES:
            message = f"smtpd_sasl_path: nobody offers a way to log in at {listener.values['smtpd_sasl_path']}"
            yield of(harm=Harm.ENDS, message=message)
        for message in self._of_lists(listener):
            yield of(harm=Harm.REFUSES, message=message)
        if listener.declared_tls:
            yield from self._of_tls(listener, of)

    def _of_tls(self, listener: Listener, of: Callable[..., Fault]) -> Iterator[Fault]:
        for message in tls_faults(listener):
            yield of(harm=Harm.NO_TLS, message=message)
        for question in questions_of_tls(listener):
            if self.answers.to(question) in (Answer.NO, Answer.BROKEN):
                yield of(harm=Harm.NO_TLS, message=_words_of(question))
        if (directory := listener.values["smtpd_tls_CApath"]) and listener.service.is_chrooted:
            inside = f"{listener.values['queue_directory']}{directory}"
            owner = self.configuration.parameters.get("mail_owner", "postfix")
            if self.answers.to(Question(Asked.READABLE, inside, owner)) in (Answer.NO, Answer.BROKEN):
                yield of(harm=Harm.IGNORED, message=f"smtpd_tls_CApath: {inside} is read from the jail, and cannot be")

    def _of_lists(self, listener: Listener) -> Iterator[str]:
        classes = split_list(listener.values["smtpd_restriction_classes"])
        for name in (*OWN_ACCESS, *_OTHER_LISTS, *classes):
            words = iter(split_list(listener.values[name]))
            for word in words:
                restriction = restriction_named(word.lower())
                if ":" in word or word.startswith("{"):
                    yield from self._of_table(name, word)
                elif restriction is None and word not in classes:
                    yield f"{name}: {word} is no restriction, and no class in smtpd_restriction_classes"
                elif restriction and restriction.argument.name != "NONE":
                    argument = next(words, "")
                    if restriction.argument.name == "TABLE":
                        yield from self._of_table(name, named_table(argument))

    def _of_table(self, name: str, table: str) -> Iterator[str]:
        if self.answers.lookup(table, NOBODY) is Answer.BROKEN:
            yield f"{name}: {table or 'a table that is not named'} cannot be opened"


def _names_tables(name: str) -> bool:
    """Return whether a parameter names tables that have to be there; caches are made when they are needed."""
    parameter = known_parameters().get(name)
    is_cache = name in _CACHES or name.endswith(("_cache_map", "_cache_database", "_cache_name"))
    return parameter is not None and parameter.kind in _TABLES and not is_cache


def _words_of(question: Question) -> str:
    told = {
        CHAIN: "is no private key with its certificate behind it, or cannot be read",
        AUTHORITIES: "has no certificate, or cannot be read",
    }
    if question.asked is Asked.CIPHERS:
        return f"{question.where}: no cipher of this OpenSSL"
    if question.asked is Asked.READABLE:
        return f"{question.where} cannot be read"
    beside = f" with the key in {question.beside}" if question.beside else ""
    return f"{question.where}{beside} {told.get(question.key, 'does not load')}"


def _bare(address: str) -> str:
    return address.removeprefix("[").removesuffix("]")


def _is_address(word: str) -> bool:
    if word.lower() in _WORDS:
        return False
    try:
        ip_address(_bare(word))
    except ValueError:
        return False
    return True
