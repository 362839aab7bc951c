"""The documented errors, and reflection, as a stock Python client sees them.

Usage: contract.py PROTO_DIR ENDPOINT TOKENS.json
TOKENS.json maps `agent`, `requester`, `admin`, `other` (an agent of another tenant) to bearer tokens.
Prints a line for each case and exits 1 if one is not as documented.
"""

import json
import pathlib
import sys
import tempfile
import uuid

import grpc
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from grpc_tools import protoc


def compiled(protos: pathlib.Path):
    """Compiles the contract the way a client's build would, and imports it."""
    out = tempfile.mkdtemp()
    files = [str(path.relative_to(protos)) for path in sorted(protos.rglob("*.proto"))]
    import grpc_tools

    include = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["", f"-I{protos}", f"-I{include}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, out)
    from docket.intake.v1 import intake_pb2, intake_pb2_grpc

    return intake_pb2, intake_pb2_grpc


class Case:
    """What a call must be answered with."""

    failures = 0

    def __init__(self, name, code, reason, fields=()):
        self.name, self.code, self.fields = name, code, set(fields)
        self.reasons = reason if isinstance(reason, tuple) else (reason,)

    def expects(self, call):
        try:
            call()
            return self.report(False, "it was answered")
        except grpc.RpcError as error:
            reason, fields = details(error)
            right = error.code() == self.code and reason in self.reasons and self.fields <= fields
            return self.report(right, f"{error.code().name} {reason} {sorted(fields)} {error.details()}")

    def report(self, right, found):
        print(f"{'ok ' if right else 'BAD'} {self.name}: {found}")
        Case.failures += not right


def details(error):
    reason, fields = None, set()
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
            assert info.domain == "docket", info
            reason = info.reason
        elif detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
            fields |= {violation.field for violation in bad.field_violations}
    return reason, fields


def main():
    protos, endpoint, tokens = pathlib.Path(sys.argv[1]), sys.argv[2], json.loads(pathlib.Path(sys.argv[3]).read_text())
    pb, stubs = compiled(protos)
    channel = grpc.insecure_channel(endpoint.removeprefix("http://"))
    intake = stubs.IntakeServiceStub(channel)
    code = grpc.StatusCode

    def auth(role):
        return (("authorization", f"Bearer {tokens[role]}"),)

    def opening(**fields):
        ticket = pb.Ticket(title="Mail is down", ticket_type="incident", fields={"service": pb.FieldValue(text="mail")})
        ticket.MergeFrom(pb.Ticket(**fields))
        return pb.OpenTicketRequest(ticket=ticket, request_id=str(uuid.uuid4()))

    def open_ticket(request, role="agent", **options):
        return intake.OpenTicket(request, metadata=auth(role), **options)

    first = opening()
    ticket = open_ticket(first).ticket
    again = open_ticket(first).ticket
    Case("the same request, the same answer", None, None).report(again == ticket, again.name)
    unknown = ticket.name.rsplit("/", 1)[0] + "/" + str(uuid.uuid4())

    Case("wrong template", code.INVALID_ARGUMENT, "FIELDS_INVALID", ["ticket.ticket_type"]).expects(
        lambda: open_ticket(opening(ticket_type="no-such-type")))
    missing = pb.OpenTicketRequest(ticket=pb.Ticket(ticket_type="repair", fields={"under_warranty": pb.FieldValue(text="yes")}))
    Case("several missing fields", code.INVALID_ARGUMENT, "FIELDS_INVALID", [
        "ticket.title", "ticket.fields.asset", "ticket.fields.address", "ticket.fields.under_warranty",
    ]).expects(lambda: open_ticket(missing))
    Case("unknown ticket", code.NOT_FOUND, "TICKET_NOT_FOUND").expects(
        lambda: intake.GetTicket(pb.GetTicketRequest(name=unknown), metadata=auth("agent")))
    Case("another tenant's ticket", code.NOT_FOUND, "TICKET_NOT_FOUND").expects(
        lambda: intake.GetTicket(pb.GetTicketRequest(name=ticket.name), metadata=auth("other")))
    Case("another tenant's ticket, to write", code.NOT_FOUND, "TICKET_NOT_FOUND").expects(
        lambda: intake.TakeTicket(pb.TakeTicketRequest(name=ticket.name), metadata=auth("other")))
    intake.TakeTicket(pb.TakeTicketRequest(name=ticket.name, etag=ticket.etag), metadata=auth("agent"))
    Case("stale etag", code.ABORTED, "ETAG_MISMATCH").expects(
        lambda: intake.HoldTicket(pb.HoldTicketRequest(name=ticket.name, etag=ticket.etag, reasons=[1]), metadata=auth("agent")))
    other = opening(description="something else")
    other.request_id = first.request_id
    Case("reused request id", code.INVALID_ARGUMENT, "REQUEST_ID_REUSED").expects(lambda: open_ticket(other))
    Case("huge message", code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE").expects(
        lambda: open_ticket(opening(description="x" * (2 << 20))))
    # The client's own timer may ring before the server's answer arrives; then there are no details.
    Case("expired deadline", code.DEADLINE_EXCEEDED, ("DEADLINE_EXCEEDED", None)).expects(
        lambda: intake.GetTicket(pb.GetTicketRequest(name=ticket.name, min_position=future(ticket, intake, pb, auth)),
                                 metadata=auth("agent"), timeout=0.4))
    Case("no token", code.UNAUTHENTICATED, "TOKEN_MISSING").expects(lambda: intake.ListTickets(pb.ListTicketsRequest()))
    Case("a role that may not", code.PERMISSION_DENIED, "ROLE_REQUIRED").expects(
        lambda: intake.CloseTicket(pb.CloseTicketRequest(name=ticket.name), metadata=auth("requester")))
    Case("a filter that is none", code.INVALID_ARGUMENT, "FILTER_INVALID", ["filter"]).expects(
        lambda: intake.ListTickets(pb.ListTicketsRequest(filter="state ="), metadata=auth("agent")))
    Case("a page token of our own making", code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID").expects(
        lambda: intake.ListTickets(pb.ListTicketsRequest(page_token="bm9uZQ"), metadata=auth("agent")))

    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    service = pool.FindServiceByName("docket.intake.v1.IntakeService")
    Case("reflection v1alpha", None, None).report("OpenTicket" in service.methods_by_name, service.full_name)
    reflected = reflect_v1(channel)
    Case("reflection v1", None, None).report(b"docket.sla_monitor.v1.SlaMonitorService" in reflected, f"{len(reflected)} bytes")
    sys.exit(1 if Case.failures else 0)


def reflect_v1(channel):
    """Lists services by the v1 protocol: list_services is field 7 of the request, and the answer is read as bytes."""
    call = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    return b"".join(call(iter([b"\x3a\x00"])))


def future(ticket, intake, pb, auth):
    """A position that the log has not reached."""
    position = intake.GetTicket(pb.GetTicketRequest(name=ticket.name), metadata=auth("agent")).log_position
    log, epoch, number = position.rsplit(".", 2)
    return f"{log}.{epoch}.{int(number) + 1_000_000}"


if __name__ == "__main__":
    main()
