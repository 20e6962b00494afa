"""Every reader of what others write, as a function of bytes that may only raise an error of this project."""

import base64
import io
import json
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import grpc
from cryptography.exceptions import UnsupportedAlgorithm
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from pki.authority_answer import AskedFor, IssuerName, issuer_name, problems_of_answer, problems_of_roots
from pki.constraints import limits_of_certificate
from pki.fields import DeclaredCertificate
from pki.fingerprint import certificate_fingerprint_sha256
from pki.keys import algorithm_of, generate_private_key, load_private_key
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject
from pki.request import load_request, problems_of_requested_names
from pki.roster.reading import parse_csv, parse_yaml
from pki.third_party_answer import pem_of_binary, read_answer
from pki.verification import (
    load_certificate,
    load_chain,
    order_chain,
    problems_of_ca_file,
    problems_of_imported_chain,
)
from postfix.audit.judgement import audited
from postfix.audit.own_reading import configuration_of_files
from postfix.audit.record import HostRecord
from postfix.foreign_clients import foreign_client
from postfix.main_cf import merge, read_parameters
from postfix.master_cf import Service, merge_services, read_service_keys
from postfix.on_host import CertificateOnHost, Source, faults_at, sentences_of
from postfix.public_file import public_file
from postfix.sighting import sight
from postfix.tables import parse_source, problems_of_rows
from postseal.ledger.documents import render_csv, render_json, render_text
from postseal.ledger.life import explained
from postseal.ledger.reading import read_holders, read_ledger
from postseal.provider import REGISTRY
from postseal.report.engine import _parse
from postseal.report.inventory import build_inventory
from postseal.report.logged import with_last_seen
from postseal.report.model import Inventory
from postseal.review.declared import sections_of
from postseal.review.stack_yaml import read_stack_text
from postseal.seen import documents as seen_documents
from postseal.seen.instants import LogClock
from postseal.seen.known import Registry
from postseal.seen.model import Seen
from postseal.seen.reading import read_seen
from postseal.seen.sources import bounded_lines
from postseal.seen.tally import Tally
from postseal.stack.config import load_stack
from postseal.stack.parsing import parse_value
from postseal.stack.screening import FileText, declared_files
from postseal_core.errors import PostsealError, Problem, refuse
from postseal_core.packing import unpack_lines
from postseal_core.plugin.waiting import WaitingServicer
from tests.fuzz.known_keys import known_keys

__all__ = ["CORPORA", "READERS", "Finding", "Reader", "corpus_of", "judge", "store"]

CORPORA: Final = Path(__file__).parents[1] / "corpora"
_NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
MASTER_CF: Final = "smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n"
_LONGEST_MESSAGE: Final = 400_000
_SHORTEST_SECRET_LINE: Final = 48
_SLOWEST_SECONDS: Final = 10.0
_KEY: Final = generate_private_key(KeyAlgorithm.ED25519).public_key()


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader; `quotes_nothing`: what it reads may be a file that nobody meant, or a key."""

    read: Callable[[bytes], object]
    quotes_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with how a reader took an input."""

    reason: str


def corpus_of(name: str) -> list[bytes]:
    """Return the stored inputs of a reader: what it is made for, and everything that it once stumbled over."""
    stored = [path.read_bytes() for path in sorted((CORPORA / name).iterdir())]
    keys = known_keys() if name in ("private_key", "host_pem") else []
    return [*stored, *keys, *([key + each for key in keys for each in stored] if name == "host_pem" else [])]


def store(name: str, data: bytes) -> Path:
    """Keep an input that a reader stumbled over; the quick tests read it from then on."""
    path = CORPORA / name / f"found-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def judge(name: str, data: bytes) -> Finding | None:
    """Hand an input to a reader; return what is wrong: a foreign exception, slowness, a message that says too much."""
    reader, start = READERS[name], time.process_time()  # other processes may be busy
    message = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cryptography warns of certificates that are odd, and reads them
            reader.read(data)
    except PostsealError as error:
        message = str(error)
    except BaseException as error:  # libraries panic with exceptions of their own
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return Finding(f"{type(error).__name__}: {str(error)[:200]}")
    if time.process_time() - start > _SLOWEST_SECONDS:
        return Finding(f"took longer than {_SLOWEST_SECONDS:g} seconds")
    return _fault_of_message(message, data.decode("utf-8", "replace"), quotes_nothing=reader.quotes_nothing)


def _fault_of_message(message: str, text: str, *, quotes_nothing: bool) -> Finding | None:
    if len(message) > _LONGEST_MESSAGE:
        return Finding(f"a message of {len(message)} characters")
    lines = [line for line in text.splitlines() if len(line) >= _SHORTEST_SECRET_LINE]
    if quotes_nothing and any(line in message for line in lines):
        return Finding("a message that quotes a whole line")
    return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass" if b"\xed\xa0" in data else "replace")


def _safe_text(data: bytes) -> str:
    try:
        return _text(data)
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def audit_record(main_cf: str, master_cf: str) -> HostRecord:
    """Return what an audit without postconf(1) knows of two files."""
    configuration = configuration_of_files(main_cf, master_cf, "/etc/postfix")
    return HostRecord(
        directory="/x", root="/etc/postfix", main_cf=main_cf, master_cf=master_cf, configuration=configuration
    )


def _read_main_cf(data: bytes) -> None:
    text = _safe_text(data)
    audited(audit_record(text, MASTER_CF), _NOW)
    read_parameters(text)
    merge(text, {"smtpd_tls_security_level": "may"}, ["relayhost"])


def _read_master_cf(data: bytes) -> None:
    text = _safe_text(data)
    audited(audit_record("myhostname = mx1.example.org\n", text), _NOW)
    read_service_keys(text)
    merge_services(text, [Service("submission", "inet", "smtpd")])
    merge_services(text, [])


def _read_table(data: bytes) -> None:
    problems_of_rows(parse_source(_safe_text(data)))


def _read_stack_file(data: bytes) -> None:
    """Read the configuration as the engine hands it over: one JSON text for each section."""
    sections = parse_value(_safe_text(data))
    raw = sections if isinstance(sections, dict) else {"clients": sections, "out": sections}
    file = FileText(_safe_text(data))
    load_stack(raw, ["ca-key"], stack_name="dev", files=dict.fromkeys(declared_files(raw), file))


def _read_stack_yaml(data: bytes) -> None:
    text = read_stack_text(_safe_text(data), "stack file")
    sections_of(text, "mail-pki")


def _read_chain(data: bytes) -> None:
    text = _safe_text(data)
    for problem in problems_of_ca_file(text, now=_NOW):
        str(problem)
    chain = order_chain(load_chain(text, what="chain"))
    problems_of_imported_chain(chain, public_key=_KEY, dns_names=["mx1.example.org"], now=_NOW, roots=chain[-1:])


def _read_host_pem(data: bytes) -> None:
    declared, file = (
        CertificateOnHost(public_names=("mx1.example.org",)),
        public_file("a", data.decode("ascii", "replace")),
    )
    for source in (Source(("a",)), Source(("a", "a"), is_pair=True)):
        sighting = sight(declared, [source], {"a": file})
        told = [*faults_at(sighting, _NOW), *sentences_of(sighting)]
        refuse(Problem("certificate", line) for line in told)


def _read_adopted_certificate(data: bytes) -> None:
    text = _safe_text(data)
    foreign_client("partner", text)
    certificate = load_certificate(text, what="certificate")
    limits_of_certificate(certificate)
    certificate_fingerprint_sha256(certificate)
    raw: dict[str, Any] = {
        "authority": {
            "common_name": "Example",
            "adopt": {"certificate_pem": text, "private_key_secret": "ca-key"},
            "path_length": 0,
        },
        "clients": {"alice": {"email": "alice@example.org"}},
        "ca-key": "a secret of some length",
    }
    load_stack(raw, ["ca-key"], stack_name="dev")


def _read_request(data: bytes) -> None:
    request = load_request(_safe_text(data), what="request")
    for problem in problems_of_requested_names(request, DeclaredCertificate(email="alice@example.org")):
        str(problem)


def _read_third_party_answer(data: bytes) -> None:
    chain = read_answer(pem_of_binary(data) or _safe_text(data), what="answer")
    declared = CertificateDeclaration(Profile.INTERMEDIATE, Subject("Example Issuing CA"), path_length=0)
    key = _KEY
    with suppress(ValueError, UnsupportedAlgorithm):
        key = cast("Any", chain[0].public_key())
        issuer_name(chain[0])
    for problem in (
        *problems_of_roots(chain, _NOW),
        *problems_of_answer(chain, chain[-1:], AskedFor(declared, key, before=IssuerName("", "")), _NOW),
    ):
        str(problem)


def _read_private_key(data: bytes) -> None:
    algorithm_of(load_private_key(_safe_text(data), what="key"))


class _Context:
    """What a call is given by gRPC, as far as the plugin asks it."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        if code is grpc.StatusCode.INTERNAL:
            raise AssertionError(details)
        raise PostsealError(details)

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"


def _say_nothing(urn: str, message: str, *, is_passing: bool = False) -> None:
    del urn, message, is_passing


def _read_wire(data: bytes) -> None:
    """Take the bytes for the type's number, and for properties of an engine or of a broken state."""
    servicer = WaitingServicer(REGISTRY, version="0", report=_say_nothing, clock=lambda: _NOW)
    types = sorted(REGISTRY)
    urn = f"urn:pulumi:dev::p::{types[data[0] % len(types)] if data else types[0]}::x"
    properties = Struct()
    try:
        if data[1:2] == b"{":
            json_format.Parse(data[1:].decode("utf-8", "replace"), properties)
        else:
            properties.ParseFromString(data[1:])
    except (DecodeError, json_format.ParseError, ValueError, RecursionError):
        return  # what gRPC does not let through either
    context = cast("grpc.ServicerContext", _Context())
    calls: list[Callable[[], object]] = [
        lambda: servicer.Check(pb.CheckRequest(urn=urn, news=properties), context),
        lambda: servicer.Check(pb.CheckRequest(urn=urn, olds=properties, news=properties), context),
        lambda: servicer.Diff(
            pb.DiffRequest(urn=urn, olds=properties, old_inputs=properties, news=properties), context
        ),
        lambda: servicer.Create(pb.CreateRequest(urn=urn, properties=properties, preview=True), context),
        lambda: servicer.Read(pb.ReadRequest(urn=urn, inputs=properties, properties=properties), context),
        lambda: servicer.CheckConfig(pb.CheckRequest(urn=urn, news=properties), context),
        lambda: servicer.Configure(pb.ConfigureRequest(args=properties), context),
    ]
    for call in calls:
        try:
            call()
        except PostsealError as error:
            if len(str(error)) > _LONGEST_MESSAGE:
                raise AssertionError("a long message") from error


def _read_export(data: bytes) -> None:
    build_inventory(_parse(data, "EXPORT.json"), _NOW)


def _read_ledger(data: bytes) -> None:
    export = _parse(data, "STATE.json")
    explained(read_holders(export), read_ledger(export, _NOW), "alice")
    at = _NOW + timedelta(days=60)
    for render in (render_text, render_json, render_csv):
        render(read_ledger(export, _NOW, at))


def _read_packed(data: bytes) -> None:
    unpack_lines(_safe_text(data))
    unpack_lines(base64.b64encode(data).decode())


def _as_text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(_safe_text(data))


def _read_mail_log(data: bytes) -> None:
    """Count what a log says, and show it."""
    clock = LogClock(_NOW, lambda naive: naive.replace(tzinfo=UTC))
    tally = Tally(Registry({}, {}, {}), clock, has_addresses=True)
    tally.read(bounded_lines(io.BytesIO(data)))
    hosts = tally.hosts({})
    clients = tally.clients(hosts, {})
    seen = Seen(project="x", stack="x", now=_NOW, zone="", clients=clients, hosts=hosts, unlisted=tally.unlisted())
    for text in (seen_documents.render_text(seen), seen_documents.render_csv(seen)):
        assert all(line.rstrip("\r").isprintable() for line in text.split("\n"))
    assert read_seen(json.loads(seen_documents.render_json(seen)), "seen") == seen


def _read_seen(data: bytes) -> None:
    """Read what `postseal seen` has written, and show it in a report."""
    seen = read_seen(_parse(data, "seen.json"), "seen.json")
    inventory = Inventory(seen.project, seen.stack, _NOW, 30, ())
    with_last_seen(inventory, seen)
    seen_documents.render_text(seen)


READERS: Final[Mapping[str, Reader]] = {
    "main_cf": Reader(_read_main_cf),
    "master_cf": Reader(_read_master_cf),
    "host_pem": Reader(_read_host_pem, quotes_nothing=True),
    "table": Reader(_read_table),
    "roster_csv": Reader(_as_text(parse_csv), quotes_nothing=True),
    "roster_yaml": Reader(_as_text(parse_yaml), quotes_nothing=True),
    "stack_yaml": Reader(_read_stack_yaml, quotes_nothing=True),
    "stack_file": Reader(_read_stack_file),
    "chain": Reader(_read_chain, quotes_nothing=True),
    "adopted_certificate": Reader(_read_adopted_certificate),
    "certificate_request": Reader(_read_request, quotes_nothing=True),
    "third_party_answer": Reader(_read_third_party_answer, quotes_nothing=True),
    "private_key": Reader(_read_private_key, quotes_nothing=True),
    "wire": Reader(_read_wire),
    "export": Reader(_read_export),
    "ledger": Reader(_read_ledger),
    "mail_log": Reader(_read_mail_log),
    "seen": Reader(_read_seen),
    "packed": Reader(_read_packed),
}
