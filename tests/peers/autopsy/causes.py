"""causes.py LOG: the promises missed in a work-order log and why, as CSV, from the log alone.

Told by the page docs/sla.md and by nothing of Docket: office hours in Rome, eight working hours to the first reaction, forty
to the resolution while a ticket is open or in progress; a robot named Siebel.
"""

import bisect
import csv
import fnmatch
import gzip
import json
import sys
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")
UTC = ZoneInfo("UTC")
REACTIONS = ["Take in charge ticket", "Accepted*", "Completed*"]
UNKNOWN = {"", "?"}
ROBOTS = {"Siebel"}
SECOND = 1_000_000
ALLOWED = {"first_response": 8 * 3600 * SECOND, "resolution": 40 * 3600 * SECOND}
CLASS = {
    "no_owner": "system",
    "nobody_told": "system",
    "unstaffed": "system",
    "outside_hours": "system",
    "reopened": "process",
    "ping_pong": "process",
    "hand_overs": "process",
    "queued": "process",
    "did_not_act": "person",
    "stopped_acting": "person",
    "stuck": "process",
}


def micros(moment):
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


class Hours:
    """Working time as a list of stretches and the time worked before each."""

    def __init__(self, first, last):
        self.opens, self.closes, self.before = [], [], []
        worked, day = 0, first
        while day <= last:
            if day.weekday() < 5:
                opens, closes = (micros(datetime.combine(day, time(hour), ROME)) for hour in (9, 17))
                self.opens.append(opens)
                self.closes.append(closes)
                self.before.append(worked)
                worked += closes - opens
            day += timedelta(days=1)

    def elapsed(self, at):
        place = bisect.bisect_right(self.opens, at) - 1
        return 0 if place < 0 else self.before[place] + min(at, self.closes[place]) - self.opens[place]

    def worked(self, start, end):
        return max(0, self.elapsed(end) - self.elapsed(start))

    def is_open(self, at):
        place = bisect.bisect_right(self.opens, at) - 1
        return place >= 0 and at < self.closes[place]

    def due(self, start, needed):
        target = self.elapsed(start) + needed
        place = bisect.bisect_left(self.before, target) - 1
        return self.opens[place] + target - self.before[place]


def rows_of(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    unique = {}
    for row in rows:
        unique.setdefault((row["ticket"], row["seq"]), row)
    for row in unique.values():
        row["at"] = micros(datetime.fromisoformat(row["ts"].replace("Z", "+00:00")))
    return sorted(unique.values(), key=lambda row: (row["at"], row["ticket"], row["seq"]))


def response_missed(rows, hours, end):
    due = hours.due(rows[0]["at"], ALLOWED["first_response"])
    reacted = (row["at"] for row in rows if any(fnmatch.fnmatchcase(row["activity"], one) for one in REACTIONS))
    return due if due <= end and due < next(reacted, due + 1) else None


def resolution_missed(rows, hours, end):
    used, since = 0, None
    for row in [*rows, None]:
        at = end + 1 if row is None else row["at"]
        if since is not None:
            due = hours.due(since, ALLOWED["resolution"] - used)
            if due < at:
                return due
        if row is None:
            return None
        runs = row["state"] in ("open", "in_progress")
        if since is not None and not runs:
            used, since = used + hours.worked(since, at), None
        elif since is None and runs:
            since = at
    return None


def human(row):
    agent = row["agent"]
    return agent if agent not in UNKNOWN and agent not in ROBOTS else None


def cause(clock, past, at, hours, active):
    """The rule that decides, and who has the ticket, by what happened before an instant."""
    holder, since, group, moves, people = None, 0, None, 0, []
    for place, row in enumerate(past):
        lies = None if row["group"] in UNKNOWN else row["group"]
        moved = None not in (lies, group) and lies != group
        moves, group = moves + moved, lies or group
        person = human(row)
        if person and people[-1:] != [person]:
            people.append(person)
        if row["kind"] == "queue":
            now = ("queue",)
        elif person:
            now = ("person", person)
        elif row["agent"] in ROBOTS:
            now = ("robot", row["agent"])
        else:
            now = holder
        if now != holder or (moved and now == ("queue",)):
            holder, since = now, place
    named = holder if holder and holder[0] != "queue" else ("queue", group) if group else ("nobody",)
    told = "/".join(named)
    ended = {"resolved", "closed"}
    if named[0] == "nobody":
        return "no_owner", told
    if named[0] == "robot":
        return "nobody_told", told
    if named[0] == "queue":
        done = active[group]
        place = bisect.bisect_right(done, past[since]["at"])
        if place == len(done) or done[place] >= at:
            return "unstaffed", told
    acts = [row["at"] for row in past if human(row) and row["at"] > past[0]["at"]]
    if acts and not any(hours.is_open(act) for act in acts):
        return "outside_hours", told
    if any(a["state"] in ended and b["state"] not in ended for a, b in zip(past, past[1:])):
        return "reopened", told
    if any(a == c for a, c in zip(people, people[2:])):
        return "ping_pong", told
    if max(0, len(people) - 1) + moves >= 2:
        return "hand_overs", told
    if named[0] == "queue":
        return "queued", told
    own = [row["at"] for row in past[since:] if human(row) == named[1]]
    if len(own) <= 1:
        return "did_not_act", told
    if hours.worked(own[-1], at) > ALLOWED[clock] // 2:
        return "stopped_acting", told
    return "stuck", told


def main():
    rows = rows_of(sys.argv[1])
    end = rows[-1]["at"]
    years = [datetime.fromtimestamp(at / SECOND, UTC).year for at in (rows[0]["at"], end)]
    hours = Hours(date(years[0] - 1, 1, 1), date(years[1] + 2, 1, 1))
    tickets, active = defaultdict(list), defaultdict(list)
    for row in rows:
        tickets[row["ticket"]].append(row)
        if human(row) and row["group"] not in UNKNOWN:
            active[row["group"]].append(row["at"])
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["ticket", "clock", "missed_at", "class", "rule", "holder"])
    for ticket in sorted(tickets, key=lambda name: name.encode()):
        for clock, missed in (("first_response", response_missed), ("resolution", resolution_missed)):
            at = missed(tickets[ticket], hours, end)
            if at is None:
                continue
            past = [row for row in tickets[ticket] if row["at"] < at]
            rule, holder = cause(clock, past, at, hours, active)
            out.writerow([ticket, clock, at, CLASS[rule], rule, holder])


if __name__ == "__main__":
    main()
