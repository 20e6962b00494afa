"""Read the JSON of `pulumi stack export` into the records of its resources, never looking into a secret."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from pki.certificate.records import CertificateInputs, CertificateState
from pki.imported_certificate.records import ImportedCertificateInputs, ImportedCertificateState
from pki.requested_authority.records import RequestedAuthorityInputs, RequestedAuthorityState
from pki.revocation_list.records import RevocationListInputs, RevocationListState
from pki.roster.records import RosterInputs, RosterState
from postfix.host_resource.records import HostInputs, HostState
from postfix.proving import HostEvidence
from postseal.provider import REGISTRY
from postseal_core.errors import ConfigError, PostsealError, Problem, StateError
from postseal_core.records import Plain, decode_stored, secret_names
from postseal_core.values import SIGNATURE_KEY
from postseal_core.waiting import is_awaiting
from postseal_core.wording import shown

__all__ = [
    "StackState",
    "Stored",
    "StoredHost",
    "read_hosts",
    "read_stack",
    "unknown_types",
    "unreadable",
    "written_at",
]

_URN_PARTS: Final = 4
_OURS: Final = "postseal:"
_WORDS: Final = {
    "Certificate": "authority",
    "ClientCertificate": "client",
    "ClientRoster": "roster",
    "MailServer": "host",
    "PostfixHost": "host",
    "RelayClient": "host",
    "ServerCertificate": "server",
}
_HOSTS: Final = ("PostfixHost", "MailServer", "RelayClient")
_HOST_TOKENS: Final = frozenset(f"postseal:index:{each}" for each in _HOSTS)
_NANOSECONDS: Final = re.compile(r"\.\d+")
_GOING: Final = "it is declared no more, or not there; the next `up` removes what is ours"
_REPAIR: Final = "run `pulumi up` with the current plugin to repair the state"

Inputs = TypeVar("Inputs")
State = TypeVar("State")
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Stored(Generic[Inputs, State]):
    """One stored resource: its checked inputs and its state, secrets left out."""

    urn: str
    inputs: Inputs
    state: State
    init_errors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The resource's name in the program, from the URN."""
        return _name_of(self.urn)


StoredHost = Stored[HostInputs, HostState]


@dataclass(frozen=True, slots=True)
class StackState:
    """Everything in a stack that expires, as the engine has stored it.

    `requested`: authorities that others sign. `waiting`: what waits for the certificate of one, as `client alice`.
    `hosts`: those with certificates of their own. `proofs`: what was proven of hosts, of all kinds, by their URNs.
    """

    project: str = ""
    stack: str = ""
    certificates: tuple[Stored[CertificateInputs, CertificateState], ...] = ()
    imported: tuple[Stored[ImportedCertificateInputs, ImportedCertificateState], ...] = ()
    rosters: tuple[Stored[RosterInputs, RosterState], ...] = ()
    revocation_lists: tuple[Stored[RevocationListInputs, RevocationListState], ...] = ()
    hosts: tuple[Stored[HostInputs, HostState], ...] = ()
    requested: tuple[Stored[RequestedAuthorityInputs, RequestedAuthorityState], ...] = ()
    waiting: tuple[str, ...] = ()
    proofs: Mapping[str, HostEvidence] = field(default_factory=dict)


def read_stack(export: object, problems: list[Problem]) -> StackState:
    """Return the expiring resources of an export; unreadable ones are reported, ones marked for deletion left out.

    `problems`: everything that cannot be read is added, with the path of its resource.

    Raises:
        ConfigError: the document is not what `pulumi stack export` writes.
    """
    rows = [row for row in _rows_of(export) if isinstance(row, Mapping) and _is_live(row)]
    problems += unknown_types(export)
    if not rows:
        return StackState()
    made = [row for row in rows if not _is_waiting(row)]
    reader = _Reader(made, problems)
    with_own = _Reader([row for row in made if _has_own_certificate(row)], problems)
    certificates = ("Certificate", "ClientCertificate", "ServerCertificate")
    imported = ("ImportedCertificate", "ThirdPartyClientCertificate")
    stack, project, *_ = str(rows[0]["urn"]).split("::")
    return StackState(
        project=project,
        stack=stack.removeprefix("urn:pulumi:"),
        certificates=tuple(reader.of_types(certificates, CertificateInputs, CertificateState)),
        imported=tuple(reader.of_types(imported, ImportedCertificateInputs, ImportedCertificateState)),
        rosters=tuple(reader.of_types(("ClientRoster",), RosterInputs, RosterState)),
        revocation_lists=tuple(reader.of_types(("RevocationList",), RevocationListInputs, RevocationListState)),
        hosts=tuple(with_own.of_types(_HOSTS, HostInputs, HostState)),
        requested=tuple(reader.of_types(("RequestedAuthority",), RequestedAuthorityInputs, RequestedAuthorityState)),
        waiting=tuple(filter(None, map(_waiting, rows))),
        proofs=dict(_proofs(made, problems)),
    )


def read_hosts(export: object, problems: list[Problem]) -> tuple[StoredHost, ...]:
    """Return every host of an export, as `read_stack` does those with certificates of their own.

    One that is marked for deletion is among them, with a sentence that says so: it lets its clients in until then.

    Raises:
        ConfigError: as of `read_stack`.
    """
    made = [row for row in _rows_of(export) if isinstance(row, Mapping) and _is_ours(row) and not _is_waiting(row)]
    live, going = ([row for row in made if bool(row.get("delete")) is is_going] for is_going in (False, True))
    left = _Reader(going, problems).of_types(_HOSTS, HostInputs, HostState)
    return (
        *_Reader(live, problems).of_types(_HOSTS, HostInputs, HostState),
        *(replace(each, init_errors=(*each.init_errors, _GOING)) for each in left),
    )


def unknown_types(export: object) -> list[Problem]:
    """Return a problem for each resource of ours whose type this version does not know, also one that is going.

    It may let clients in or hold a certificate: whoever leaves it out says that there is none.

    Raises:
        ConfigError: as of `read_stack`.
    """
    rows = [row for row in _rows_of(export) if isinstance(row, Mapping) and _is_ours(row) and row.get("custom", True)]
    return [
        Problem(
            _name_of(str(row["urn"])),
            f"is of the type {shown(str(row.get('type')))}, which this version of postseal does not know, so nobody "
            "can tell what it is or whom it lets in; use the version that last ran `pulumi up`",
        )
        for row in rows
        if str(row.get("type")).startswith(_OURS) and row.get("type") not in REGISTRY
    ]


def written_at(export: object) -> datetime | None:
    """Return when the engine wrote this state last; None where it does not say so."""
    deployment = export.get("deployment") if isinstance(export, Mapping) else None
    manifest = deployment.get("manifest") if isinstance(deployment, Mapping) else None
    said = manifest.get("time") if isinstance(manifest, Mapping) else None
    try:
        # In the engine's manifest seconds have nine digits, and the zone is that of its machine.
        return datetime.fromisoformat(_NANOSECONDS.sub("", str(said))).astimezone(UTC) if said else None
    except ValueError:
        return None


def unreadable(name: str, place: str, error: PostsealError) -> list[Problem]:
    """Return the problems of a stored resource, each with the way to repair it.

    `place`: which property it is, for an error that does not say where.
    """
    if isinstance(error, ConfigError | StateError):
        return [Problem(each.path, f"{each.message}; {_REPAIR}").below(name) for each in error.problems]
    return [Problem(f"{name}.{place}", str(error))]


class _Reader:
    """Turns the rows of an export into records and collects their problems."""

    def __init__(self, rows: Sequence[Plain], problems: list[Problem]) -> None:
        self._rows = rows
        self._problems = problems

    def of_types(
        self, types: Sequence[str], inputs: type[Inputs], state: type[State]
    ) -> Iterator[Stored[Inputs, State]]:
        tokens = {f"postseal:index:{each}" for each in types}
        for row in self._rows:
            if row.get("type") in tokens:
                urn = str(row["urn"])
                decided, exists = self._record(inputs, row, "inputs"), self._record(state, row, "outputs")
                if decided is not None and exists is not None:
                    yield Stored(urn, decided, exists, _texts(row.get("initErrors")))

    def _record(self, kind: type[Kind], row: Plain, place: str) -> Kind | None:
        name = _name_of(str(row["urn"]))
        try:
            return decode_stored(kind, _without_secrets(kind, row.get(place)))
        except PostsealError as error:
            # Inputs and outputs share most fields: what is wrong with both is told once.
            self._problems += [each for each in unreadable(name, place, error) if each not in self._problems]
            return None


def _rows_of(export: object) -> Sequence[object]:
    deployment = export.get("deployment") if isinstance(export, Mapping) else None
    if not isinstance(deployment, Mapping):
        message = "this is not a stack's state; write the file with `pulumi stack export --file EXPORT.json`"
        raise ConfigError([Problem("deployment", message)])
    rows = deployment.get("resources") or ()
    if not isinstance(rows, list | tuple):
        raise ConfigError([Problem("deployment.resources", f"expected a list, got {type(rows).__name__}")])
    return rows


def _is_live(row: Plain) -> bool:
    """Return whether a resource is live; one marked `delete` is removed by the next `pulumi up`."""
    return _is_ours(row) and not row.get("delete")


def _is_ours(row: Plain) -> bool:
    return len(str(row.get("urn")).split("::")) >= _URN_PARTS


def _proofs(rows: Iterable[Plain], problems: list[Problem]) -> Iterator[tuple[str, HostEvidence]]:
    """Yield what was proven of each host; the rest of a host has no date."""
    for row in rows:
        outputs = row.get("outputs")
        found = outputs.get("evidence") if isinstance(outputs, Mapping) else None
        if str(row.get("type")) not in _HOST_TOKENS or not isinstance(found, Mapping):
            continue
        urn = str(row["urn"])
        try:
            yield urn, decode_stored(HostEvidence, found, "evidence")
        except PostsealError as error:
            problems += unreadable(_name_of(urn), "evidence", error)


def _has_own_certificate(row: Plain) -> bool:
    inputs = row.get("inputs")
    return isinstance(inputs, Mapping) and "on_host" in inputs


def _waiting(row: Plain) -> str:
    """Return what waits, as `client alice`; empty for what does not, and for what comes with something else."""
    word = _WORDS.get(str(row.get("type")).rpartition(":")[-1], "") if _is_waiting(row) else ""
    return word and f"{word} {_name_of(str(row['urn']))}"


def _is_waiting(row: Plain) -> bool:
    """Whether a resource is declared, and nothing is made of it yet."""
    inputs = row.get("inputs")
    return str(row.get("type")).startswith(_OURS) and isinstance(inputs, Mapping) and is_awaiting(inputs)


def _name_of(urn: str) -> str:
    """Return the name at the end of a URN `urn:pulumi:STACK::PROJECT::TYPE::NAME`."""
    return urn.split("::", _URN_PARTS - 1)[-1]


def _without_secrets(kind: type[object], values: object) -> Plain:
    """Return stored values with every secret field as an empty text."""
    clear = dict.fromkeys(secret_names(kind), "")
    if isinstance(values, Mapping):
        clear |= {name: value for name, value in values.items() if not _is_special(value)}
    return clear


def _is_special(value: object) -> bool:
    return isinstance(value, Mapping) and SIGNATURE_KEY in value


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else ()
