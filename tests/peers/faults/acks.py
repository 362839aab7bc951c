"""Every acknowledged request is in the log, once: read from the SQLite file itself, without a line of Docket's code.

Usage: acks.py LOG.db ACKS.tsv
An acknowledgement is a line `request id <tab> log position <tab> name`, flushed to the disk by the client when it was
answered; the last part of the name, of a ticket, an engineer, a recipient, is that of a stream the request wrote to. A
request acknowledged again after a restart must have been answered with the same position.
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
    number, owner = int(position.rsplit(".", 1)[1]), "/" + ticket.rsplit("/", 1)[1]
    rows = log.execute("SELECT request FROM event WHERE position = ?", (number,)).fetchall()
    claim = rows[0][0] if len(rows) == 1 else None
    streams = [row[0] for row in log.execute("SELECT stream FROM event WHERE request = ?", (claim,))]
    if not any(stream.endswith(owner) for stream in streams):
        faults.append(f"{request}: position {number} is of {streams}, none of them {ticket}'s")
        continue
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
