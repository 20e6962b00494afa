"""Talk to the resource plugin as the engine does, over gRPC on loopback, without an engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from postseal_core.plugin.handler import AnyHandler
from postseal_core.plugin.server import start

__all__ = ["UNKNOWN", "CheckFailedError", "Provider", "Resource", "Secret", "decode", "encode", "provider"]

UNKNOWN = rpc.UNKNOWN
_SECRET = {rpc._special_sig_key: rpc._special_secret_sig}
_MAX_MESSAGE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Secret:
    """A value on its way as a secret."""

    value: Any


class CheckFailedError(Exception):
    """Check found problems; `failures` are their texts, each with the property that it is about in front."""

    def __init__(self, failures: Sequence[str]) -> None:
        self.failures = tuple(failures)
        super().__init__("\n".join(failures))


@dataclass(slots=True)
class Provider:
    """The plugin behind a stub; `set_clock` rehearses another day."""

    stub: ResourceProviderStub

    def set_clock(self, now: datetime | None) -> None:
        """Configure the plugin, with the clock at an instant or with the real one."""
        settings = {"clock": now.isoformat(), "rehearsal": "true"} if now else {}
        self.stub.Configure(pb.ConfigureRequest(args=encode(settings)))

    def resource(self, type_token: str, name: str) -> "Resource":
        """Return a resource that does not exist yet."""
        return Resource(self.stub, f"urn:pulumi:test::project::{type_token}::{name}")


@dataclass(slots=True)
class Resource:
    """One resource through its life: `inputs` and `outputs` are what the state would hold, secrets as `Secret`."""

    stub: ResourceProviderStub
    urn: str
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def check(self, news: Mapping[str, Any]) -> dict[str, Any]:
        """Return the checked inputs, or raise CheckFailedError."""
        olds = encode(self.inputs) if self.inputs else None
        response = self.stub.Check(pb.CheckRequest(urn=self.urn, olds=olds, news=encode(news)))
        if response.failures:
            raise CheckFailedError([_failure_text(failure) for failure in response.failures])
        return decode(response.inputs)

    def diff(self, checked: Mapping[str, Any]) -> dict[str, str]:
        """Return the changed leaves with their kinds, lower case; empty if nothing changes."""
        response = self.stub.Diff(
            pb.DiffRequest(
                urn=self.urn,
                id=self.id,
                olds=encode(self.outputs),
                old_inputs=encode(self.inputs),
                news=encode(checked),
            )
        )
        assert response.hasDetailedDiff
        assert (response.changes == pb.DiffResponse.DIFF_SOME) == bool(response.detailedDiff)
        assert not response.replaces
        return {path: pb.PropertyDiff.Kind.Name(detail.kind).lower() for path, detail in response.detailedDiff.items()}

    def plan(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs that a preview shows."""
        return self._step(checked, is_preview=True)[1]

    def apply(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Create or update; keep what the state would keep."""
        self.id, self.outputs = self._step(checked, is_preview=False)
        self.inputs = dict(checked)
        return self.outputs

    def up(self, news: Mapping[str, Any]) -> dict[str, str]:
        """Check, compare, preview and change, as `pulumi up` does; return the changed leaves (none: nothing done)."""
        checked = self.check(news)
        changes = self.diff(checked) if self.id else {"": "create"}
        if changes:
            self.plan(checked)
            self.apply(checked)
        return changes

    def refresh(self) -> None:
        """Read inputs and outputs back."""
        response = self.stub.Read(
            pb.ReadRequest(urn=self.urn, id=self.id, inputs=encode(self.inputs), properties=encode(self.outputs))
        )
        self.inputs, self.outputs = decode(response.inputs), decode(response.properties)

    def delete(self) -> None:
        """Remove the resource."""
        self.stub.Delete(pb.DeleteRequest(urn=self.urn, id=self.id, properties=encode(self.outputs)))
        self.id, self.inputs, self.outputs = "", {}, {}

    def _step(self, checked: Mapping[str, Any], *, is_preview: bool) -> tuple[str, dict[str, Any]]:
        if not self.id:
            created = self.stub.Create(pb.CreateRequest(urn=self.urn, properties=encode(checked), preview=is_preview))
            return created.id, decode(created.properties)
        updated = self.stub.Update(
            pb.UpdateRequest(
                urn=self.urn,
                id=self.id,
                olds=encode(self.outputs),
                old_inputs=encode(self.inputs),
                news=encode(checked),
                preview=is_preview,
            )
        )
        return self.id, decode(updated.properties)


@contextmanager
def provider(handlers: Sequence[AnyHandler]) -> Iterator[Provider]:
    """Start the plugin with these handlers on a loopback port; it is stopped at the end."""
    by_token = {token: handler for handler in handlers for token in handler.type_tokens}
    server, port = start(by_token, version="0.0.0")
    options = [(f"grpc.max_{way}_message_length", _MAX_MESSAGE_BYTES) for way in ("receive", "send")]
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            yield Provider(ResourceProviderStub(channel))
    finally:
        server.stop(grace=None).wait()


def _failure_text(failure: pb.CheckFailure) -> str:
    return f"{failure.property}: {failure.reason}" if failure.property else failure.reason


def encode(properties: Mapping[str, Any]) -> Struct:
    """Return properties on the wire, each `Secret` wrapped."""
    struct = Struct()
    struct.update({name: _wire(value) for name, value in properties.items()})
    return struct


def _wire(value: Any) -> Any:
    if isinstance(value, Secret):
        return {**_SECRET, "value": _wire(value.value)}
    if isinstance(value, Mapping):
        return {name: _wire(member) for name, member in value.items()}
    return [_wire(item) for item in value] if isinstance(value, list | tuple) else value


def decode(struct: Struct) -> dict[str, Any]:
    """Return properties from the wire, secrets as `Secret`, whole numbers as int."""
    decoded: dict[str, Any] = _plain(json_format.MessageToDict(struct))
    return decoded


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _plain(member) for name, member in value.items()}
        return Secret(members["value"]) if value.items() >= _SECRET.items() else members
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
