"""Working days of random calendars, counted by numpy, chinesecalendar and holidays alone.

Prints one JSON object a line: a calendar's spec and its cases. All instants are whole seconds since the epoch. The same
seed prints the same lines.

What these libraries count is dates: a date is worked or it is not. So each calendar has the same hours on every working
day, at times of day at which no zone changes its clocks, and what is asked is
- how many working days lie from one date to another: our working time between their midnights, in days' lengths;
- which is the n-th working day: our end of the n-th working day, asked before the closing time of the date.

On a working day all count alike: with 0 it is the day itself, with 1 the next. On a day off there are two conventions.
numpy with roll="backward" and holidays' `get_nth_working_day` take the first working day after it for the first; numpy
with roll="forward" and chinesecalendar's `find_workday` go to that day and count from there, which is ours asked at the
next opening (`at_opening`). With 0 all of them, ours too, mean the first working day after it.
"""

import argparse
import datetime
import json
import random

import chinese_calendar
import holidays
import numpy
import pytz

from zones import DAY, WEEK, ZONES, changes, clock, local, worked

COUNTRIES = ["AU", "BR", "CN", "DE", "EG", "GB", "IL", "IN", "IR", "IT", "JP", "KR", "NZ", "RU", "US"]


class Hours:
    """The hours of every working day, in a zone."""

    def __init__(self, rng, zone):
        self.zone = pytz.timezone(zone)
        self.opens, self.closes = sorted(rng.sample(range(20, 85), 2))
        self.text = [f"{clock(self.opens)}-{clock(self.closes)}"]

    def time(self, quarter):
        return datetime.time(quarter // 4, quarter % 4 * 15)

    def between(self, first, last, days):
        start, end = local(self.zone, first), local(self.zone, last)
        return worked(start, end, days * (self.closes - self.opens) * 900)

    def end_of_day(self, rng, date, number, found, at_opening=False):
        asked = local(self.zone, date) + datetime.timedelta(seconds=rng.randrange(4 * 3_600))
        end = local(self.zone, found, self.time(self.closes))
        return {
            "from_secs": int(asked.timestamp()), "days": number, "end_secs": int(end.timestamp()),
            "at_opening": at_opening,
        }


def any_date(rng, first, last):
    return first + rng.randrange((last - first).days) * DAY


def of_numpy(rng, zone):
    hours = Hours(rng, zone)
    mask = rng.choice([[1, 1, 1, 1, 1, 0, 0]] * 3 + [[rng.random() < 0.6 for _ in range(6)] + [1]])
    first, last = datetime.date(2012, 1, 1), datetime.date(2036, 1, 1)
    off = [any_date(rng, first, last) for _ in range(rng.randint(0, 300))]
    calendar = numpy.busdaycalendar(weekmask=[bool(day) for day in mask], holidays=off)
    cases = []
    for change in changes(hours.zone, 2012, 2035) + [any_date(rng, first, last) for _ in range(30)]:
        start, end = change - rng.randrange(8) * DAY, change + rng.randrange(1, 60) * DAY
        days = int(numpy.busday_count(start, end, busdaycal=calendar))
        cases.append(hours.between(start, end, days))
        number, roll = rng.choice([0, 1, 1, 2, 3, 10, 40]), rng.choice(["backward", "forward"])
        forward = number == 0 or roll == "forward"
        roll = "forward" if forward else "backward"
        found = numpy.busday_offset(start, number, roll=roll, busdaycal=calendar).astype(datetime.date)
        cases.append(hours.end_of_day(rng, start, number, found, at_opening=forward))
    weekly = {name: hours.text for name, works in zip(WEEK, mask) if works}
    return {"zone": zone, "weekly": weekly, "holidays": sorted({date.isoformat() for date in off})}, cases


def written(hours, weekend, is_worked, first, last):
    """A spec of what a library says of each date: what differs from its week is a holiday or a day made up for."""
    week = [day for day in range(7) if day not in weekend]
    dates = [first + n * DAY for n in range((last - first).days)]
    off = [date.isoformat() for date in dates if date.weekday() in week and not is_worked(date)]
    made_up = [date.isoformat() for date in dates if date.weekday() not in week and is_worked(date)]
    return {
        "zone": hours.zone.zone, "weekly": {WEEK[day]: hours.text for day in week}, "holidays": off,
        "overrides": {date: hours.text for date in made_up},
    }


def of_chinesecalendar(rng, _):
    hours = Hours(rng, "Asia/Shanghai")
    first, last = min(chinese_calendar.holidays), max(chinese_calendar.holidays)
    first, last = datetime.date(first.year, 1, 1), datetime.date(last.year + 1, 1, 1)
    spec = written(hours, {5, 6}, chinese_calendar.is_workday, first, last)
    cases = []
    for _ in range(1_500):
        start = any_date(rng, first, last - 60 * DAY)
        end = start + rng.randrange(60) * DAY
        # Both ends are counted.
        cases.append(hours.between(start, end + DAY, len(chinese_calendar.get_workdays(start, end))))
        number = rng.choice([0, 1, 2, 3, 5, 10])
        found = chinese_calendar.find_workday(number, start)
        cases.append(hours.end_of_day(rng, start, number, found, at_opening=True))
    return spec, cases


def of_holidays(rng, country):
    zone = {"AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CN": "Asia/Shanghai", "EG": "Africa/Cairo"}
    hours = Hours(rng, zone.get(country, "Europe/London"))
    first, last = datetime.date(2015, 1, 1), datetime.date(2027, 1, 1)
    library = holidays.country_holidays(country, years=range(2014, 2029))
    spec = written(hours, library.weekend, library.is_working_day, first, last)
    cases = []
    for _ in range(80):
        start = any_date(rng, first, last - 90 * DAY)
        end = start + rng.randrange(60) * DAY
        # Both ends are counted.
        cases.append(hours.between(start, end + DAY, library.get_working_days_count(start, end)))
        number = rng.choice([0, 1, 2, 3, 5, 10, 30])
        cases.append(hours.end_of_day(rng, start, number, library.get_nth_working_day(start, number)))
    return spec, cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("library", choices=["numpy", "chinesecalendar", "holidays"])
    arguments = parser.parse_args()
    of, subjects = {
        "numpy": (of_numpy, ZONES * 4),
        "chinesecalendar": (of_chinesecalendar, [""]),
        "holidays": (of_holidays, COUNTRIES),
    }[arguments.library]
    for n, subject in enumerate(subjects):
        spec, cases = of(random.Random(f"{arguments.seed}/{n}"), subject)
        print(json.dumps({"spec": spec, "cases": cases}))


if __name__ == "__main__":
    main()
