"""Checks a cluster after faults, without a line of Docket's code: cluster.py DATA ACKS [--restored].

The log is read from PostgreSQL by `psql`, the stream from the broker, what arrived from the mail server's files; the
servers must run and nobody write. Prints what was counted; exits 1 and names what does not hold:

- the log: positions dense, versions of each stream consecutive, ids unique, every hash recomputed from the row before;
- the stream: every position exactly once and in order; subject, every header and the body's bytes as of the log's row;
- acknowledgements: each request in the log once, answered with one position (`acks.py` for a file);
- deadlines: each that was reached fired once;
- effects: what a customer is owed was planned once, arrived under one Message-ID, and at most as often as it was begun.

After `--restored` the sink knows of more than the log, and what it has before the restore is not judged.
"""

import asyncio
import base64
import collections
import csv
import datetime
import hashlib
import json
import os
import struct
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlparse

from bus import connect
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

csv.field_size_limit(1 << 20)
COLUMNS = (
    "position, id, tenant, stream, version, kind, schema, occurred_us, recorded_us, actor, request,"
    " encode(content, 'hex'), causation, correlation, trace, encode(body, 'hex'), encode(hash, 'hex')"
)
Row = collections.namedtuple(
    "Row",
    "position id tenant stream version kind schema occurred_us recorded_us actor request content causation correlation"
    " trace body hash",
)
# Whose streams say whose family a kind is of; what a service writes for itself is the house's.
FAMILIES = {
    "ticket": "intake", "customer": "intake", "asset": "intake", "article": "intake", "name": "intake",
    "work": "dispatch", "engineer": "dispatch", "stock": "dispatch", "track": "dispatch",
    "sla": "sla", "reminder": "notifier", "recipient": "notifier", "config": "house", "service": "house",
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# A deadline so short before the end of the log may not have fired, seconds.
GRACE = 30


class Findings(list):
    """What does not hold, as many as are worth reading, and how many there were."""

    count = 0

    def add(self, text):
        self.count += 1
        if len(self) < 20:
            self.append(text)


def psql(data, query):
    url = urlparse((data / "secret/owner").read_text().strip())
    at = {"PGHOST": url.hostname, "PGPORT": str(url.port), "PGUSER": url.username, "PGPASSWORD": url.password}
    # In the order of the index: a sort would want room on the database's disk, which is small.
    at["PGOPTIONS"] = "-c enable_sort=off"
    command = ["psql", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "-qc", f"COPY ({query}) TO STDOUT (FORMAT csv)", "docket"]
    process = subprocess.Popen(command, env=os.environ | at, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    yield from csv.reader(process.stdout)
    if process.wait():
        raise SystemExit("psql failed")


def log_rows(data):
    optional = lambda text: uuid.UUID(text) if text else None
    for r in psql(data, f"SELECT {COLUMNS} FROM docket.event ORDER BY position"):
        yield Row(
            int(r[0]), uuid.UUID(r[1]), r[2], r[3], int(r[4]), r[5], int(r[6]), int(r[7]), int(r[8]), r[9],
            uuid.UUID(r[10]), bytes.fromhex(r[11]), optional(r[12]), optional(r[13]), r[14], bytes.fromhex(r[15]),
            bytes.fromhex(r[16]),
        )


def link(previous, row):
    """The hash of a row: over its predecessor's and every column, each with its length before it."""
    digest = hashlib.sha256()
    number = lambda value: struct.pack(">q", value)
    for column in (
        previous, number(row.position), row.id.bytes, row.tenant.encode(), row.stream.encode(), number(row.version),
        row.kind.encode(), number(row.schema), number(row.occurred_us), number(row.recorded_us), row.actor.encode(),
        row.request.bytes, row.content, row.causation.bytes if row.causation else b"",
        row.correlation.bytes if row.correlation else b"", row.trace.encode(), row.body,
    ):
        digest.update(struct.pack(">Q", len(column)) + column)
    return digest.digest()


def check_log(rows, findings):
    previous, versions, ids = bytes(32), collections.Counter(), set()
    for expected, row in enumerate(rows, 1):
        if row.position != expected:
            return findings.add(f"the log: position {expected} is missing, {row.position} found")
        versions[row.tenant, row.stream] += 1
        if row.version != versions[row.tenant, row.stream]:
            findings.add(f"the log: position {expected} is version {row.version} of {row.stream}")
        if row.id in ids:
            findings.add(f"the log: the id of position {expected} was used before")
        ids.add(row.id)
        if row.hash != link(previous, row):
            findings.add(f"the log: position {expected} does not follow from the one before")
        previous = row.hash


def encoded(text, excluded):
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and chr(byte) not in excluded else f"%{byte:02X}" for byte in text.encode()
    )


def micros(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - EPOCH) // datetime.timedelta(microseconds=1)


def message_of(row, source):
    """Subject and headers of a row; times as microseconds."""
    family = FAMILIES[row.stream.split("/")[0]]
    value = lambda text: encoded(text, '%"')
    token = lambda text: encoded(text, "%.*>") or "%"
    optional = {
        "ce-tenant": value(row.tenant), "ce-subject": value(row.stream), "ce-actor": value(row.actor),
        "traceparent": value(row.trace), "ce-content": value(base64.b64encode(row.content).decode()),
        "ce-hash": value(base64.b64encode(row.hash).decode()), "ce-causation": str(row.causation or ""),
        "ce-correlation": str(row.correlation or ""),
    }
    headers = {
        "content-type": "application/json", "ce-specversion": "1.0", "ce-id": str(row.id), "ce-source": source,
        "ce-time": row.occurred_us, "ce-recorded": row.recorded_us, "ce-sequence": f"{row.position:020}",
        "ce-version": str(row.version), "ce-request": str(row.request),
        "ce-type": f"docket.{family}.{value(row.kind)}.v{row.schema}",
        "ce-dataschema": f"urn:docket:{family}:{value(row.kind)}:{row.schema}",
        "Nats-Msg-Id": str(row.id),
    } | {name: text for name, text in optional.items() if text}
    return f"docket.v1.{token(row.tenant)}.{family}.{token(row.kind)}", headers


async def check_stream(data, findings):
    """The log's rows, read when the stream had all that the log had before: the services still live, and write."""
    (log, epoch, head), = psql(data, "SELECT log, epoch, position FROM docket.head")
    connection = await connect(data)
    stream = connection.jetstream()
    for _ in range(100):
        state = (await stream.stream_info("DOCKET")).state
        if state.last_seq >= int(head):
            break
        await asyncio.sleep(0.1)
    rows = list(log_rows(data))
    if (state.first_seq, state.messages) != (1, state.last_seq) or not int(head) <= state.last_seq <= len(rows):
        findings.add(
            f"the stream holds {state.messages} messages from {state.first_seq} to {state.last_seq}, the log had {head} "
            f"before and has {len(rows)} now"
        )
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, inactive_threshold=60)
    subscription = await stream.pull_subscribe("docket.v1.>", stream="DOCKET", config=config)
    seen = 0
    while seen < state.messages:
        for message in await subscription.fetch(min(500, state.messages - seen), timeout=30):
            seen += 1
            check_message(message, seen, rows, f"/docket/{log}/{epoch}", findings)
    await connection.close()
    return rows, seen


def check_message(message, expected, rows, source, findings):
    position = message.metadata.sequence.stream
    if position != expected or position > len(rows):
        return findings.add(f"the stream: message {expected} is at position {position} of {len(rows)}")
    subject, headers = message_of(rows[position - 1], source)
    # What fences the relay is judged by what it prevents.
    found = {name: value for name, value in message.headers.items() if name != "Nats-Expected-Last-Sequence"}
    for name in ("ce-time", "ce-recorded"):
        found[name] = micros(found[name])
    if (message.subject, found, message.data) != (subject, headers, rows[position - 1].body):
        odd = {name for name in found.keys() | headers.keys() if found.get(name) != headers.get(name)}
        findings.add(f"the stream: position {position}, {message.subject}, is not what the log has: {odd or 'the body'}")


def check_acks(rows, path, findings):
    requests, acks, claimed = collections.defaultdict(list), {}, {}
    for row in rows:
        requests[row.request].append(row)
    for line in path.read_text(encoding="utf-8").splitlines():
        request, position, ticket = line.split("\t")
        if acks.setdefault(request, (position, ticket)) != (position, ticket):
            findings.add(f"{request} was answered with {acks[request]} and with {(position, ticket)}")
    for request, (position, ticket) in acks.items():
        number = int(position.rsplit(".", 1)[1])
        if number > len(rows):
            findings.add(f"{request}: acknowledged at {number}, beyond the log: lost")
            continue
        written = requests[rows[number - 1].request]
        if not any(row.stream.endswith("/" + ticket.rsplit("/", 1)[1]) for row in written):
            findings.add(f"{request}: position {number} is none of {ticket}'s: lost")
        elif claimed.setdefault(rows[number - 1].request, request) != request:
            findings.add(f"{request}: its event belongs to another request")
        elif written[-1].position - written[0].position + 1 != len(written):
            findings.add(f"{request}: its {len(written)} events do not lie together: doubled")
    return len(acks)


def check_deadlines(rows, findings):
    """Every mark of a clock that was reached before anything stopped the clock fired once."""
    # By clock and generation: the instant of each mark that lies ahead.
    marks, fired, late = collections.defaultdict(dict), collections.Counter(), []
    # The generations of each clock that have marks.
    made = collections.defaultdict(set)
    for row in rows:
        if not row.stream.startswith("sla/") or row.kind == "AttentionMissed":
            continue
        body = json.loads(row.body)
        name, generation = (row.tenant, row.stream, body.get("clock")), body.get("generation")
        if row.kind in ("WarningRaised", "Breached"):
            fired[name, generation, body.get("share_bp", 10000)] += 1
            late.append((row.recorded_us - body["at"]) / 1e6)
        elif row.kind in ("ClockStopped", "ClockCancelled", "ClockPaused", "ClockResumed", "BreachRevoked"):
            for ahead in (marks[name, one] for one in made[name]):
                for share in [share for share, at in ahead.items() if at >= row.occurred_us]:
                    del ahead[share]
        if row.kind in ("ClockStarted", "ClockResumed"):
            made[name].add(generation)
            marks[name, generation] |= {mark["share_bp"]: mark["at"] for mark in body.get("marks", [])}
    end = rows[-1].recorded_us - GRACE * 1_000_000
    for mark, count in fired.items():
        if count > 1:
            findings.add(f"the deadline {mark} fired {count} times")
    for (name, generation), ahead in marks.items():
        for share, at in ahead.items():
            if at < end and (name, generation, share) not in fired:
                findings.add(f"the deadline {(name, generation, share)} was reached and never fired")
    return len(fired), sorted(late) or [0]


def owed(rows):
    """The rules that owe a customer a mail for an event, by event."""
    customers, causes = set(), {}
    for row in rows:
        if row.kind == "Received" and "customer" in json.loads(row.body)["request"]:
            customers.add((row.tenant, row.stream))
            causes[row.id] = "receipt"
        elif row.kind == "Resolved" and (row.tenant, row.stream) in customers:
            causes[row.id] = "done"
    return causes


def check_effects(rows, sink, restored, findings):
    planned, begun, reminders = collections.Counter(), collections.defaultdict(list), {}
    for row in rows:
        if row.kind == "ReminderPlanned":
            body = json.loads(row.body)
            planned[row.causation, body["rule"]["name"]] += 1
            reminders[body["reminder"]] = row.position
        elif row.kind == "AttemptStarted":
            body = json.loads(row.body)
            begun[body["reminder"]].append(body["message_id"])
    for cause, rule in owed(rows).items():
        if planned[cause, rule] != 1:
            findings.add(f"event {cause} planned {planned[cause, rule]} mails by the rule {rule}")
    arrived = collections.Counter(line.split("\t")[1].strip("<>").split("@")[0] for line in sink.read_text().splitlines())
    known = set()
    for reminder, position in reminders.items():
        ids = {message.split("@")[0] for message in begun[reminder]}
        known |= ids
        times = sum(arrived[message] for message in ids)
        if len(ids) > 1:
            findings.add(f"the mail planned at {position} was begun under {len(ids)} ids")
        if times == 0:
            findings.add(f"the mail planned at {position} never arrived")
        if times > len(begun[reminder]) and not restored:
            findings.add(f"the mail planned at {position} arrived {times} times in {len(begun[reminder])} attempts")
    if not restored:
        for message in arrived.keys() - known:
            findings.add(f"the mail {message} arrived and was never begun")
    return len(reminders), sum(arrived.values()), len(arrived)


def main():
    data, restored = Path(sys.argv[1]), "--restored" in sys.argv
    findings = Findings()
    rows, messages = asyncio.run(check_stream(data, findings))
    check_log(rows, findings)
    acks = check_acks(rows, data / sys.argv[2], findings)
    fired, late = check_deadlines(rows, findings)
    intents, arrived, different = check_effects(rows, data / "sink/mails.tsv", restored, findings)
    print(
        f"{len(rows)} events, {messages} messages, {acks} acknowledged requests, {fired} deadlines fired (half "
        f"within {late[len(late) // 2]:.1f} s, 99 of 100 within {late[len(late) * 99 // 100]:.1f} s, all within {late[-1]:.1f} s of their "
        f"time), {intents} mails intended, {arrived} arrived, {different} after de-duplication, "
        f"{findings.count} faults"
    )
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
