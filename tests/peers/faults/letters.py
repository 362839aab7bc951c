"""Checks what four channels really took against a log whose sender was killed again and again.

Usage: letters.py LOG.db SINK_DIR TICKETS

Reads the SQLite log and the sink's files by its own means. Receivers tell repeats apart by the Message-ID, the
webhook-id, and (robots and text messages have none) by the text. Prints what it counted. Exits 2 while something has
yet to leave, 1 and says why if something does not hold.
"""

import collections
import json
import sqlite3
import sys
import urllib.parse
from pathlib import Path

MEDIA = ("email", "webhook", "feishu", "sms")


def arrivals(sink):
    """What each channel took: a counter of the keys by which its receiver tells repeats apart."""
    found = {medium: collections.Counter() for medium in MEDIA}

    def lines(name):
        path = sink / name
        return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []

    for cells in lines("mails.tsv"):
        found["email"][cells[1].strip("<>").split("@")[0]] += 1
    for cells in lines("hooks.tsv"):
        found["webhook"][cells[1]] += 1
    for cells in lines("robots.tsv"):
        found["feishu"][json.loads(cells[1])["content"]["post"]["en_us"]["title"]] += 1
    for cells in lines("texts.tsv"):
        found["sms"][urllib.parse.parse_qs(cells[1])["Body"][0].splitlines()[0]] += 1
    return found


def main():
    log, sink, tickets = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    rows = sqlite3.connect(f"file:{log}?mode=ro", uri=True).execute("SELECT kind, body FROM event ORDER BY position")
    planned, started, unknown, settled = {}, collections.Counter(), collections.Counter(), set()
    keys = {}
    for kind, body in rows:
        if kind not in ("ReminderPlanned", "AttemptStarted", "AttemptSucceeded", "AttemptFailed"):
            continue
        body = json.loads(body)
        reminder = body["reminder"]
        if kind == "ReminderPlanned":
            planned[reminder] = (body["media"][0], f"new {body['facts']['ticket_id']}")
            continue
        medium, text = planned[reminder]
        if kind == "AttemptStarted":
            keys[reminder] = body["message_id"] if medium in ("email", "webhook") else text
            started[(medium, keys[reminder])] += 1
        elif kind == "AttemptSucceeded":
            settled.add(reminder)
        elif body["error"] == "unknown":
            unknown[medium] += 1
    if len(planned) < tickets * len(MEDIA) or len(settled) < len(planned):
        print(f"{len(planned)} planned, {len(settled)} settled", file=sys.stderr)
        return 2
    faults, took = [], arrivals(sink)
    for medium in MEDIA:
        wanted = {keys[reminder] for reminder, (by, _) in planned.items() if by == medium}
        if len(wanted) != tickets:
            faults.append(f"{medium}: {len(wanted)} letters for {tickets} tickets")
        faults += [f"{medium}: {key} never arrived" for key in sorted(wanted - set(took[medium]))]
        faults += [f"{medium}: {key} was never begun" for key in sorted(set(took[medium]) - wanted)]
        for key, count in sorted(took[medium].items()):
            if count > started[(medium, key)]:
                faults.append(f"{medium}: {key} arrived {count} times in {started[(medium, key)]} attempts")
        doubled = sum(count - 1 for count in took[medium].values())
        if doubled > unknown[medium]:
            faults.append(f"{medium}: {doubled} repeats, {unknown[medium]} letters were under way at a kill")
        arrived = sum(took[medium].values())
        under_way = unknown[medium]
        print(f"{medium}: {len(wanted)} intended, {arrived} arrived, {doubled} again, {under_way} under way at a kill")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
