"""The provider protocol: decode, call the handler of the type, encode; errors become one clean sentence."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from postseal_core.errors import ConfigError, PostsealError, Problem, refuse
from postseal_core.plugin.answers import check_failures, clean_errors, diff_response
from postseal_core.plugin.codec import from_struct, to_struct
from postseal_core.plugin.configuration import Configuration, configuration_problems, decode_configuration
from postseal_core.plugin.diff import compare
from postseal_core.plugin.handler import AnyHandler, CheckRequest, Context
from postseal_core.plugin.lockers import Holder, Lockers
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from postseal_core.plugin.replacement import REPLACEMENT, is_named
from postseal_core.records import decode, decode_stored, encode, is_current, secret_names
from postseal_core.values import Path, value_at

__all__ = ["Reporter", "Servicer"]


class Reporter(Protocol):
    """Shows one line beside a resource in the engine's output."""

    def __call__(self, urn: str, message: str, *, is_passing: bool = False) -> None:
        """Show `message`, which must not hold a secret; a passing one is not repeated at the end."""


def _system_clock() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class Servicer(ResourceProviderServicer):
    """Serves the handlers it is given; everything that is not a handler's business happens here.

    `connect` returns what shows lines in the output of the engine at an address, for engines that attach. `replaced`:
    the URNs that the engine was told to replace, see `postseal_core.plugin.replacement`.
    """

    def __init__(
        self,
        handlers: Mapping[str, AnyHandler],
        *,
        version: str,
        report: Reporter,
        connect: Callable[[str], Reporter] | None = None,
        clock: Callable[[], datetime] = _system_clock,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        replaced: Sequence[str] = (),
    ) -> None:
        self._handlers = handlers
        self._version = version
        self._report = report
        self._connect = connect
        self._clock = clock
        self._entropy = entropy
        self._replaced = replaced
        self._attached_to = ""
        self._start_run()

    def _start_run(self) -> None:
        """Clear all memory, which belongs to one run of one engine."""
        self._lockers = Lockers()
        self._memory = Memory()
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
        with clean_errors(context, request):
            failures = check_failures(configuration_problems(from_struct(request.news).properties), request)
            return pb.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Report another clock as a change in place: the engine configures a provider that is `same` as it was."""
        with clean_errors(context, request):
            return diff_response(
                compare(from_struct(request.old_inputs).properties, from_struct(request.news).properties)
            )

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Take the clock, if one is set, and say that secrets and previews are understood."""
        with clean_errors(context, request):
            self._configuration = decode_configuration(from_struct(request.args).properties)
        return pb.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Serve an engine that found this plugin running, as PULUMI_DEBUG_PROVIDERS tells it to.

        A plugin that was started by hand sees many runs. The preview and the update of one `pulumi up` have addresses
        of their own; an address that attaches again belongs to the same run.
        """
        with clean_errors(context, request):
            if request.address != self._attached_to:
                self._attached_to = request.address
                self._start_run()
                self._report = self._connect(request.address) if self._connect else self._report
            return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Answer; every call here ends by itself within its own time limits."""
        del request, context
        return empty_pb2.Empty()

    # The life of a resource.

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Validate and decide; wrap every secret input again."""
        with clean_errors(context, request):
            handler = self._handler(request.urn)
            news, olds = from_struct(request.news), from_struct(request.olds).properties
            try:
                if handler.has_history and not olds and is_named(request.urn, self._replaced):
                    refuse([Problem("", REPLACEMENT)])
                old = decode_stored(handler.inputs, olds) if olds else None
                call = CheckRequest(old=old, new=decode(handler.args, news.properties))
                material = MaterialStore()
                checked = handler.check(call, self._context(request.urn, material))
            except ConfigError as error:
                return pb.CheckResponse(failures=check_failures(error.problems, request))
            inputs = _struct(checked, news.secret_paths)
            self._lockers.fill(_holder(request.urn, inputs, context), material)
            return pb.CheckResponse(inputs=inputs)

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Compare old inputs with new inputs."""
        with clean_errors(context, request):
            handler = self._handler(request.urn)
            old, new = (from_struct(each).properties for each in (request.old_inputs, request.news))
            stored = decode_stored(handler.inputs, old)
            # An older record may spell the same otherwise: compared is what this version would write.
            changes = compare(old if is_current(handler.inputs, old) else encode(stored), new)
            state = decode_stored(handler.state, from_struct(request.olds).properties)
            return diff_response(handler.diff(stored, state, decode_stored(handler.inputs, new), changes))

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Make a resource, or plan it in a preview."""
        with clean_errors(context, request):
            if not request.preview:
                self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            material = self._lockers.open(_holder(request.urn, request.properties, context))
            inputs = decode_stored(handler.inputs, from_struct(request.properties).properties)
            state = handler.create(inputs, self._context(request.urn, material), is_preview=request.preview)
            return pb.CreateResponse(id="" if request.preview else handler.id_of(inputs), properties=_struct(state))

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change a resource in place, or plan it in a preview."""
        with clean_errors(context, request):
            if not request.preview:
                self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            material = self._lockers.open(_holder(request.urn, request.news, context))
            old = decode_stored(handler.state, from_struct(request.olds).properties)
            inputs = decode_stored(handler.inputs, from_struct(request.news).properties)
            state = handler.update(old, inputs, self._context(request.urn, material), is_preview=request.preview)
            return pb.UpdateResponse(properties=_struct(state))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """Return inputs and state as they are, secrets wrapped."""
        with clean_errors(context, request):
            handler = self._handler(request.urn)
            inputs, state = from_struct(request.inputs), from_struct(request.properties)
            if not inputs.properties and not state.properties:
                token = _token(request.urn)
                raise PostsealError(f"{token} cannot be imported; declare it, and `pulumi up` makes it")
            read_inputs, read_state = handler.read(
                decode_stored(handler.inputs, inputs.properties),
                decode_stored(handler.state, state.properties),
                self._context(request.urn),
            )
            return pb.ReadResponse(
                id=request.id,
                inputs=_struct(read_inputs, inputs.secret_paths),
                properties=_struct(read_state, state.secret_paths),
            )

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Remove what the resource made."""
        with clean_errors(context, request):
            self._configuration.refuse_changes()
            handler = self._handler(request.urn)
            state = decode_stored(handler.state, from_struct(request.properties).properties)
            handler.delete(state, self._context(request.urn))
            return empty_pb2.Empty()

    # What the calls share.

    def _handler(self, urn: str) -> AnyHandler:
        handler = self._handlers.get(_token(urn))
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            raise PostsealError(f"this plugin has no resource type {_token(urn)}; it has: {known}")
        return handler

    def _context(self, urn: str, material: MaterialStore | None = None) -> Context:
        """Return the context of a call; `material`: what the resource's own Check was handed, None for nothing."""
        return Context(
            urn=urn,
            now=(self._configuration.clock or self._clock()).replace(microsecond=0),
            entropy=self._entropy,
            material=MaterialStore() if material is None else material,
            report=lambda message: self._report(urn, message),
            mention=lambda message: self._report(urn, message, is_passing=True),
            memory=self._memory,
        )


def _holder(urn: str, inputs: Struct, context: grpc.ServicerContext) -> Holder:
    """Identify the caller and its inputs; the digest does not depend on the order of members."""
    digest = sha256(inputs.SerializeToString(deterministic=True)).hexdigest()
    return Holder(connection=context.peer(), urn=urn, inputs_digest=digest)


def _token(urn: str) -> str:
    """Return the type of a resource: the last of the types in its URN, behind those of its parents."""
    _, _, types, *_ = (*urn.split("::"), "", "")
    return types.rsplit("$", maxsplit=1)[-1]


def _struct(record: object, secret_paths: Collection[Path] = ()) -> Struct:
    """Encode a record with its SECRET fields, and every value that came in as a secret, wrapped."""
    properties = encode(record)
    wrapped = {(name,) for name in secret_names(type(record)) if name in properties}
    return to_struct(properties, wrapped | {path for path in secret_paths if value_at(properties, path) is not None})
