"""Random repeating days off as iCalendar files, their dates worked out by dateutil alone.

Prints one JSON object a line: the file and the days of 2026 to 2031 it means. The same seed prints the same lines.
"""

import datetime
import json
import random
import sys

from dateutil.rrule import rruleset, rrulestr

DAY = datetime.timedelta(days=1)
FIRST, LAST = datetime.datetime(2026, 1, 1), datetime.datetime(2031, 12, 31)


def rule(rng):
    weekday, month = rng.choice(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), rng.randint(1, 12)
    rule = rng.choice([
        "FREQ=YEARLY",
        f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={rng.choice([1, 15, 28, 31, -1])}",
        f"FREQ=YEARLY;BYMONTH={month};BYDAY={rng.choice([1, 2, 3, 4, -1])}{weekday}",
        f"FREQ=YEARLY;BYYEARDAY={rng.choice([1, 60, 100, 200, -1])}",
        f"FREQ=MONTHLY;BYDAY={rng.choice([1, 2, -1])}{weekday}",
        f"FREQ=MONTHLY;BYMONTHDAY={rng.randint(1, 28)}",
        f"FREQ=WEEKLY;INTERVAL={rng.choice([2, 4, 8])};BYDAY={weekday}",
        "FREQ=DAILY;INTERVAL=30",
    ])
    return rule


def series(rng):
    around, start = datetime.datetime(2019, 1, 1) + rng.randrange(9 * 365) * DAY, None
    while start is None:  # an event starts on a day of its own rule; not every rule has one
        rule_text = rule(rng)
        start = next(iter(rrulestr(rule_text, dtstart=around)), None)
    rule_text += rng.choice(["", "", f";COUNT={rng.randint(2, 9)}", f";UNTIL={start.year + rng.randint(1, 6)}0630"])
    dates = rruleset()
    dates.rrule(rrulestr(rule_text, dtstart=start))
    starts = list(dates.between(datetime.datetime(2018, 1, 1), LAST, inc=True))
    without = [date for date in starts if rng.random() < 0.1]
    length = rng.choice([1, 1, 1, 2, 5])
    lines = [f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"RRULE:{rule_text}"]
    lines.append(rng.choice([f"DTEND;VALUE=DATE:{start + length * DAY:%Y%m%d}", f"DURATION:P{length}D"]))
    if without:
        lines.append("EXDATE;VALUE=DATE:" + ",".join(f"{date:%Y%m%d}" for date in without))
    starts = [date for date in starts if date not in without]
    if rng.random() < 0.3:
        extra = FIRST + rng.randrange(1_000) * DAY
        lines.append(f"RDATE;VALUE=DATE:{extra:%Y%m%d}")
        starts.append(extra)
    return lines, {start + n * DAY for start in starts for n in range(length)}


def main():
    rng = random.Random(sys.argv[1])
    for n in range(int(sys.argv[2])):
        lines, days = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//peer//EN"], set()
        for event in range(rng.randint(1, 4)):
            own, covered = series(rng)
            days |= covered
            lines += ["BEGIN:VEVENT", f"UID:{n}-{event}", f"SUMMARY:Day {event}", *own, "END:VEVENT"]
        lines.append("END:VCALENDAR")
        # Lines are folded after 75 octets.
        folded = ["\r\n ".join(line[k:k + 70] for k in range(0, len(line), 70)) for line in lines]
        days = sorted(day.date().isoformat() for day in days if FIRST <= day <= LAST)
        print(json.dumps({"file": "\r\n".join(folded) + "\r\n", "days": days}))


if __name__ == "__main__":
    main()
