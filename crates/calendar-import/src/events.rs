//! Days off out of an iCalendar file (RFC 5545): every all-day event is one, or several.
//!
//! Time zones do not matter to a date and are passed over, as is what does not say when an event takes place. An event
//! with a time of day is no day off and is refused, so that nobody believes in an afternoon that the calendar works.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Fault;
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use icalendar::parser::{Component, Property, read_components, unfold};
use rrule::{RRuleSet, Tz};

use crate::{MAX_DAYS, Period};

/// Most events of a file.
const MAX_EVENTS: usize = 10_000;

/// One all-day event.
#[derive(Default)]
struct Event {
    path: String,
    uid: String,
    name: String,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    days: Option<u64>,
    rules: Vec<String>,
    added: Vec<NaiveDate>,
    without: BTreeSet<NaiveDate>,
    /// The day of the series that this event stands for.
    instead_of: Option<NaiveDate>,
    cancelled: bool,
    /// Something of it cannot be said.
    refused: bool,
}

/// The days off that lie in the period, with their names.
pub(crate) fn holidays(text: &str, period: Period) -> Result<BTreeMap<NaiveDate, String>, Vec<Fault>> {
    let text = unfold(text.trim_start_matches('\u{feff}'));
    let whole = |message: String| vec![Fault { path: String::new(), message }];
    let calendars = read_components(&text).map_err(|error| whole(format!("is not iCalendar: {error}")))?;
    let mut faults = Vec::new();
    let components = || calendars.iter().flat_map(|calendar| &calendar.components);
    if calendars.is_empty() || calendars.iter().any(|calendar| calendar.name.as_str() != "VCALENDAR") {
        return Err(whole("is not iCalendar: it is no VCALENDAR".into()));
    }
    // The parser stops at what it cannot read.
    let begun = text.lines().filter(|line| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT")).count();
    let events: Vec<_> = components().filter(|component| component.name.as_str() == "VEVENT").collect();
    if events.len() != begun {
        return Err(whole(format!("is not iCalendar: {} of {begun} events can be read", events.len())));
    }
    if events.len() > MAX_EVENTS {
        return Err(whole(format!("has more than {MAX_EVENTS} events")));
    }
    for other in components().filter(|other| !["VEVENT", "VTIMEZONE"].contains(&other.name.as_str())) {
        faults.extend(whole(format!("has a {}, which is no day off", other.name.as_str())));
    }
    let events: Vec<_> = events.iter().enumerate().map(|(n, event)| Event::read(n, event, &mut faults)).collect();
    let mut days = BTreeMap::new();
    for event in &events {
        let moved = events.iter().filter(|other| other.uid == event.uid && event.instead_of.is_none());
        let moved: BTreeSet<_> = moved.filter_map(|other| other.instead_of).collect();
        match event.dates(&moved, period) {
            Ok(dates) => dates.into_iter().for_each(|date| note(&mut days, date, &event.name)),
            Err(message) => faults.push(Fault { path: event.path.clone(), message }),
        }
    }
    if faults.is_empty() { Ok(days) } else { Err(faults) }
}

/// Adds a day off; one with several names has them all.
pub(crate) fn note(days: &mut BTreeMap<NaiveDate, String>, date: NaiveDate, name: &str) {
    let names = days.entry(date).or_default();
    if names.is_empty() {
        name.clone_into(names);
    } else if !names.split(", ").any(|known| known == name) {
        *names = format!("{names}, {name}");
    }
}

impl Event {
    fn read(n: usize, component: &Component<'_>, faults: &mut Vec<Fault>) -> Self {
        let mut event = Self { path: format!("/events/{n}"), ..Self::default() };
        let before = faults.len();
        for inner in component.components.iter().filter(|inner| inner.name.as_str() != "VALARM") {
            faults.push(event.fault(inner.name.as_str(), "cannot be said"));
        }
        if let Some(name) = component.properties.iter().find(|property| is(property, "SUMMARY")) {
            name.val.clone().unescape_text().as_str().trim().clone_into(&mut event.name);
        }
        for property in &component.properties {
            let read = event.take(property);
            faults.extend(read.err().map(|message| event.fault(property.name.as_str(), &message)));
        }
        event.refused = faults.len() > before;
        event
    }

    fn fault(&self, of: &str, message: &str) -> Fault {
        let of = of.to_ascii_uppercase();
        Fault { path: format!("{}/{of}", self.path), message: format!("of {:?} {message}", self.name) }
    }

    fn take(&mut self, property: &Property<'_>) -> Result<(), String> {
        let value = property.val.as_str().trim();
        match property.name.as_str().to_ascii_uppercase().as_str() {
            "UID" => value.clone_into(&mut self.uid),
            "DTSTART" => self.start = Some(one_date(property)?),
            "DTEND" => self.end = Some(one_date(property)?),
            "DURATION" => self.days = Some(days(value).ok_or("is not a number of days or weeks such as P2D")?),
            "RRULE" => self.rules.push(rule(value)?),
            "RDATE" => self.added.extend(dates(property)?),
            "EXDATE" => self.without.extend(dates(property)?),
            "RECURRENCE-ID" if property.params.iter().any(|param| param.key.as_str() == "RANGE") => {
                return Err("changes all that follows (RANGE), which cannot be said".into());
            }
            "RECURRENCE-ID" => self.instead_of = Some(one_date(property)?),
            "EXRULE" => return Err("cannot be said; RFC 5545 knows EXDATE".into()),
            "STATUS" if value.eq_ignore_ascii_case("CANCELLED") => self.cancelled = true,
            "STATUS" if !value.eq_ignore_ascii_case("CONFIRMED") => {
                return Err(format!("is {value}: confirm it or take it out"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The days of this event that lie in the period, apart from those that another stands for.
    fn dates(&self, moved: &BTreeSet<NaiveDate>, period: Period) -> Result<Vec<NaiveDate>, String> {
        if self.cancelled || self.refused {
            return Ok(Vec::new());
        }
        let start = self.start.ok_or_else(|| format!("{:?} has no DTSTART", self.name))?;
        let length = match (self.end, self.days) {
            (Some(_), Some(_)) => return Err(format!("{:?} has both DTEND and DURATION", self.name)),
            (Some(end), None) if end < start => return Err(format!("{:?} ends before it starts", self.name)),
            // DTEND is the day after the last; some write the day itself.
            (Some(end), None) => u64::try_from((end - start).num_days()).unwrap_or_default().max(1),
            (None, days) => days.unwrap_or(1),
        };
        let reach = length.min(MAX_DAYS.unsigned_abs());
        let first = period.first.checked_sub_days(Days::new(reach)).unwrap_or(period.first);
        let mut starts = self.starts(start, first, period.last)?;
        starts.retain(|date| !self.without.contains(date) && !moved.contains(date));
        let last = |start: NaiveDate| start.checked_add_days(Days::new(length - 1)).unwrap_or(NaiveDate::MAX);
        let covered = |start: NaiveDate| {
            let last = last(start).min(period.last);
            start.max(period.first).iter_days().take_while(move |date| *date <= last)
        };
        Ok(starts.into_iter().flat_map(covered).collect())
    }

    /// The days from `first` to `last` on which this event starts.
    fn starts(&self, start: NaiveDate, first: NaiveDate, last: NaiveDate) -> Result<Vec<NaiveDate>, String> {
        let mut starts = self.added.clone();
        if self.rules.is_empty() {
            starts.push(start);
        }
        for rule in &self.rules {
            let wrong = |error: rrule::RRuleError| format!("RRULE of {:?}: {error}", self.name);
            let written = format!("DTSTART:{}T000000Z\nRRULE:{rule}", start.format("%Y%m%d"));
            let series: RRuleSet = written.parse().map_err(wrong)?;
            if series.clone().all(1).dates.first().map(chrono::DateTime::date_naive) != Some(start) {
                return Err(format!("{:?} starts on {start}, which is no day of its own RRULE", self.name));
            }
            let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc().with_timezone(&Tz::UTC);
            let (after, before) = (midnight(first), midnight(last) + TimeDelta::seconds(1));
            let found = series.after(after).before(before).all(u16::MAX);
            if found.limited {
                return Err(format!("RRULE of {:?} repeats too often to be written out", self.name));
            }
            starts.extend(found.dates.iter().map(chrono::DateTime::date_naive));
        }
        starts.retain(|date| (first..=last).contains(date));
        Ok(starts)
    }
}

fn is(property: &Property<'_>, name: &str) -> bool {
    property.name.as_str().eq_ignore_ascii_case(name)
}

fn one_date(property: &Property<'_>) -> Result<NaiveDate, String> {
    match dates(property)?.as_slice() {
        [date] => Ok(*date),
        _ => Err("names more than one date".into()),
    }
}

fn dates(property: &Property<'_>) -> Result<Vec<NaiveDate>, String> {
    let read = |text: &str| match text.trim() {
        text if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            NaiveDate::parse_from_str(text, "%Y%m%d").map_err(|_| format!("is {text}, which is no date"))
        }
        text => Err(format!("is {text:?}, not a date alone: only all-day events are days off")),
    };
    property.val.as_str().split(',').map(read).collect()
}

/// The days of a DURATION.
fn days(text: &str) -> Option<u64> {
    let number = text.strip_prefix('P').or_else(|| text.strip_prefix("+P"))?;
    let days = match (number.strip_suffix('D'), number.strip_suffix('W')) {
        (Some(days), _) => days.parse().ok()?,
        (None, Some(weeks)) => weeks.parse::<u64>().ok()?.checked_mul(7)?,
        (None, None) => return None,
    };
    (1..=MAX_DAYS.unsigned_abs()).contains(&days).then_some(days)
}

/// A rule that repeats days, its end written as the instant at which the days of a series begin.
fn rule(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim().to_ascii_uppercase().as_str() {
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => Err(format!("repeats by the clock ({name}): no day off does")),
            "FREQ" if ["HOURLY", "MINUTELY", "SECONDLY"].contains(&value.to_ascii_uppercase().as_str()) => {
                Err(format!("repeats by the clock ({value}): no day off does"))
            }
            "UNTIL" => Ok(format!("UNTIL={}T000000Z", value.get(..8).unwrap_or(value))),
            _ => Ok(part.trim().to_owned()),
        }
    };
    let parts: Result<Vec<_>, _> = text.split(';').filter(|part| !part.trim().is_empty()).map(part).collect();
    Ok(parts?.join(";"))
}
