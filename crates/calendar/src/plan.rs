//! Which intervals each local date has: override before holiday before the week in force; and all faults found while
//! reading them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil::Date, tz::TimeZone};

use crate::{DAY_MIN, DAY_US, Fault, HORIZON_DAYS, Spec, interval::Interval};

/// Bounds the table: at most this many intervals on each of the horizon's days.
const MAX_INTERVALS: usize = 16;
/// Most weeks that follow the first.
const MAX_CHANGES: usize = 64;
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days are numbered from 1970-01-01, a Thursday; each one's intervals are in order.
#[derive(Default)]
pub(crate) struct Plan {
    /// The week of all days before the first change.
    first: Week,
    /// The others by the first day of each.
    later: BTreeMap<i64, Later>,
    dated: BTreeMap<i64, Vec<Interval>>,
}

type Week = [Vec<Interval>; 7];

/// A week in force from a day on, and its place among the changes.
struct Later {
    week: Week,
    place: usize,
}

impl Plan {
    /// Reads a spec; the plan is of use only if no fault was added.
    pub(crate) fn read(spec: &Spec, faults: &mut Vec<Fault>) -> Self {
        let mut plan = Self { first: read_week("/weekly", &spec.weekly, faults), ..Self::default() };
        plan.read_changes(spec, faults);
        plan.read_holidays(spec, faults);
        plan.read_overrides(spec, faults);
        plan
    }

    /// The intervals that start on a day.
    pub(crate) fn on(&self, day: i64) -> &[Interval] {
        self.dated.get(&day).unwrap_or_else(|| {
            let week = self.later.range(..=day).next_back().map_or(&self.first, |(_, later)| &later.week);
            &week[weekday(day)]
        })
    }

    fn read_changes(&mut self, spec: &Spec, faults: &mut Vec<Fault>) {
        if spec.changes.len() > MAX_CHANGES {
            faults.push(Fault { path: "/changes".into(), message: format!("more than {MAX_CHANGES} changes") });
            return;
        }
        for (place, change) in spec.changes.iter().enumerate() {
            let week = read_week(&format!("/changes/{place}/weekly"), &change.weekly, faults);
            let read = read_date(&change.from).and_then(|day| match self.later.insert(day, Later { week, place }) {
                Some(other) => Err(format!("{} is where /changes/{} begins", change.from, other.place)),
                None => Ok(()),
            });
            if let Err(message) = read {
                faults.push(Fault { path: format!("/changes/{place}/from"), message });
            }
        }
    }

    /// The place of the last change, if no day has hours from then on.
    pub(crate) fn ends_with(&self) -> Option<usize> {
        let (&from, last) = self.later.last_key_value()?;
        (from..HORIZON_DAYS).all(|day| self.on(day).is_empty()).then_some(last.place)
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
                    dates.insert(day, (path, texts));
                }
                Err(message) => faults.push(Fault { path, message }),
            }
        }
        let begins: BTreeMap<_, _> =
            self.later.iter().filter_map(|(&day, later)| Some((day, later.begins(day, spec)?))).collect();
        let evenings: BTreeSet<i64> =
            dates.keys().flat_map(|day| [day - 1, *day]).chain(begins.keys().map(|day| day - 1)).collect();
        for evening in evenings {
            let Some((late, early)) = collision(self.on(evening), self.on(evening + 1)) else { continue };
            let today = dates.get(&evening).map(|found| (found, late, format!("runs into {early} of the next day")));
            let tomorrow = dates
                .get(&(evening + 1))
                .or_else(|| begins.get(&(evening + 1)))
                .map(|found| (found, early, format!("starts before {late} of the day before ends")));
            if let Some(((path, texts), interval, clash)) = today.or(tomorrow) {
                let path = format!("{path}/{}", index(Some(texts), interval));
                faults.push(Fault { path, message: format!("{interval} {clash}") });
            }
        }
    }
}

impl Later {
    /// The written intervals of the day on which this week begins, and where they stand.
    fn begins<'a>(&self, day: i64, spec: &'a Spec) -> Option<(String, &'a Vec<String>)> {
        let name = WEEK[weekday(day)];
        let texts = spec.changes[self.place].weekly.get(name)?;
        Some((format!("/changes/{}/weekly/{name}", self.place), texts))
    }
}

/// The intervals of each day of a week.
fn read_week(path: &str, weekly: &BTreeMap<String, Vec<String>>, faults: &mut Vec<Fault>) -> Week {
    let mut week = Week::default();
    for (name, texts) in weekly {
        let path = format!("{path}/{}", escaped(name));
        match WEEK.iter().position(|day| day == name) {
            Some(weekday) => week[weekday] = read_day(&path, texts, faults),
            None => faults.push(Fault { path, message: format!("{name:?} is none of {}", WEEK.join(", ")) }),
        }
    }
    for (weekday, name) in WEEK.into_iter().enumerate() {
        let tomorrow = (weekday + 1) % 7;
        if let Some((late, early)) = collision(&week[weekday], &week[tomorrow]) {
            let path = format!("{path}/{name}/{}", index(weekly.get(name), late));
            faults.push(Fault { path, message: format!("{late} runs into {early} of {}", WEEK[tomorrow]) });
        }
    }
    week
}

/// From Monday, 0, to Sunday, 6.
fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default()
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
