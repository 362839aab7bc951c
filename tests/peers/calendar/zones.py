"""Zones whose clocks change in every manner (by half an hour, at midnight, the other way round, no longer, never), and
their local times as seconds since the epoch."""

import datetime

import pytz

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = datetime.timedelta(days=1)
ZONES = [
    "Africa/Cairo", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Asia/Kolkata", "Asia/Shanghai",
    "Asia/Tehran", "Australia/Lord_Howe", "Europe/London", "Europe/Rome", "Pacific/Auckland", "UTC",
]


def local(zone, date, time=datetime.time()):
    """The instant at which the zone's wall clock shows this."""
    return zone.localize(datetime.datetime.combine(date, time))


def changes(zone, first, last):
    """The local dates from the year `first` to the year `last` on which the zone changes its offset."""
    instants = [at.replace(tzinfo=pytz.utc) for at in getattr(zone, "_utc_transition_times", [])]
    years = [at.astimezone(zone).date() for at in instants if at.year > 1]
    return sorted({date for date in years if first <= date.year <= last})


def clock(quarter):
    """A time of day, from quarters of an hour."""
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def worked(start, end, length):
    return {"from_secs": int(start.timestamp()), "to_secs": int(end.timestamp()), "worked_secs": length}


def deadline(start, budget, due):
    return {"from_secs": int(start.timestamp()), "budget_secs": budget, "due_secs": int(due.timestamp())}
