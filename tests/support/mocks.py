"""Run a Pulumi program without an engine, and keep everything that it registers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2

from tests.support.provider import Secret, decode, encode

__all__ = ["Program", "Registration", "run_program", "secrets_in_clear"]

KNOWN_IN_A_PREVIEW: Mapping[str, Any] = {
    "generation": 1,
    "key_generation": 1,
    "not_before": "2026-06-01T12:00:00Z",
    "not_after": "2027-06-01T12:00:00Z",
    "renew_at": "2027-01-30T20:00:00Z",
    "previous": [],
    "revoked": [],
    "revoked_at": "",
    "issuer": "mail-ca generation 1",
    "issuer_slot": "mail-ca/1",
}
_CERTIFICATE = (
    *("certificate_pem", "chain_pem", "private_key_pem"),
    *("fingerprint_sha256", "public_key_fingerprint_sha256", "serial_number"),
)
MADE: Mapping[str, tuple[str, ...]] = {
    "postseal:index:Certificate": _CERTIFICATE,
    "postseal:index:ClientCertificate": _CERTIFICATE,
    "postseal:index:ServerCertificate": _CERTIFICATE,
    "postseal:index:ImportedCertificate": ("certificate_pem", "chain_pem", "fingerprint_sha256"),
    "postseal:index:RequestedAuthority": ("cert_request_pem", "certificate_pem", "chain_pem", "fingerprint_sha256"),
    "postseal:index:Pkcs12": ("archive_p12_base64", "passphrase"),
    "tls:index/privateKey:PrivateKey": ("privateKeyPem", "publicKeyPem"),
    "tls:index/certRequest:CertRequest": ("certRequestPem",),
}
"""What a resource of each type makes: in a test the text `<property> of <name>`, in a preview unknown."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One resource as the engine gets it: `properties` with secrets as `Secret`, `outputs` of a component."""

    type: str
    name: str
    urn: str
    parent: str
    properties: dict[str, Any]
    is_protected: bool
    aliases: tuple[str, ...]
    outputs: dict[str, Any] = field(default_factory=dict)
    has_outputs: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What a program registered, in order."""

    registrations: tuple[Registration, ...]

    def one(self, type_name: str, name: str = "") -> Registration:
        """Return the only registration of a type (its last part), or the one of this name."""
        (found,) = (
            each for each in self.registrations if each.type.rpartition(":")[2] == type_name and name in ("", each.name)
        )
        return found

    def tree(self) -> dict[str, str]:
        """Return `type name` of every resource below that of its parent; empty for what stands at the top."""
        labels = {each.urn: f"{each.type.rpartition(':')[2]} {each.name}" for each in self.registrations}
        return {labels[each.urn]: labels.get(each.parent, "") for each in self.registrations}


def run_program(program: Callable[[], object], *, preview: bool = False) -> Program:
    """Run a program to its end and return what it registered; its exceptions come through."""
    monitor = _Monitor(preview=preview)
    mocks.set_mocks(monitor.mocks, project="mail-pki", stack="test", preview=preview, monitor=monitor)

    def run() -> None:
        program()

    mocks.test(run)()  # type: ignore[no-untyped-call]
    return Program(tuple(monitor.finished()))


def secrets_in_clear(value: Any) -> list[str]:
    """Return every text in a value that looks like secret content of these mocks and is not a `Secret`."""
    if isinstance(value, Mapping):
        return [text for member in value.values() for text in secrets_in_clear(member)]
    if isinstance(value, list):
        return [text for item in value for text in secrets_in_clear(item)]
    words = ("private_key_pem of", "privateKeyPem of", "passphrase", "archive_p12_base64 of")
    return [value] if isinstance(value, str) and any(word in value for word in words) else []


class _NoCalls(mocks.Mocks):
    """The mocks that the SDK asks for; everything is answered by the monitor."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        """Refuse: these programs call no functions of providers."""
        raise AssertionError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        """Refuse: the monitor registers resources itself."""
        raise AssertionError(args.typ)


class _Monitor(mocks.MockMonitor):
    """Answers registrations as the engine with our plugin would."""

    def __init__(self, *, preview: bool) -> None:
        super().__init__(_NoCalls())
        self._preview = preview
        self._registered: dict[str, Registration] = {}
        self._outputs: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Keep a registration and answer with what the resource makes."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        self._registered[urn] = Registration(
            type=request.type,
            name=request.name,
            urn=urn,
            parent=request.parent,
            properties=decode(request.object),
            is_protected=request.protect,
            aliases=tuple(alias.spec.name or alias.urn for alias in request.aliases),
        )
        state = decode(request.object) | self._made(request)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id="" if self._preview else request.name, object=encode(state)
        )

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        """Keep the outputs of a component."""
        self._outputs[request.urn] = decode(request.outputs)
        return empty_pb2.Empty()

    def finished(self) -> list[Registration]:
        """Return all registrations, components with their outputs."""
        return [
            replace(each, outputs=self._outputs.get(urn, {}), has_outputs=urn in self._outputs)
            for urn, each in self._registered.items()
        ]

    def _made(self, request: Any) -> dict[str, Any]:
        names = MADE.get(request.type, ())
        known = dict(KNOWN_IN_A_PREVIEW) if request.type.endswith("Certificate") else {}
        if self._preview:
            return known
        made = {name: f"{name} of {request.name}" for name in names}
        made |= {"serial_number": "1a2b"} if "serial_number" in names else {}
        hidden = set(request.additionalSecretOutputs)
        return known | {name: Secret(text) if name in hidden else text for name, text in made.items()}
