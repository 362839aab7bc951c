//! Which dates a rule of the opening-hours syntax selects.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use opening_hours_syntax::rules::day::{
    Date, DateOffset, DaySelector, Month, MonthdayRange, WeekDayRange, WeekRange, YearRange,
};

/// Days off by date, with their names.
pub(crate) type Holidays = BTreeMap<NaiveDate, String>;

/// Whether a date is selected.
pub(crate) fn selects(days: &DaySelector, date: NaiveDate, holidays: &Holidays) -> bool {
    in_season(days, date) && on_weekday(days, date, holidays)
}

/// Whether year, month, day and week select a date, whatever its weekday.
pub(crate) fn in_season(days: &DaySelector, date: NaiveDate) -> bool {
    any(&days.year, |years| in_years(years, date))
        && any(&days.monthday, |range| in_months(range, date))
        && any(&days.week, |weeks| in_weeks(weeks, date))
}

/// Whether the weekday of a date, or that it is a day off, is selected.
pub(crate) fn on_weekday(days: &DaySelector, date: NaiveDate, holidays: &Holidays) -> bool {
    any(&days.weekday, |range| match range {
        WeekDayRange::Fixed { range, offset, nth_from_start, nth_from_end } => {
            let date = moved(date, -i64::from(*offset));
            let nth = |day: u32| usize::try_from((day - 1) / 7).unwrap_or_default();
            let (from_start, from_end) = (nth(date.day()), nth(days_in_month(date) + 1 - date.day()));
            let [first, last, this] =
                [*range.start(), *range.end(), date.weekday()].map(|day| day.num_days_from_monday());
            let within = if first <= last { first <= this && this <= last } else { first <= this || this <= last };
            within && (nth_from_start[from_start] || nth_from_end[from_end])
        }
        WeekDayRange::Holiday { offset, .. } => holidays.contains_key(&moved(date, -i64::from(*offset))),
    })
}

/// Whether the weekdays are plain ones: neither counted in their month nor days off.
pub(crate) fn has_plain_weekdays(days: &DaySelector) -> bool {
    days.weekday.iter().all(|range| match range {
        WeekDayRange::Fixed { offset, nth_from_start, .. } => *offset == 0 && nth_from_start.iter().all(|nth| *nth),
        WeekDayRange::Holiday { .. } => false,
    })
}

fn any<T>(list: &[T], selects: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(selects)
}

fn in_years(years: &YearRange, date: NaiveDate) -> bool {
    let (range, step) = years.clone().into_parts();
    let (first, last) = (**range.start(), **range.end());
    (first..=last).contains(&date.year()) && (date.year() - first) % i32::from(step.max(1)) == 0
}

fn in_weeks(weeks: &WeekRange, date: NaiveDate) -> bool {
    let (range, step) = weeks.clone().into_parts();
    let (first, last) = (u32::from(**range.start()), u32::from(**range.end()));
    let week = date.iso_week().week();
    (first..=last).contains(&week) && (week - first).is_multiple_of(u32::from(step.max(1)))
}

fn in_months(range: &MonthdayRange, date: NaiveDate) -> bool {
    match range {
        MonthdayRange::Month { range, year } => {
            let (first, last, this) = (*range.start() as u32, *range.end() as u32, Month::from_date(date) as u32);
            let within = if first <= last { first <= this && this <= last } else { first <= this || this <= last };
            within && year.is_none_or(|year| *year == date.year())
        }
        MonthdayRange::Date { start, end } => {
            // A range without years may have begun the year before, and an offset may carry it over New Year.
            (date.year() - 1..=date.year() + 1).any(|year| {
                let Some(first) = date_of(start, year) else { return false };
                let mut last = date_of(end, end.0.year().map_or(year, |year| *year));
                if end.0.year().is_none() && last.is_some_and(|last| last < first) {
                    last = date_of(end, first.year() + 1);
                }
                let last = last.unwrap_or_else(|| end_of_month(&end.0, first.year()));
                first <= date && date <= last
            })
        }
    }
}

/// The last day of a date's month: a stretch to 29 February ends a day earlier in most years.
fn end_of_month(date: &Date, year: i32) -> NaiveDate {
    let (Date::Fixed { month, .. } | Date::Weekday { month, .. }) = date else { return NaiveDate::MIN };
    let first = NaiveDate::from_ymd_opt(year, *month as u32, 1).unwrap_or(NaiveDate::MIN);
    moved(first, i64::from(days_in_month(first)) - 1)
}

/// The date itself in its own year, or in this one if it names none; nothing in a year without it.
fn date_of((date, offset): &(Date, DateOffset), year: i32) -> Option<NaiveDate> {
    let of = date.year().map_or(year, |year| *year);
    let day = match *date {
        Date::Fixed { month, day, .. } => NaiveDate::from_ymd_opt(of, month as u32, day.into())?,
        Date::Weekday { month, wday, nth, .. } if nth > 0 => {
            NaiveDate::from_weekday_of_month_opt(of, month as u32, wday, nth.unsigned_abs())?
        }
        Date::Weekday { month, wday, nth, .. } => {
            let first = NaiveDate::from_ymd_opt(of, month as u32, 1)?;
            let last = moved(first, i64::from(days_in_month(first)) - 1);
            let back = (7 + last.weekday().num_days_from_monday() - wday.num_days_from_monday()) % 7;
            let back = i64::from(back) + 7 * (i64::from(nth.unsigned_abs().max(1)) - 1);
            Some(moved(last, -back)).filter(|day| day.month() == first.month())?
        }
        Date::Easter { .. } => easter(of)?,
    };
    Some(offset.apply(day))
}

/// Easter Sunday of a Gregorian year. Source: Meeus, Jones and Butcher, as in J. Meeus, Astronomical Algorithms, ch. 8.
fn easter(year: i32) -> Option<NaiveDate> {
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let shift = century - century / 4 - (8 * century + 13) / 25;
    let epact = (19 * golden + shift + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let day = epact + weekday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(day / 31).ok()?, u32::try_from(day % 31 + 1).ok()?)
}

fn days_in_month(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month())
}

fn moved(date: NaiveDate, days: i64) -> NaiveDate {
    let moved = if days < 0 {
        date.checked_sub_days(Days::new(days.unsigned_abs()))
    } else {
        date.checked_add_signed(TimeDelta::days(days))
    };
    moved.unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_falls_where_the_church_says() {
        for known in ["1970-03-29", "2000-04-23", "2008-03-23", "2026-04-05", "2038-04-25", "2069-04-14"] {
            let date: NaiveDate = known.parse().unwrap();
            assert_eq!(easter(date.year()), Some(date));
        }
    }
}
