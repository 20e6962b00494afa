"""What the last run that changed a host proved: what was asked, when, and what was said; no key, no PEM."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from postfix.deploy.program_result import Evidence

__all__ = [
    "HostEvidence",
    "ServerEvidence",
    "StraightEvidence",
    "TableEvidence",
    "TrialAnswer",
    "evidence_of",
    "sentences_of_proof",
    "summary_of_evidence",
]

_SERVED: Final = "tls "


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvidence:
    """What a stranger on the host saw of one SMTP server after the reload.

    `address`: address and port. `fingerprint_sha256`: of the certificate that was served; empty where `seen` says why
    none was (`plain`: no TLS is offered, `broken`: it is offered and fails, `dead`: no greeting), else `seen` is `tls`.
    `manner`: protocol, cipher and group of that session, in OpenSSL's words. `reply`: to a recipient elsewhere; from
    the host itself, which is often in mynetworks, a 250 proves nothing. `demands_tls`: whether mail without TLS was
    refused; None where it is not demanded or nobody could tell. `names`: names of the server by which it was asked for
    as well, with one of the declared certificates as the answer.
    """

    address: str
    seen: str
    fingerprint_sha256: str = ""
    manner: str = ""
    reply: str = ""
    demands_tls: bool | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswer:
    """What one kind of client was told by a server of the new configuration, run beside before anything was changed.

    `client`: listed, unlisted (both with a certificate), none (TLS without one), plain (no TLS), or `not tried` with
    the reason as the `reply`. By IPv4, then by IPv6 where the host has it, separated by ` | `.
    """

    server: str
    client: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEvidence:
    """How many declared rows were found in a table in force, and how many withdrawn ones were looked for and gone."""

    table: str
    found: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightEvidence:
    """What whoever deployed saw of one server from where it runs, without any key: no word of listed clients.

    `fingerprint_sha256`: of the certificate that was served; empty without TLS. `reply`: to a recipient elsewhere.
    """

    address: str
    fingerprint_sha256: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEvidence:
    """The proof of one deployment.

    `proven_at`: by the clock of who deployed; `host_clock`: by that of the host. `trial`: whether the new
    configuration was run beside first (`tried`, `not needed: ...`, `not tried: ...`), and `answers` what it said.
    `servers`: of the running Postfix; none where it did not run. `sessions_cut`, `sessions_open`: sessions with rows
    from before that were ended, or go on. `outside`: what whoever deployed saw from where it runs; none where it
    reached no port.
    """

    proven_at: datetime
    host_clock: str = ""
    trial: str = ""
    answers: tuple[TrialAnswer, ...] = ()
    servers: tuple[ServerEvidence, ...] = ()
    tables: tuple[TableEvidence, ...] = ()
    sessions_cut: int = 0
    sessions_open: int = 0
    outside: tuple[StraightEvidence, ...] = ()


def evidence_of(told: Iterable[Evidence], outside: tuple[StraightEvidence, ...], proven_at: datetime) -> HostEvidence:
    """Return the record of what the program on the host told; what it does not know is left out."""
    records = [(each.kind, *each.fields) for each in told]
    cut, left = next(((int(row[1]), int(row[2])) for row in records if row[0] == "sessions"), (0, 0))
    return HostEvidence(
        proven_at=proven_at,
        host_clock=next((row[1] for row in records if row[0] == "time"), ""),
        trial=next((_trial(*row[1:]) for row in records if row[0] == "trial"), ""),
        answers=tuple(TrialAnswer(server=row[1], client=row[2], reply=row[3]) for row in records if row[0] == "answer"),
        servers=tuple(_server(row, records) for row in records if row[0] == "server"),
        tables=tuple(_tables(records)),
        sessions_cut=cut,
        sessions_open=left,
        outside=outside,
    )


def _trial(word: str, detail: str) -> str:
    return word if word == "tried" else f"{word}: {detail}"


def _server(row: tuple[str, ...], records: list[tuple[str, ...]]) -> ServerEvidence:
    _, address, _, seen, reply, *manner = row
    is_served = seen.startswith(_SERVED)
    plain = next((each[2] for each in records if each[:2] == ("plain", address)), "-")
    return ServerEvidence(
        address=address,
        seen="tls" if is_served else seen,
        fingerprint_sha256=seen.removeprefix(_SERVED) if is_served else "",
        manner=manner[0] if manner and manner[0] != "-" else "",
        reply="" if reply == "none" else reply,
        demands_tls=True if plain == "yes" else None,
        names=tuple(each[2] for each in records if each[:2] == ("name", address)),
    )


def _tables(records: list[tuple[str, ...]]) -> Iterator[TableEvidence]:
    rows = [row for row in records if row[0] == "table"]
    for table in dict.fromkeys(row[1] for row in rows):
        counts = {row[2]: int(row[3]) for row in rows if row[1] == table}
        yield TableEvidence(table=table, found=counts.get("found", 0), gone=counts.get("absent", 0))


def sentences_of_proof(evidence: HostEvidence) -> Iterator[str]:
    """Yield what was proven, a line for each server and table, as a report shows it."""
    for server in evidence.servers:
        parts = [f"served {server.fingerprint_sha256}" if server.fingerprint_sha256 else f"TLS: {server.seen}"]
        parts += [f"with {server.manner}"] if server.manner else []
        parts += [f"also as {', '.join(server.names)}"] if server.names else []
        parts += ["refused mail without TLS"] if server.demands_tls else []
        yield f"{server.address} {', '.join(parts)}"
    for table in evidence.tables:
        gone = f", {table.gone:,} withdrawn ones are not" if table.gone else ""
        yield f"{table.table}: {table.found:,} declared rows are found{gone}"
    yield f"trial run beforehand: {evidence.trial or 'not tried'}"
    for answer in evidence.answers:
        told = f"told {_CLIENTS[answer.client]}" if answer.client in _CLIENTS else "was not asked"
        yield f"in the trial run {answer.server} {told}: {answer.reply}"
    if evidence.sessions_open:
        yield f"{evidence.sessions_open} sessions with rows from before went on"
    for seen in evidence.outside:
        served = f"served {seen.fingerprint_sha256}" if seen.fingerprint_sha256 else "served no TLS"
        yield f"from where it was deployed {seen.address} {served}, and said to a stranger: {seen.reply}"
    if not evidence.outside:
        yield "not probed from outside"


_CLIENTS: Final = {
    "listed": "a listed client",
    "unlisted": "a client that is not listed",
    "none": "a client without certificate",
    "plain": "a client without TLS",
}


def summary_of_evidence(evidence: HostEvidence) -> str:
    """Return one line that says how much was proven."""
    count = sum(1 for each in evidence.servers if each.fingerprint_sha256)
    servers = f"{count} of {len(evidence.servers)} servers served TLS" if evidence.servers else "no Postfix ran"
    return f"{servers}; trial run beforehand: {evidence.trial or 'not tried'}"
