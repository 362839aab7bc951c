"""The released Python client, as one who installed it calls a cluster.

released.py ENDPOINT: the package is on PYTHONPATH, the token of an agent comes on standard input. Opens a ticket, reads it
back, prints its name.
"""

import sys

import grpc
from docket.intake.v1 import intake_pb2, intake_pb2_grpc

endpoint = sys.argv[1].removeprefix("http://")
token = (("authorization", f"Bearer {sys.stdin.readline().strip()}"),)

with grpc.insecure_channel(endpoint) as channel:
    intake = intake_pb2_grpc.IntakeServiceStub(channel)
    ticket = intake_pb2.Ticket(
        title="The released client works",
        ticket_type="incident",
        impact=intake_pb2.IMPACT_PERSON,
        urgency=intake_pb2.URGENCY_MEDIUM,
        fields={"service": intake_pb2.FieldValue(text="erp")},
    )
    opened = intake.OpenTicket(intake_pb2.OpenTicketRequest(ticket=ticket), metadata=token)
    name = opened.ticket.name
    read = intake.GetTicket(
        intake_pb2.GetTicketRequest(name=name, min_position=opened.log_position), metadata=token
    )
    assert read.ticket.title == ticket.title, read
    print(name)
