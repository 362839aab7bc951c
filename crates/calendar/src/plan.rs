//! Which intervals each local date has: override before holiday before week; and all faults found while reading them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil::Date, tz::TimeZone};

use crate::{DAY_MIN, DAY_US, Fault, HORIZON_DAYS, Spec, interval::Interval};

/// Bounds the table: at most this many intervals on each of the horizon's days.
const MAX_INTERVALS: usize = 16;
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days are numbered from 1970-01-01, a Thursday; each one's intervals are in order.
pub(crate) struct Plan {
    weekly: [Vec<Interval>; 7],
    dated: BTreeMap<i64, Vec<Interval>>,
}

impl Plan {
    /// Reads a spec; the plan is of use only if no fault was added.
    pub(crate) fn read(spec: &Spec, faults: &mut Vec<Fault>) -> Self {
        let mut plan = Self { weekly: Default::default(), dated: BTreeMap::new() };
        plan.read_week(spec, faults);
        plan.read_holidays(spec, faults);
        plan.read_overrides(spec, faults);
        plan
    }

    /// The intervals that start on a day.
    pub(crate) fn on(&self, day: i64) -> &[Interval] {
        self.dated.get(&day).unwrap_or_else(|| {
            let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
            &self.weekly[weekday]
        })
    }

    fn read_week(&mut self, spec: &Spec, faults: &mut Vec<Fault>) {
        for (name, texts) in &spec.weekly {
            let path = format!("/weekly/{}", escaped(name));
            match WEEK.iter().position(|day| day == name) {
                Some(weekday) => self.weekly[weekday] = read_day(&path, texts, faults),
                None => faults.push(Fault { path, message: format!("{name:?} is none of {}", WEEK.join(", ")) }),
            }
        }
        for (weekday, name) in WEEK.into_iter().enumerate() {
            let tomorrow = (weekday + 1) % 7;
            if let Some((late, early)) = collision(&self.weekly[weekday], &self.weekly[tomorrow]) {
                let path = format!("/weekly/{name}/{}", index(spec.weekly.get(name), late));
                faults.push(Fault { path, message: format!("{late} runs into {early} of {}", WEEK[tomorrow]) });
            }
        }
    }

    fn read_holidays(&mut self, spec: &Spec, faults: &mut Vec<Fault>) {
        for (k, holiday) in spec.holidays.iter().enumerate() {
            let read = read_date(holiday.date()).and_then(|day| match self.dated.insert(day, Vec::new()) {
                Some(_) => Err(format!("{} is listed twice", holiday.date())),
                None => Ok(()),
            });
            if let Err(message) = read {
                faults.push(Fault { path: format!("/holidays/{k}"), message });
            }
        }
    }

    fn read_overrides(&mut self, spec: &Spec, faults: &mut Vec<Fault>) {
        let mut dates = BTreeMap::new();
        for (date, texts) in &spec.overrides {
            let path = format!("/overrides/{}", escaped(date));
            match read_date(date) {
                Ok(day) => {
                    self.dated.insert(day, read_day(&path, texts, faults));
                    dates.insert(day, (date, texts));
                }
                Err(message) => faults.push(Fault { path, message }),
            }
        }
        let evenings: BTreeSet<i64> = dates.keys().flat_map(|day| [day - 1, *day]).collect();
        for evening in evenings {
            let Some((late, early)) = collision(self.on(evening), self.on(evening + 1)) else { continue };
            let today = dates.get(&evening).map(|found| (found, late, format!("runs into {early} of the next day")));
            let tomorrow = dates
                .get(&(evening + 1))
                .map(|found| (found, early, format!("starts before {late} of the day before ends")));
            if let Some(((date, texts), interval, clash)) = today.or(tomorrow) {
                let path = format!("/overrides/{date}/{}", index(Some(texts), interval));
                faults.push(Fault { path, message: format!("{interval} {clash}") });
            }
        }
    }
}

/// A day's intervals in order.
fn read_day(path: &str, texts: &[String], faults: &mut Vec<Fault>) -> Vec<Interval> {
    if texts.len() > MAX_INTERVALS {
        faults.push(Fault { path: path.into(), message: format!("more than {MAX_INTERVALS} intervals") });
        return Vec::new();
    }
    let mut intervals: Vec<Interval> = Vec::new();
    for (k, text) in texts.iter().enumerate() {
        let read = text.parse::<Interval>().and_then(|interval| {
            match intervals.iter().find(|earlier| earlier.overlaps(interval)) {
                Some(earlier) => Err(format!("{interval} overlaps {earlier}")),
                None => Ok(interval),
            }
        });
        match read {
            Ok(interval) => intervals.push(interval),
            Err(message) => faults.push(Fault { path: format!("{path}/{k}"), message }),
        }
    }
    intervals.sort_unstable();
    intervals
}

/// The last interval of a day and the first of the next, if the one has not ended when the other starts.
fn collision(today: &[Interval], tomorrow: &[Interval]) -> Option<(Interval, Interval)> {
    let (&late, &early) = (today.last()?, tomorrow.first()?);
    (late.end_min - DAY_MIN > early.start_min).then_some((late, early))
}

/// Where among the texts an interval stands.
fn index(texts: Option<&Vec<String>>, interval: Interval) -> usize {
    texts.and_then(|texts| texts.iter().position(|text| text.parse() == Ok(interval))).unwrap_or_default()
}

/// The number of the day written as YYYY-MM-DD.
pub fn read_date(text: &str) -> Result<i64, String> {
    let date: Option<Date> = text.parse().ok().filter(|date: &Date| date.to_string() == text);
    let midnight = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let Some(midnight) = midnight else { return Err(format!("{text:?} is not a date YYYY-MM-DD")) };
    let day = midnight.timestamp().as_microsecond().div_euclid(DAY_US);
    if (0..HORIZON_DAYS).contains(&day) { Ok(day) } else { Err(format!("{text} is not from 1970 to 2069")) }
}

/// A key as a part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
