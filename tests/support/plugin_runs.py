"""The plugin as a sequence of runs: fresh memory for each, a settable clock, and everything that it says kept."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from pulumi.runtime import rpc
from pulumi.runtime.proto.provider_pb2 import CheckResponse
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderServicer,
    ResourceProviderStub,
    add_ResourceProviderServicer_to_server,
)

from postseal_core.plugin.handler import AnyHandler
from postseal_core.plugin.servicer import Servicer
from postseal_core.plugin.waiting import WaitingServicer
from tests.support.provider import CheckFailedError, Provider, Resource
from tests.support.specimens import NOW

__all__ = ["PluginRuns", "clear_texts", "plugin_runs"]

# A PEM block, or how the DER of a P-256 key starts in PKCS#8 and in SEC 1.
_KEY = re.compile(r"PRIVATE KEY-----\s+\w|MIGHAgEA|MHcCAQEE")


@dataclass(slots=True)
class PluginRuns:
    """Runs of the plugin. `now` is its clock, `lines` what it reported, `answers` every message that came back.

    `mentioned`: what it showed once, where it happened. `hidden`: texts that no answer may hold in clear; private keys
    need not be named. `replaced`: what the engine was called to replace.
    """

    provider: Provider
    start_run: Callable[[], None]
    now: datetime = NOW
    lines: list[str] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    answers: list[Message | str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    replaced: tuple[str, ...] = ()

    def resource(self, type_name: str, name: str) -> Resource:
        """Return a resource of ours that does not exist yet."""
        return self.provider.resource(f"postseal:index:{type_name}", name)

    def preview(self, resource: Resource, declared: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what a run of its own shows: the changed leaves, and the outputs as far as they are known."""
        self.start_run()
        checked = resource.check(declared)
        changes = resource.diff(checked) if resource.id else {"": "create"}
        return changes, resource.plan(checked) if changes else resource.outputs

    def up(self, resource: Resource, declared: Mapping[str, Any]) -> dict[str, str]:
        """Preview in one run, then change in another, as `pulumi up` does; return the changed leaves."""
        changes, _ = self.preview(resource, declared)
        self.start_run()
        checked = resource.check(declared)
        assert (resource.diff(checked) if resource.id else {"": "create"}) == changes
        if changes:
            resource.apply(checked)
        return changes

    def hear(self, urn: str, message: str, *, is_passing: bool = False) -> None:
        """Keep a line that is shown to the user."""
        del urn
        (self.mentioned if is_passing else self.lines).append(message)

    def problems(self, resource: Resource, declared: Mapping[str, Any]) -> list[str]:
        """Return what Check finds wrong with a declaration, as the engine shows it."""
        self.start_run()
        with pytest.raises(CheckFailedError):
            resource.check(declared)
        (answer,) = self.answers[-1:]
        assert isinstance(answer, CheckResponse)
        assert not answer.inputs.fields
        return [failure.reason for failure in answer.failures]

    def refusal(self, step: Callable[..., object], *arguments: object, **options: object) -> str:
        """Return the one sentence with which a step is refused."""
        with pytest.raises(grpc.RpcError) as caught:
            step(*arguments, **options)
        return str(cast("grpc.Call", caught.value).details())

    def clear_secrets(self) -> list[str]:
        """Return every text in clear that came back and holds a private key or something of `hidden`."""
        texts = [text for answer in self.answers for text in clear_texts(answer)]
        return [text for text in texts if _KEY.search(text) or any(secret in text for secret in self.hidden)]


@contextmanager
def plugin_runs(handlers: Iterable[AnyHandler], entropy: Callable[[int], bytes]) -> Iterator[PluginRuns]:
    """Serve the handlers on a loopback port; stopped at the end."""
    process = _Process()
    by_token = {token: handler for handler in handlers for token in handler.type_tokens}
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    add_ResourceProviderServicer_to_server(cast("ResourceProviderServicer", process), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            recorder = _Recorder()
            stub = ResourceProviderStub(grpc.intercept_channel(channel, recorder))

            def start_run() -> None:
                process.servicer = WaitingServicer(
                    by_token,
                    version="0.0.0",
                    report=runs.hear,
                    clock=lambda: runs.now,
                    entropy=entropy,
                    replaced=runs.replaced,
                )

            runs = PluginRuns(Provider(stub), start_run, answers=recorder.answers)
            start_run()
            yield runs
    finally:
        server.stop(grace=None).wait()


def clear_texts(answer: Message | str) -> list[str]:
    """Return every text of a message, names included, that is not wrapped as a secret."""
    return [answer] if isinstance(answer, str) else list(_texts(json_format.MessageToDict(answer)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict) and value.get(rpc._special_sig_key) != rpc._special_secret_sig:
        for name, member in value.items():
            yield name
            yield from _texts(member)


class _Process:
    """Stands for the plugin's process: forwards every call to the servicer of the current run."""

    servicer: Servicer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # The server asks once and keeps the answer for all runs: which servicer it is must be looked up at each call.
        def forward(request: Message, context: grpc.ServicerContext) -> Any:
            return getattr(self.servicer, name)(request, context)

        return forward


class _Recorder(grpc.UnaryUnaryClientInterceptor):
    """Keeps every answer, and of a refusal its text."""

    def __init__(self) -> None:
        self.answers: list[Message | str] = []

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        call = continuation(details, request)
        if call.exception() is None:
            self.answers.append(call.result())
        else:
            self.answers.append(call.details())
        return call
