//! Rules evaluated day by day, and the days put together again into weeks, changes of the week and single dates.
//!
//! To OpenStreetMap a day is its own 24 hours: a rule for Saturday ends a Friday night at midnight, unless it only adds.
//! To a calendar a night belongs to the day on which it starts. So each day is evaluated minute by minute, and what is
//! left of a night is given back to the evening before.

use std::{collections::BTreeMap, iter::successors};

use calendar::{Change, Fault, Spec};
use chrono::{Datelike, Days, NaiveDate};

use crate::{
    Period,
    rules::Rule,
    selectors::{Holidays, has_plain_weekdays, in_season, on_weekday, selects},
};

const DAY_MIN: usize = 1_440;
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// A rule for fewer days at a stretch than these makes dates of their own, not a season.
const SEASON_DAYS: usize = 14;
/// Most changes of the week a calendar may have.
const MAX_CHANGES: usize = 64;

/// What a minute of a day is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Minute {
    Closed,
    /// Opened by a rule for this day.
    Own,
    /// Opened by a rule for the day before.
    Night,
}

/// Intervals of a day in minutes; those that end beyond 1,440 end on the day after.
type Hours = Vec<(usize, usize)>;
type Week = [Hours; 7];

/// Puts week, changes and dates into the spec; what the rules make of days off as well. Faults, if it cannot be said.
pub(crate) fn hours(rules: &[Rule], holidays: Option<&Holidays>, period: Period, spec: &mut Spec) -> Vec<Fault> {
    let none = Holidays::new();
    let holidays = holidays.unwrap_or(&none);
    let seasonal: Vec<bool> = rules.iter().map(|rule| is_seasonal(rule, period)).collect();
    let season = |date: NaiveDate| -> Vec<bool> {
        rules.iter().zip(&seasonal).map(|(rule, seasonal)| *seasonal && in_season(&rule.days, date)).collect()
    };
    let mut weeks = BTreeMap::<Vec<bool>, Week>::new();
    let mut in_force: Option<Week> = None;
    for date in period.days() {
        let season = season(date);
        let week = &*weeks.entry(season).or_insert_with_key(|season| week(rules, season));
        match &in_force {
            None => {
                spec.weekly = written_week(week);
                let before = successors(period.first.pred_opt(), NaiveDate::pred_opt);
                spec.overrides.extend(beyond(rules, holidays, week, before));
            }
            Some(before) if before == week => {}
            Some(_) => spec.changes.push(Change { from: date.to_string(), weekly: written_week(week) }),
        }
        let hours = on(rules, date, holidays);
        let of_their_own = if holidays.contains_key(&date) { !hours.is_empty() } else { hours != week[weekday(date)] };
        if of_their_own {
            spec.overrides.insert(date.to_string(), written(&hours));
        }
        in_force = Some(week.clone());
    }
    // What names no date goes on after the period.
    let dated =
        |rule: &Rule| !(rule.days.year.is_empty() && rule.days.monthday.is_empty() && rule.days.week.is_empty());
    let undated: Vec<bool> = rules.iter().zip(&seasonal).map(|(rule, seasonal)| *seasonal && !dated(rule)).collect();
    let undated = week(rules, &undated);
    let last = in_force.unwrap_or_default();
    let after = if undated.iter().all(Vec::is_empty) { &last } else { &undated };
    if let Some(from) = period.last.succ_opt().filter(|from| *after != last && is_known(*from)) {
        spec.changes.push(Change { from: from.to_string(), weekly: written_week(after) });
    }
    spec.overrides.extend(beyond(rules, holidays, after, successors(period.last.succ_opt(), NaiveDate::succ_opt)));
    let changes = spec.changes.len();
    if changes > MAX_CHANGES {
        let message =
            format!("the week changes {changes} times, a calendar has room for {MAX_CHANGES}: end it earlier");
        return vec![Fault { path: "/until".into(), message }];
    }
    Vec::new()
}

/// The hours of dates next to the period, until one is as its week has it, for a week at most: a night may reach over the
/// edge, or have to end there.
fn beyond(
    rules: &[Rule],
    holidays: &Holidays,
    week: &Week,
    dates: impl Iterator<Item = NaiveDate>,
) -> Vec<(String, Vec<String>)> {
    let hours = dates.take(7).filter(|date| is_known(*date)).map(|date| (date, on(rules, date, holidays)));
    let odd = hours.take_while(|(date, hours)| *hours != week[weekday(*date)]);
    odd.map(|(date, hours)| (date.to_string(), written(&hours))).collect()
}

/// Whether a calendar knows a date.
fn is_known(date: NaiveDate) -> bool {
    calendar::read_date(&date.to_string()).is_ok()
}

/// Whether a rule holds for weeks on end, so that it is part of the week in force then.
fn is_seasonal(rule: &Rule, period: Period) -> bool {
    let plain = has_plain_weekdays(&rule.days) && rule.days.week.is_empty();
    let days: Vec<bool> = period.days().map(|date| in_season(&rule.days, date)).collect();
    let mut runs = days.chunk_by(|one, other| one == other).peekable();
    let (mut first, mut long) = (true, true);
    while let Some(run) = runs.next() {
        // One that the period cuts off may have been longer.
        let cut = first || runs.peek().is_none();
        long &= cut || run.len() >= SEASON_DAYS;
        first = false;
    }
    plain && long
}

/// The week that the rules in season make.
fn week(rules: &[Rule], season: &[bool]) -> Week {
    // A week without days off, to look weekdays up in.
    let monday = NaiveDate::default().week(chrono::Weekday::Mon).first_day();
    let chosen = |date: NaiveDate, n: usize| season[n] && on_weekday(&rules[n].days, date, &Holidays::new());
    std::array::from_fn(|weekday| {
        let date = monday.checked_add_days(Days::new(7 + weekday as u64)).unwrap_or(monday);
        joined(rules, date, &chosen)
    })
}

/// The hours of a date.
fn on(rules: &[Rule], date: NaiveDate, holidays: &Holidays) -> Hours {
    joined(rules, date, &|date, n| selects(&rules[n].days, date, holidays))
}

/// The hours that start on a date, its night to the end; `chosen` tells which rules are for which date.
fn joined(rules: &[Rule], date: NaiveDate, chosen: &impl Fn(NaiveDate, usize) -> bool) -> Hours {
    let Some((before, after)) = date.pred_opt().zip(date.succ_opt()) else { return Vec::new() };
    let [yesterday, today, tomorrow] = [before, date, after].map(|date| stretches(&minutes(rules, date, chosen)));
    let mut hours = Vec::new();
    for (kind, start, end) in &today {
        // The rest of a night that began yesterday is yesterday's.
        if *kind == Minute::Night && *start == 0 && evening(&yesterday).is_some_and(|began| *end <= began) {
            continue;
        }
        hours.push((*start, *end));
    }
    let night = tomorrow.first().filter(|(kind, start, _)| *kind == Minute::Night && *start == 0);
    if let (Some(began), Some((_, _, end))) = (evening(&today), night)
        && *end <= began
        && let Some(last) = hours.last_mut()
    {
        last.1 = DAY_MIN + end;
    }
    hours
}

/// When the hours that last until midnight began.
fn evening(day: &[(Minute, usize, usize)]) -> Option<usize> {
    day.last().filter(|(_, _, end)| *end == DAY_MIN).map(|(_, start, _)| *start)
}

/// What each minute of a date is: the last rule that says something about it decides; one that opens, and does not only
/// add, first takes back what those before it said.
fn minutes(rules: &[Rule], date: NaiveDate, chosen: &impl Fn(NaiveDate, usize) -> bool) -> Vec<Minute> {
    let mut minutes = vec![Minute::Closed; DAY_MIN];
    for (n, rule) in rules.iter().enumerate() {
        let today = chosen(date, n);
        if today && rule.opens && rule.replaces {
            minutes.fill(Minute::Closed);
        }
        let mut say = |from: usize, to: usize, open: Minute| {
            let (from, to) = (from.min(DAY_MIN), to.min(DAY_MIN));
            minutes[from..to].fill(if rule.opens { open } else { Minute::Closed });
        };
        let spans = || rule.spans.iter().map(|&(start, end)| (start as usize, end as usize));
        if today {
            spans().for_each(|(start, end)| say(start, end, Minute::Own));
        }
        if date.pred_opt().is_some_and(|yesterday| chosen(yesterday, n)) {
            spans().for_each(|(start, end)| {
                say(start.saturating_sub(DAY_MIN), end.saturating_sub(DAY_MIN), Minute::Night);
            });
        }
    }
    minutes
}

/// The open stretches of a day, in order.
fn stretches(minutes: &[Minute]) -> Vec<(Minute, usize, usize)> {
    let mut at = 0;
    let mut stretches = Vec::new();
    for run in minutes.chunk_by(|one, other| one == other) {
        if run[0] != Minute::Closed {
            stretches.push((run[0], at, at + run.len()));
        }
        at += run.len();
    }
    stretches
}

fn weekday(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}

fn written_week(week: &Week) -> BTreeMap<String, Vec<String>> {
    let days = WEEK.iter().zip(week).filter(|(_, hours)| !hours.is_empty());
    days.map(|(name, hours)| ((*name).to_owned(), written(hours))).collect()
}

fn written(hours: &Hours) -> Vec<String> {
    let clock = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
    let end = |end: usize| clock(if end > DAY_MIN { end - DAY_MIN } else { end });
    hours.iter().map(|&(start, to)| format!("{}-{}", clock(start), end(to))).collect()
}
