"""Random calendars, spans and budgets, and every change of the clocks of its zones, answered by businesstimedelta alone.

Prints one JSON object a line: a calendar's spec and its cases. All numbers are whole seconds since the epoch, or
lengths in seconds. The same seed prints the same lines.

What businesstimedelta 1.0.1 does otherwise than Docket, and how the cases keep out of its way:
- Asked from within an overnight shift it does not see the rest of it (it looks for the next shift that starts), so no
  span starts in one; and none starts where another shift ends.
- A boundary the clocks jump over moves on by the width of the gap, one that comes twice counts the second time: where
  the zone changes its offset within reach, no boundary lies between eleven and four, when clocks are changed.
- A holiday is 24 hours long, also on the day of 23 or 25: no holiday on such a day.
- A budget of nothing gives the next opening, Docket's gives the moment itself: budgets are at least one second.
- It knows no overrides, and 24:00 is no time in Python (a shift that ends at 00:00 is an overnight one).
"""

import argparse
import datetime
import json
import multiprocessing
import random

import businesstimedelta
import pytz

from zones import DAY, WEEK, ZONES, changes, clock, deadline, local, worked

REACH_DAYS = 120  # no span or deadline reaches further from its calendar's first day


def odd_days(zone, first):
    """The dates in reach that are not 24 hours long."""
    dates = [first + n * DAY for n in range(-2, REACH_DAYS + 3)]
    return {date for date in dates if local(zone, date + DAY) - local(zone, date) != DAY}


def shifts(rng, stable):
    """Up to three intervals of an hour or more, each with its days, and often an overnight one; none meets another."""
    bounds = sorted(rng.sample(range(20, 81, 4), 2 * rng.randint(1, 3)))
    pairs = [(start + late, end + late) for start, end in zip(bounds[::2], bounds[1::2]) for late in [rng.randrange(4)]]
    if rng.random() < 0.4:
        pairs.append((rng.randint(85, 95 if stable else 91), rng.randint(0 if stable else 16, 19)))
    return [(clock(start), clock(end), sorted(rng.sample(range(7), rng.randint(3, 7)))) for start, end in pairs]


def rules(zone, shifts, holidays):
    def time(text):
        return datetime.time.fromisoformat(text)

    working = [
        businesstimedelta.WorkDayRule(start_time=time(start), end_time=time(end), working_days=days, tz=zone)
        for start, end, days in shifts
    ]
    return businesstimedelta.Rules([*working, businesstimedelta.HolidayRule(holidays, tz=zone)])


def in_overnight_shift(zone, shifts, at):
    local = at.astimezone(zone)
    now, today = local.strftime("%H:%M:%S"), local.weekday()
    return any(
        end < start and ((now >= start and today in days) or (now < end and (today - 1) % 7 in days))
        for start, end, days in shifts
    )


def calendar(task):
    seed, cases, name, change = task
    rng = random.Random(seed)
    zone = pytz.timezone(name or rng.choice(ZONES))
    first = change or datetime.date(2000, 1, 10) + rng.randrange(35 * 365) * DAY
    odd = odd_days(zone, first)
    pairs = shifts(rng, stable=not odd)
    # The last one stands beyond the reach: without a holiday to come businesstimedelta fails.
    days_off = {first + rng.randrange(40) * DAY for _ in range(rng.randint(0, 6))} - odd
    holidays = days_off | {first + (REACH_DAYS + 5) * DAY}
    rule = rules(zone, pairs, holidays)
    weekly = {}
    for start, end, days in pairs:
        for day in days:
            weekly.setdefault(WEEK[day], []).append(f"{start}-{end}")
    spec = {"zone": zone.zone, "weekly": weekly, "holidays": [date.isoformat() for date in sorted(holidays)]}
    cases = [one for _ in range(cases) for one in case(rng, zone, first, pairs, rule, 2 if change else 30)]
    return json.dumps({"spec": spec, "cases": cases})


def case(rng, zone, first, pairs, rule, days):
    base = local(zone, first).astimezone(pytz.utc)
    while True:
        start = base + datetime.timedelta(seconds=rng.randrange(days * 86_400))
        if rng.random() < 0.3:
            start = start.replace(second=0, minute=start.minute // 15 * 15)  # often exactly at a boundary
        if not in_overnight_shift(zone, pairs, start):
            break
    end = start + datetime.timedelta(seconds=rng.randrange(10 * 86_400))
    worked_time = rule.difference(start, end).timedelta
    # Half of the budgets end exactly where the working time of the span does, often at a closing time.
    budget = worked_time if worked_time and rng.random() < 0.5 else datetime.timedelta(seconds=rng.randint(1, 16 * 3_600))
    due = start + businesstimedelta.BusinessTimeDelta(rule, timedelta=budget)
    assert due < base + REACH_DAYS * DAY
    return [worked(start, end, int(worked_time.total_seconds())), deadline(start, int(budget.total_seconds()), due)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calendars", type=int, default=80)
    parser.add_argument("--cases", type=int, default=25, help="for each calendar")
    parser.add_argument("--years", type=int, nargs=2, default=[2015, 2034], help="whose changes of the clocks are all asked")
    arguments = parser.parse_args()
    tasks = [(f"{arguments.seed}/{n}", arguments.cases, None, None) for n in range(arguments.calendars)]
    for name in ZONES:
        # From the day before on.
        for date in changes(pytz.timezone(name), *arguments.years):
            tasks.append((f"{arguments.seed}/{name}/{date}", 3, name, date - DAY))
    with multiprocessing.Pool() as pool:
        for line in pool.imap(calendar, tasks, chunksize=4):
            print(line)


if __name__ == "__main__":
    main()
