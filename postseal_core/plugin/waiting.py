"""Serve resources that wait: they are remembered, and nothing is made of them; see `postseal_core.waiting`.

Once what they wait for is there, they are created as new ones, under the name and in the place that they have.
"""

from collections.abc import Mapping

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import Problem
from postseal_core.plugin.answers import check_failures, clean_errors, diff_response
from postseal_core.plugin.codec import from_struct, to_struct
from postseal_core.plugin.diff import compare
from postseal_core.plugin.servicer import Servicer
from postseal_core.waiting import AWAITS, is_awaiting

__all__ = ["WaitingServicer"]


class WaitingServicer(Servicer):
    """Answers for what waits, and hands everything else on."""

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Let a new resource wait; refuse that one which exists does, for it would be lost."""
        with clean_errors(context, request):
            news, olds = from_struct(request.news).properties, from_struct(request.olds).properties
        if is_awaiting(news):
            return _checked(news, olds, request)
        if is_awaiting(olds):
            request = _copied(request)
            request.ClearField("olds")
        return super().Check(request, context)

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Show everything of a resource whose waiting has come to its end."""
        with clean_errors(context, request):
            old, new = (from_struct(each).properties for each in (request.old_inputs, request.news))
        if is_awaiting(old) or is_awaiting(new):
            return diff_response(compare(old, new))
        return super().Diff(request, context)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Remember that a resource waits."""
        with clean_errors(context, request):
            is_waiting = is_awaiting(from_struct(request.properties).properties)
            if is_waiting and not request.preview:
                self._configuration.refuse_changes()
        if not is_waiting:
            return super().Create(request, context)
        name = request.urn.rpartition("::")[-1]
        return pb.CreateResponse(id="" if request.preview else name, properties=request.properties)

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Make what has waited until now."""
        with clean_errors(context, request):
            was_waiting = is_awaiting(from_struct(request.olds).properties)
            is_waiting = is_awaiting(from_struct(request.news).properties)
            if is_waiting and not request.preview:
                self._configuration.refuse_changes()
        if is_waiting:
            return pb.UpdateResponse(properties=request.news)
        if not was_waiting:
            return super().Update(request, context)
        made = super().Create(
            pb.CreateRequest(urn=request.urn, properties=request.news, preview=request.preview), context
        )
        return pb.UpdateResponse(properties=made.properties)

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """Return what waits as it is."""
        with clean_errors(context, request):
            is_waiting = is_awaiting(from_struct(request.properties).properties)
        if is_waiting:
            return pb.ReadResponse(id=request.id, inputs=request.inputs, properties=request.properties)
        return super().Read(request, context)

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Forget what waits: there is nothing to remove."""
        with clean_errors(context, request):
            is_waiting = is_awaiting(from_struct(request.properties).properties)
            if is_waiting:
                self._configuration.refuse_changes()
        return empty_pb2.Empty() if is_waiting else super().Delete(request, context)


def _checked(news: Mapping[str, object], olds: Mapping[str, object], request: pb.CheckRequest) -> pb.CheckResponse:
    awaits = news[AWAITS]
    if olds and not is_awaiting(olds):
        message = (
            f"is there already, and would be lost while it waits for {awaits}: leave its authority, and what is "
            "declared of that, as it was"
        )
        return pb.CheckResponse(failures=check_failures((Problem("", message),), request))
    return pb.CheckResponse(inputs=to_struct({AWAITS: awaits}))


def _copied(request: pb.CheckRequest) -> pb.CheckRequest:
    copy = pb.CheckRequest()
    copy.CopyFrom(request)
    return copy
