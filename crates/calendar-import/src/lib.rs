//! Working hours written elsewhere, turned into a [`calendar::Spec`]: days off out of iCalendar files, hours out of the
//! opening-hours syntax of OpenStreetMap.
//!
//! What a spec cannot say, or what the source leaves open, is refused with its name; nothing is left out in silence. What
//! either source says by date (a holiday, every second Friday, a season) is written out from the first to the last day of
//! a [`Period`]; after it the week of those rules goes on that name no date, or else the last.

mod evaluate;
mod events;
mod rules;
mod selectors;
mod yaml;

use std::collections::BTreeMap;

use calendar::{Calendar, Fault, Holiday, Spec};
use chrono::NaiveDate;

pub use yaml::document;

/// Longest period in days: what a calendar knows.
const MAX_DAYS: i64 = 36_525;

/// The days that are written out, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

/// What is imported.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The IANA name of the zone whose clocks the hours are read off.
    pub zone: &'a str,
    /// The texts of iCalendar files with days off.
    pub files: &'a [String],
    /// Hours in the opening-hours syntax of OpenStreetMap; its `PH` are the days off of the files.
    pub opening_hours: Option<&'a str>,
    /// What is written out by date.
    pub period: Period,
}

impl Period {
    /// From a date to another, each as YYYY-MM-DD, within 1970 to 2069.
    pub fn new(first: &str, last: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut date = |path: &str, text: &str| {
            if let Err(message) = calendar::read_date(text) {
                faults.push(Fault { path: path.into(), message });
            }
            text.parse::<NaiveDate>().unwrap_or_default()
        };
        let period = Self { first: date("/from", first), last: date("/until", last) };
        if faults.is_empty() && period.last < period.first {
            faults.push(Fault { path: "/until".into(), message: format!("{last} is before {first}") });
        }
        if faults.is_empty() { Ok(period) } else { Err(faults) }
    }

    fn days(self) -> impl Iterator<Item = NaiveDate> {
        let last = self.last;
        self.first.iter_days().take_while(move |date| *date <= last)
    }
}

/// Turns what was written elsewhere into a spec, or names **everything** of it that cannot be said.
///
/// Without opening hours the spec has no week, and is no calendar until it gets one.
pub fn import(source: &Source<'_>) -> Result<Spec, Vec<Fault>> {
    let mut faults = Vec::new();
    if !calendar::is_zone(source.zone) {
        let message = format!("{:?} is not an IANA time zone", source.zone);
        faults.push(Fault { path: "/zone".into(), message });
    }
    let mut holidays = BTreeMap::new();
    for (n, file) in source.files.iter().enumerate() {
        match events::holidays(file, source.period) {
            Ok(dates) => dates.into_iter().for_each(|(date, name)| events::note(&mut holidays, date, &name)),
            Err(found) => faults.extend(found.into_iter().map(|fault| below(&format!("/files/{n}"), fault))),
        }
    }
    let mut spec = Spec { zone: source.zone.to_owned(), ..Spec::default() };
    if let Some(text) = source.opening_hours {
        let holidays = (!source.files.is_empty()).then_some(&holidays);
        match rules::read(text, holidays.is_some()) {
            Ok(rules) => faults.extend(evaluate::hours(&rules, holidays, source.period, &mut spec)),
            Err(found) => faults.extend(found.into_iter().map(|fault| below("/opening_hours", fault))),
        }
    }
    let named = |(date, name): (&NaiveDate, &String)| match name.as_str() {
        "" => Holiday::Date(date.to_string()),
        name => Holiday::Named { date: date.to_string(), name: name.to_owned() },
    };
    spec.holidays = holidays.iter().map(named).collect();
    if faults.is_empty() && source.opening_hours.is_some() {
        faults = Calendar::compile(&spec).err().unwrap_or_default();
    }
    if faults.is_empty() { Ok(spec) } else { Err(faults) }
}

fn below(path: &str, fault: Fault) -> Fault {
    Fault { path: format!("{path}{}", fault.path), message: fault.message }
}
