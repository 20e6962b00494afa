"""The stack's program against the real plugin, with a played engine: what a preview and `up` do, without Pulumi's.

So a test can bring up many stacks a second, on any day. Keys of authorities, which pulumi-tls makes, are made here.
The plugin's own servicer answers, in this process.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.proto import provider_pb2, resource_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from pki.keys import generate_private_key, private_key_pem
from pki.model import KeyAlgorithm
from postseal.provider import REGISTRY
from postseal.stack.build import register_stack
from postseal.stack.config import load_stack
from postseal.stack.model import StackConfig
from postseal_core.plugin.waiting import WaitingServicer
from tests.support.provider import UNKNOWN, CheckFailedError, Resource, Secret, decode, encode

__all__ = ["PlayedStack", "RefusedError", "exported"]

_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:c2VhbGVk"}
_PUBLIC = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
_CURVES = {"P256": KeyAlgorithm.ECDSA_P256, "P384": KeyAlgorithm.ECDSA_P384}


@dataclass(slots=True)
class _Made:
    """One resource in the state."""

    type: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    is_protected: bool


@dataclass(slots=True)
class PlayedStack:
    """A stack with its state; hosts and hand-outs are written below the current directory.

    `name`: of the stack. `secrets`: the values of secret keys. `operations`: what the last `up` did to each resource
    that it changed.
    """

    secrets: Mapping[str, str] = field(default_factory=dict)
    made: dict[str, _Made] = field(default_factory=dict)
    operations: dict[str, str] = field(default_factory=dict)
    name: str = "test"

    def up(self, sections: Mapping[str, Any], now: datetime) -> None:
        """Preview a stack file at an instant, then bring the stack to it.

        Raises:
            PostsealError: the stack file is refused.
            RefusedError: the plugin refuses something; nothing was changed.
        """
        raw = json.loads(json.dumps({**sections, **self.secrets}, sort_keys=True))
        config = load_stack(raw, set(self.secrets), stack_name=self.name)
        values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in raw.items()}
        self.operations = {}
        for is_preview in (True, False):
            monitor = _Monitor(self, now, is_preview=is_preview)
            mocks.set_mocks(monitor.mocks, project="mail-pki", stack=self.name, preview=is_preview, monitor=monitor)
            set_all_config({f"mail-pki:{k}": v for k, v in values.items()}, [f"mail-pki:{key}" for key in self.secrets])
            _run(config)
            if monitor.refused:
                raise RefusedError("; ".join(monitor.refused))
        for urn in [urn for urn in self.made if urn not in monitor.seen]:
            monitor.delete(urn)

    def export(self) -> dict[str, Any]:
        """Return the state as `pulumi stack export` writes it."""
        urn = f"urn:pulumi:{self.name}::mail-pki::pulumi:pulumi:Stack::mail-pki-{self.name}"
        stack = {"urn": urn, "type": "pulumi:pulumi:Stack"}
        rows = [
            {
                "urn": urn,
                "custom": True,
                "id": each.id,
                "type": each.type,
                "inputs": exported(each.inputs),
                "outputs": exported(each.outputs),
                "protect": each.is_protected,
            }
            for urn, each in self.made.items()
        ]
        return {"version": 3, "deployment": {"resources": [stack, *rows]}}


def exported(value: Any) -> Any:
    """Return a value with every secret as an export shows it."""
    if isinstance(value, Secret):
        return _SECRET
    if isinstance(value, Mapping):
        return {name: exported(member) for name, member in value.items()}
    return [exported(item) for item in value] if isinstance(value, list) else value


def _run(config: StackConfig) -> None:
    def run() -> None:
        register_stack(config)

    mocks.test(run)()  # type: ignore[no-untyped-call]


class RefusedError(Exception):
    """The plugin refuses what is declared."""


class _Context:
    """What the servicer asks of a call; `said`: with which sentence it was ended."""

    said = ""

    def peer(self) -> str:
        """Return who calls."""
        return "this process"

    def abort(self, code: object, sentence: str) -> None:
        """End the call."""
        del code
        self.said = sentence
        raise Exception  # noqa: TRY002  # as gRPC does


class _Stub:
    """Calls the servicer as the engine does, without a connection."""

    def __init__(self, servicer: WaitingServicer) -> None:
        self._servicer = servicer

    def __getattr__(self, method: str) -> Any:
        def call(request: Any) -> Any:
            context = _Context()
            try:
                return getattr(self._servicer, method)(request, context)
            except Exception as error:
                raise RefusedError(context.said or repr(error)) from error

        return call


class _NoCalls(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        raise AssertionError(args.typ)


def _keep_quiet(urn: str, message: str, *, is_passing: bool = False) -> None:
    """Show nothing beside resources."""
    del urn, message, is_passing


class _Monitor(mocks.MockMonitor):
    """Answers registrations with what the plugin makes, or would make."""

    def __init__(self, stack: PlayedStack, now: datetime, *, is_preview: bool) -> None:
        super().__init__(_NoCalls())
        self._stack, self._is_preview, self._lock = stack, is_preview, threading.Lock()
        servicer = WaitingServicer(REGISTRY, version="0.0.0", report=_keep_quiet)
        self._stub = cast("ResourceProviderStub", _Stub(servicer))
        settings = encode({"clock": now.isoformat(), "rehearsal": "true"})
        self._stub.Configure(provider_pb2.ConfigureRequest(args=settings))
        self.seen: set[str] = set()
        self.refused: list[str] = []

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        above = request.parent.split("::")[2] if request.parent else "pulumi:pulumi:Stack"
        types = request.type if above == "pulumi:pulumi:Stack" else f"{above}${request.type}"
        urn = f"urn:pulumi:{self._stack.name}::mail-pki::{types}::{request.name}"
        if not request.custom or request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            self.seen.add(urn)
            try:
                step = self._key if request.type.startswith("tls:") else self._step
                outputs = step(urn, request)
            except (CheckFailedError, RefusedError) as error:
                self.refused.append(str(error))
                outputs = self._stack.made[urn].outputs if urn in self._stack.made else {}
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=encode(outputs))

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        return empty_pb2.Empty()

    def _step(self, urn: str, request: Any) -> dict[str, Any]:
        old, resource = self._stack.made.get(urn), self._resource(urn)
        checked = resource.check(decode(request.object))
        changes = resource.diff(checked) if old else {"": "create"}
        if changes and self._is_preview:
            return {name: value for name, value in resource.plan(checked).items() if value != UNKNOWN}
        if changes:
            self._stack.operations[urn] = "update" if old else "create"
            resource.apply(checked)
        if not self._is_preview:
            made = _Made(request.type, resource.id, resource.inputs, resource.outputs, request.protect)
            self._stack.made[urn] = made
        return resource.outputs

    def _key(self, urn: str, request: Any) -> dict[str, Any]:
        args, old = decode(request.object), self._stack.made.get(urn)
        if old is not None and old.inputs == args:
            return old.outputs
        if self._is_preview:
            return {}
        self._stack.operations[urn] = "replace" if old else "create"
        key = generate_private_key(_CURVES[args["ecdsaCurve"]])
        public = key.public_key().public_bytes(*_PUBLIC).decode()
        outputs = {**args, "privateKeyPem": Secret(private_key_pem(key)), "publicKeyPem": public}
        self._stack.made[urn] = _Made(request.type, "key", args, outputs, request.protect)
        return outputs

    def _resource(self, urn: str) -> Resource:
        old, resource = self._stack.made.get(urn), Resource(self._stub, urn)
        if old:
            resource.id, resource.inputs, resource.outputs = old.id, old.inputs, old.outputs
        return resource

    def delete(self, urn: str) -> None:
        """Delete a resource that is declared no more."""
        self._stack.operations[urn] = "delete"
        if not self._stack.made[urn].type.startswith("tls:"):
            self._resource(urn).delete()
        del self._stack.made[urn]
