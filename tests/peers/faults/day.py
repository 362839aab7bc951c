"""Checks a played day against its log and what really arrived: no double booking, no mail lost, none doubled.

Usage: day.py LOG.db SINK_DIR

Reads the SQLite log and the sink's files by its own means. Prints what it counted; exits 1 and says why if something
does not hold.
"""

import collections
import json
import sqlite3
import sys
from pathlib import Path


def events(log):
    rows = sqlite3.connect(f"file:{log}?mode=ro", uri=True).execute(
        "SELECT position, tenant, stream, kind, occurred_us, body FROM event ORDER BY position"
    )
    for position, tenant, stream, kind, occurred, body in rows:
        yield position, tenant, stream, kind, occurred, json.loads(body)


def double_bookings(log):
    """Every pair of visits for which one engineer's time was held at once."""
    held, found = collections.defaultdict(dict), []
    for position, tenant, stream, kind, _, body in events(log):
        engineer = (tenant, stream)
        if kind == "SlotHeld":
            new = body["slot"]
            for visit, slot in held[engineer].items():
                if visit != body["visit"] and new["from"] < slot["to"] and slot["from"] < new["to"]:
                    found.append(f"position {position}: {stream} holds {visit} and {body['visit']} at once")
            held[engineer][body["visit"]] = new
        elif kind == "SlotReleased":
            held[engineer].pop(body["visit"], None)
    return found


def ended_tickets(log):
    """Every offer or acceptance of a ticket that had ended."""
    ended, found = set(), []
    for position, _, stream, kind, _, _ in events(log):
        ticket = stream.split("/", 1)[1]
        if kind in ("Closed", "Cancelled"):
            ended.add(ticket)
        elif kind == "Reopened":
            ended.discard(ticket)
        elif kind in ("Offered", "OfferAccepted") and ticket in ended:
            found.append(f"position {position}: {kind} on the ended ticket {ticket}")
    return found


def attempt(body):
    return body["reminder"], body["medium"], body["attempt"]


def deliveries(log, sink):
    """What the log says was sent by mail and webhook against what the sink took."""
    started, succeeded, open_attempts = collections.Counter(), set(), {}
    for _, _, _, kind, _, body in events(log):
        if kind == "AttemptStarted":
            started[body["message_id"]] += 1
            open_attempts[attempt(body)] = body["message_id"]
        elif kind == "AttemptSucceeded":
            message = open_attempts.pop(attempt(body), None)
            if message is not None and body["medium"] != "in_app":
                succeeded.add(message)
        elif kind == "AttemptFailed":
            open_attempts.pop(attempt(body), None)
    arrived = collections.Counter()
    for name in ("mails.tsv", "hooks.tsv"):
        path = sink / name
        for line in path.read_text().splitlines() if path.exists() else []:
            arrived[line.split("\t")[1].strip("<>").split("@")[0]] += 1
    return {message.strip("<>"): count for message, count in started.items()}, {m.strip("<>") for m in succeeded}, arrived


def main():
    log, sink = sys.argv[1], Path(sys.argv[2])
    faults = double_bookings(log) + ended_tickets(log)
    started, succeeded, arrived = deliveries(log, sink)
    faults += [f"{message} was recorded as sent and never arrived" for message in sorted(succeeded - set(arrived))]
    faults += [f"{message} arrived and was never begun" for message in sorted(set(arrived) - set(started))]
    for message, count in sorted(arrived.items()):
        if count > started.get(message, 0):
            faults.append(f"{message} arrived {count} times in {started.get(message, 0)} attempts")
    doubled = sum(count - 1 for count in arrived.values())
    print(
        f"{sum(started.values())} attempts, {len(succeeded)} messages recorded as sent, {sum(arrived.values())} arrived, "
        f"{doubled} of them again, {len(arrived)} after de-duplication"
    )
    if not started:
        faults.append("nothing was ever sent")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
