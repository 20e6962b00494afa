"""The provider protocol: decode, call the handler of the type, encode; errors become one clean sentence."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from postseal_core.errors import ConfigError, PostsealError
from postseal_core.plugin.answers import check_failures, clean_errors, diff_response
from postseal_core.plugin.codec import Decoded, decode, encode
from postseal_core.plugin.configuration import Configuration, configuration_problems, decode_configuration
from postseal_core.plugin.diff import compare
from postseal_core.plugin.handler import CheckRequest, Context, Handler
from postseal_core.plugin.material import MaterialStore
from postseal_core.values import Path, value_at

__all__ = ["Reporter", "Servicer", "system_clock"]


class Reporter(Protocol):
    """Shows one line beside a resource in the engine's output."""

    def __call__(self, urn: str, message: str) -> None:
        """Show `message`, which must not hold a secret."""


def system_clock() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class Servicer(ResourceProviderServicer):
    """Serves the handlers it is given; everything that is not a handler's business happens here."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        version: str,
        report: Reporter,
        clock: Callable[[], datetime] = system_clock,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._handlers = handlers
        self._version = version
        self._report = report
        self._clock = clock
        self._entropy = entropy
        self._material = MaterialStore()
        self._parsed: dict[str, Any] = {}
        self._configuration = Configuration()

    # The plugin itself.

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the plugin's version."""
        del request, context
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: pb.GetSchemaRequest, context: grpc.ServicerContext) -> pb.GetSchemaResponse:
        """Return a schema of name and version only: the typed faces are written by hand."""
        del request, context
        return pb.GetSchemaResponse(schema=f'{{"name": "postseal", "version": "{self._version}"}}')

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Accept `postseal:clock` and `postseal:rehearsal`, refuse anything else."""
        with clean_errors(context):
            failures = check_failures(tuple(configuration_problems(decode(request.news).properties)))
            return pb.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Report another clock as a change in place: the engine configures a provider that is `same` as it was."""
        with clean_errors(context):
            return diff_response(compare(decode(request.old_inputs).properties, decode(request.news).properties))

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Take the clock, if one is set, and say that secrets and previews are understood."""
        with clean_errors(context):
            self._configuration = decode_configuration(decode(request.args).properties)
        return pb.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Answer; every call here ends by itself within its own time limits."""
        del request, context
        return empty_pb2.Empty()

    # The life of a resource.

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Validate and decide; wrap every secret input again."""
        with clean_errors(context):
            handler = self._handler(request.urn)
            news, olds = decode(request.news), decode(request.olds)
            name = request.urn.rsplit("::", 1)[-1]
            call = CheckRequest(name=name, old=olds.properties or None, new=news.properties)
            try:
                checked = handler.check(call, self._context(request.urn))
            except ConfigError as error:
                return pb.CheckResponse(failures=check_failures(error.problems))
            if checked.problems:
                return pb.CheckResponse(failures=check_failures(checked.problems))
            secret_paths = _secret_paths(handler.secret_inputs, checked.inputs, news)
            return pb.CheckResponse(inputs=encode(checked.inputs, secret_paths))

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Compare old inputs with new inputs; a resource left half-done differs in its `status`."""
        with clean_errors(context):
            handler = self._handler(request.urn)
            olds = decode(request.olds).properties
            changes = handler.diff(decode(request.old_inputs).properties, olds, decode(request.news).properties)
            is_half_done = olds.get("status", "ok") != "ok"
            return diff_response(changes, is_half_done=is_half_done)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Make a resource, or plan it in a preview."""
        with clean_errors(context, self._encode_outputs(request.urn)):
            if not request.preview:
                self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            inputs = decode(request.properties)
            created = handler.create(inputs.properties, self._context(request.urn), is_preview=request.preview)
            return pb.CreateResponse(
                id="" if request.preview else created.id, properties=self._outputs(handler, created.outputs)
            )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change a resource in place, or plan it in a preview."""
        with clean_errors(context, self._encode_outputs(request.urn)):
            if not request.preview:
                self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            outputs = handler.update(
                request.id,
                decode(request.olds).properties,
                decode(request.news).properties,
                self._context(request.urn),
                is_preview=request.preview,
            )
            return pb.UpdateResponse(properties=self._outputs(handler, outputs))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """Return inputs and outputs as they are, secrets wrapped."""
        with clean_errors(context, self._encode_outputs(request.urn)):
            handler = self._handler(request.urn)
            inputs, outputs = decode(request.inputs), decode(request.properties)
            if not inputs.properties and not outputs.properties:
                raise PostsealError(f"{handler.type_token} cannot be imported; declare it, and `pulumi up` makes it")
            read_inputs, read_outputs = handler.read(
                request.id, inputs.properties, outputs.properties, self._context(request.urn)
            )
            return pb.ReadResponse(
                id=request.id,
                inputs=encode(read_inputs, _secret_paths(handler.secret_inputs, read_inputs, inputs)),
                properties=encode(read_outputs, _secret_paths(handler.secret_outputs, read_outputs, outputs)),
            )

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Remove what the resource made."""
        with clean_errors(context):
            self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            handler.delete(request.id, decode(request.properties).properties, self._context(request.urn))
            return empty_pb2.Empty()

    # What the calls share.

    def _handler(self, urn: str) -> Handler:
        token = urn.split("::")[2].rsplit("$", maxsplit=1)[-1]
        handler = self._handlers.get(token)
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            raise PostsealError(f"this plugin has no resource type {token}; it has: {known}")
        return handler

    def _context(self, urn: str) -> Context:
        return Context(
            urn=urn,
            now=(self._configuration.clock or self._clock()).replace(microsecond=0),
            entropy=self._entropy,
            material=self._material,
            report=lambda message: self._report(urn, message),
            is_rehearsal=self._configuration.clock is not None,
            parsed=self._parsed,
        )

    def _outputs(self, handler: Handler, outputs: Mapping[str, Any]) -> Struct:
        return encode(outputs, _secret_paths(handler.secret_outputs, outputs, Decoded({}, frozenset())))

    def _encode_outputs(self, urn: str) -> Callable[[Mapping[str, Any]], Struct]:
        return lambda outputs: self._outputs(self._handler(urn), outputs)


def _secret_paths(names: frozenset[str], properties: Mapping[str, Any], source: Decoded) -> set[Path]:
    """Return the declared secret names, and every place where a secret came in and a value still stands."""
    paths: set[Path] = {(name,) for name in names if name in properties}
    return paths | {path for path in source.secret_paths if value_at(properties, path) is not None}
