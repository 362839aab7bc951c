//! An independent, slow answer: walk real time minute by minute and look at the wall clock.

use std::collections::BTreeMap;

use calendar::{Micros, Spec};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

pub(crate) const MINUTE_US: i64 = 60_000_000;

/// Zones whose clocks change in every manner: by half an hour, at midnight, over a whole date, no longer, never.
pub(crate) const ZONES: [&str; 10] = [
    "Africa/Cairo",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Shanghai",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/London",
    "Europe/Rome",
    "Pacific/Apia",
];

type Week = Vec<Vec<(i32, i32)>>;

pub(crate) struct Model {
    pub(crate) zone: TimeZone,
    /// The weeks by their first dates.
    weeks: BTreeMap<Date, Week>,
    holidays: Vec<Date>,
    overrides: BTreeMap<Date, Vec<(i32, i32)>>,
}

impl Model {
    pub(crate) fn new(spec: &Spec) -> Self {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let week = |weekly: &BTreeMap<String, Vec<String>>| -> Week {
            days.iter().map(|day| weekly.get(*day).map(|texts| intervals(texts)).unwrap_or_default()).collect()
        };
        let later = spec.changes.iter().map(|change| (change.from.parse().unwrap(), week(&change.weekly)));
        Self {
            zone: TimeZone::get(&spec.zone).unwrap(),
            weeks: [(Date::MIN, week(&spec.weekly))].into_iter().chain(later).collect(),
            holidays: spec.holidays.iter().map(|holiday| holiday.date().parse().unwrap()).collect(),
            overrides: spec.overrides.iter().map(|(date, texts)| (date.parse().unwrap(), intervals(texts))).collect(),
        }
    }

    /// For each of so many minutes from `from` (a whole minute), whether it is open.
    pub(crate) fn minutes(&self, from: Micros, minutes: usize) -> Vec<bool> {
        // While the clocks repeat an hour nothing opens or closes: the highest reading so far is what counts.
        let early = 180;
        let mut highest = DateTime::MIN;
        let reading = |minute: usize| {
            let at = from + (i64::try_from(minute).unwrap() - early) * MINUTE_US;
            self.zone.to_datetime(Timestamp::from_microsecond(at).unwrap())
        };
        let readings = (0..minutes + 180).map(|minute| {
            highest = highest.max(reading(minute));
            highest
        });
        readings.skip(180).map(|reading| self.open(reading)).collect()
    }

    fn open(&self, reading: DateTime) -> bool {
        let minute = i32::from(reading.hour()) * 60 + i32::from(reading.minute());
        let date = reading.date();
        let covers =
            |date: Date, minute: i32| self.on(date).iter().any(|&(start, end)| start <= minute && minute < end);
        covers(date, minute) || covers(date.checked_sub(1.day()).unwrap(), minute + 1_440)
    }

    /// When a date's last interval ends, in minutes since its 00:00.
    pub(crate) fn end_min(&self, date: Date) -> Option<i32> {
        self.on(date).iter().map(|&(_, end)| end).max()
    }

    fn on(&self, date: Date) -> &[(i32, i32)] {
        if let Some(hours) = self.overrides.get(&date) {
            return hours;
        }
        if self.holidays.contains(&date) {
            return &[];
        }
        let (_, week) = self.weeks.range(..=date).next_back().unwrap();
        &week[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()]
    }
}

fn intervals(texts: &[String]) -> Vec<(i32, i32)> {
    let minute = |text: &str| text[..2].parse::<i32>().unwrap() * 60 + text[3..].parse::<i32>().unwrap();
    let interval = |text: &String| match (minute(&text[..5]), minute(&text[6..])) {
        (start, end) if end <= start => (start, end + 1_440),
        bounds => bounds,
    };
    texts.iter().map(interval).collect()
}
