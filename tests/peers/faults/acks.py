"""Every acknowledged request is in the log, once: read from the SQLite file itself, without a line of Docket's code.

Usage: acks.py LOG.db ACKS.tsv
An acknowledgement is a line `request id <tab> log position <tab> ticket name`, flushed to the disk by the client when
it was answered. A request acknowledged again after a restart must have been answered with the same position.
"""

import sqlite3
import sys

log, acks = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True), {}
faults = []
for line in open(sys.argv[2], encoding="utf-8"):
    if not line.endswith("\n"):
        continue  # Torn by the kill: never acknowledged.
    request, position, ticket = line.rstrip("\n").split("\t")
    if acks.setdefault(request, (position, ticket)) != (position, ticket):
        faults.append(f"{request} was answered with {acks[request]} and with {(position, ticket)}")

seen = set()
for request, (position, ticket) in acks.items():
    number, stream = int(position.rsplit(".", 1)[1]), "ticket/" + ticket.rsplit("/", 1)[1]
    rows = log.execute("SELECT stream, request FROM event WHERE position = ?", (number,)).fetchall()
    if len(rows) != 1 or rows[0][0] != stream:
        faults.append(f"{request}: position {number} holds {rows}, not {stream}")
        continue
    claim = rows[0][1]
    if claim in seen:
        faults.append(f"{request}: its event belongs to another request")
    seen.add(claim)
    spread = log.execute("SELECT count(*), max(position) - min(position) + 1 FROM event WHERE request = ?", (claim,))
    count, span = spread.fetchone()
    if count != span:
        faults.append(f"{request}: its {count} events lie over {span} positions")

positions = log.execute("SELECT count(*), max(position), count(DISTINCT id) FROM event").fetchone()
if len(set(positions)) != 1:
    faults.append(f"positions are not dense or ids not unique: {positions}")
print(f"{len(acks)} acknowledged requests, {positions[0]} events, {len(faults)} faults")
for fault in faults[:20]:
    print(fault)
sys.exit(1 if faults else 0)
