"""The provider protocol: decode, call the handler of the type, encode; errors become one clean sentence."""

import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from pki.errors import ConfigError, PostsealError, Problem
from pki.model import format_instant, parse_instant
from pki.plugin.codec import Decoded, decode, encode
from pki.plugin.diff import Change, compare
from pki.plugin.handler import CheckRequest, Context, Handler, PartialFailureError
from pki.plugin.material import MaterialStore
from pki.plugin.values import Path, value_at

__all__ = ["Reporter", "Servicer", "SystemClock"]

_DIFF_KINDS = {
    Change.ADD: pb.PropertyDiff.ADD,
    Change.DELETE: pb.PropertyDiff.DELETE,
    Change.UPDATE: pb.PropertyDiff.UPDATE,
}
_CONFIGURATION = {"clock", "rehearsal", "version"}


class Reporter(Protocol):
    """Shows one line beside a resource in the engine's output."""

    def __call__(self, urn: str, message: str) -> None:
        """Show `message`, which must not hold a secret."""


def SystemClock() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Configuration:
    clock: datetime | None = None
    is_rehearsal: bool = False


class Servicer(ResourceProviderServicer):
    """Serves the handlers it is given; everything that is not a handler's business happens here."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        version: str,
        report: Reporter,
        clock: Callable[[], datetime] = SystemClock,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._handlers = handlers
        self._version = version
        self._report = report
        self._clock = clock
        self._entropy = entropy
        self._material = MaterialStore()
        self._parsed: dict[str, Any] = {}
        self._configuration = _Configuration()

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
        with self._clean_errors(context):
            failures = _failures(tuple(_configuration_problems(decode(request.news).properties)))
            return pb.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Report another clock as a change in place: the engine configures a provider that is `same` as it was."""
        with self._clean_errors(context):
            return _diff_response(compare(decode(request.old_inputs).properties, decode(request.news).properties))

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Take the clock, if one is set, and say that secrets and previews are understood."""
        with self._clean_errors(context):
            settings = decode(request.args).properties
            problems = _configuration_problems(settings)
            if problems:
                raise ConfigError(problem.below("postseal") for problem in problems)
            clock = settings.get("clock")
            self._configuration = _Configuration(
                clock=parse_instant(clock) if clock else None, is_rehearsal=_is_true(settings.get("rehearsal"))
            )
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
        with self._clean_errors(context):
            handler = self._handler(request.urn)
            news, olds = decode(request.news), decode(request.olds)
            name = request.urn.rsplit("::", 1)[-1]
            call = CheckRequest(name=name, old=olds.properties or None, new=news.properties)
            try:
                checked = handler.check(call, self._context(request.urn))
            except ConfigError as error:
                return pb.CheckResponse(failures=_failures(error.problems))
            if checked.problems:
                return pb.CheckResponse(failures=_failures(checked.problems))
            secret_paths = _secret_paths(handler.secret_inputs, checked.inputs, news)
            return pb.CheckResponse(inputs=encode(checked.inputs, secret_paths))

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Compare old inputs with new inputs; a resource left half-done differs in its `status`."""
        with self._clean_errors(context):
            handler = self._handler(request.urn)
            olds = decode(request.olds).properties
            changes = handler.diff(decode(request.old_inputs).properties, olds, decode(request.news).properties)
            is_half_done = olds.get("status", "ok") != "ok"
            return _diff_response(changes, is_half_done=is_half_done)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Make a resource, or plan it in a preview."""
        with self._clean_errors(context, self._encode_outputs(request.urn)):
            self._refuse_unrehearsed_clock(is_preview=request.preview)
            handler = self._handler(request.urn)
            inputs = decode(request.properties)
            created = handler.create(inputs.properties, self._context(request.urn), is_preview=request.preview)
            return pb.CreateResponse(
                id="" if request.preview else created.id, properties=self._outputs(handler, created.outputs)
            )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change a resource in place, or plan it in a preview."""
        with self._clean_errors(context, self._encode_outputs(request.urn)):
            self._refuse_unrehearsed_clock(is_preview=request.preview)
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
        with self._clean_errors(context, self._encode_outputs(request.urn)):
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
        with self._clean_errors(context):
            self._refuse_unrehearsed_clock(is_preview=False)
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
            now=(self._configuration.clock or self._clock()).replace(microsecond=0),
            entropy=self._entropy,
            material=self._material,
            report=lambda message: self._report(urn, message),
            is_rehearsal=self._configuration.clock is not None,
            parsed=self._parsed,
        )

    def _refuse_unrehearsed_clock(self, *, is_preview: bool) -> None:
        clock = self._configuration.clock
        if clock is not None and not is_preview and not self._configuration.is_rehearsal:
            raise PostsealError(
                f"postseal:clock is set to {format_instant(clock)}: previews may look at another day, but changes are "
                "made only on a rehearsal stack (`pulumi config set postseal:rehearsal true`) or without the clock "
                "(`pulumi config rm postseal:clock`)"
            )

    def _outputs(self, handler: Handler, outputs: Mapping[str, Any]) -> Struct:
        return encode(outputs, _secret_paths(handler.secret_outputs, outputs, Decoded({}, frozenset())))

    def _encode_outputs(self, urn: str) -> Callable[[Mapping[str, Any]], Struct]:
        return lambda outputs: self._outputs(self._handler(urn), outputs)

    @contextmanager
    def _clean_errors(
        self, context: grpc.ServicerContext, encode_outputs: Callable[[Mapping[str, Any]], Struct] | None = None
    ) -> Any:
        """Turn exceptions into a status with one clean sentence; `abort` raises, so nothing after it runs."""
        try:
            yield
        except PartialFailureError as failure:
            _abort_half_done(context, failure, encode_outputs)
        except PostsealError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except Exception as error:
            if _is_abort(error):
                raise
            context.abort(grpc.StatusCode.INTERNAL, _internal_error(error))


def _diff_response(changes: Mapping[str, Change], *, is_half_done: bool = False) -> pb.DiffResponse:
    details = {path: pb.PropertyDiff(kind=_DIFF_KINDS[change], inputDiff=True) for path, change in changes.items()}
    if is_half_done:
        details["status"] = pb.PropertyDiff(kind=pb.PropertyDiff.UPDATE, inputDiff=False)
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if details else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in details}),
        detailedDiff=details,
        hasDetailedDiff=True,
    )


def _abort_half_done(
    context: grpc.ServicerContext,
    failure: PartialFailureError,
    encode_outputs: Callable[[Mapping[str, Any]], Struct] | None,
) -> None:
    properties = encode_outputs(failure.outputs) if encode_outputs else Struct()
    detail = any_pb2.Any()
    detail.Pack(pb.ErrorResourceInitFailed(id=failure.id, properties=properties, reasons=[failure.reason]))
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=failure.reason, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, failure.reason)


def _is_abort(error: Exception) -> bool:
    """Grpc's abort raises a bare Exception to unwind; it must pass through."""
    return type(error) is Exception and not error.args


def _internal_error(error: Exception) -> str:
    """Return where it happened and what kind of error it was, never its text: that may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = (
        f"{frames[-1].name}, line {frames[-1].lineno} of {frames[-1].filename.rsplit('/', 1)[-1]}" if frames else "?"
    )
    print(f"postseal: internal error {type(error).__name__} in {where}", file=sys.stderr, flush=True)
    return f"internal error in postseal ({type(error).__name__} in {where}); nothing was changed by this step"


def _failures(problems: tuple[Problem, ...]) -> list[pb.CheckFailure]:
    # The engine would print `property NAME value {<nil>}` before the sentence; the path inside it reads better.
    return [pb.CheckFailure(reason=str(problem)) for problem in problems]


def _secret_paths(names: frozenset[str], properties: Mapping[str, Any], source: Decoded) -> set[Path]:
    """Return the declared secret names, and every place where a secret came in and a value still stands."""
    paths: set[Path] = {(name,) for name in names if name in properties}
    return paths | {path for path in source.secret_paths if value_at(properties, path) is not None}


def _configuration_problems(settings: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem(name, "unknown key; the provider knows `clock` (RFC 3339) and `rehearsal` (true or false)")
        for name in settings
        if name not in _CONFIGURATION
    ]
    try:
        parse_instant(str(settings.get("clock", "2026-01-01T00:00:00Z")))
    except ValueError:
        problems.append(Problem("clock", "not an instant; write it as 2027-03-01T00:00:00Z"))
    if str(settings.get("rehearsal", "false")).lower() not in ("true", "false"):
        problems.append(Problem("rehearsal", "expected true or false"))
    return problems


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
