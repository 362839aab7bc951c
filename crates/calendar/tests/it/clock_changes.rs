//! Every change of the clocks of ten zones from 2000 to 2037, minute by minute.

use calendar::{Calendar, Spec};
use jiff::Timestamp;

use crate::model::{MINUTE_US, Model, ZONES};

/// Bounds before, in and after the hours in which clocks are changed, by day and overnight.
const DAYS: [&[&str]; 2] = [
    &["00:00-00:20", "00:30-01:15", "01:50-02:10", "02:15-02:45", "02:50-03:00", "03:30-04:00", "23:10-24:00"],
    &["02:20-02:40", "03:10-12:00", "22:30-01:30"],
];

const AROUND_MINUTES: usize = 14 * 60;

/// Proves part of: L2
#[test]
fn every_minute_around_every_change_counts_as_the_walk_counts_it() {
    let mut changes = 0;
    for zone in ZONES {
        for day in DAYS {
            let spec = every_day(zone, day);
            let (calendar, model) = (Calendar::compile(&spec).unwrap(), Model::new(&spec));
            changes += changes_of(&model).map(|change| check(&calendar, &model, change)).count();
        }
    }
    assert!(changes > 2 * 400, "{changes}");
}

fn every_day(zone: &str, intervals: &[&str]) -> Spec {
    let intervals: Vec<String> = intervals.iter().map(ToString::to_string).collect();
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let weekly = week.into_iter().map(|day| (day.to_owned(), intervals.clone())).collect();
    Spec { zone: zone.to_owned(), weekly, ..Spec::default() }
}

fn changes_of(model: &Model) -> impl Iterator<Item = i64> {
    let [first, last] = ["2000-01-01T00:00Z", "2038-01-01T00:00Z"].map(|at| at.parse::<Timestamp>().unwrap());
    let changes = model.zone.following(first).map(|change| change.timestamp());
    changes.take_while(move |change| *change < last).map(Timestamp::as_microsecond)
}

fn check(calendar: &Calendar, model: &Model, change: i64) {
    let from = change - i64::try_from(AROUND_MINUTES).unwrap() * MINUTE_US;
    assert_eq!(from % MINUTE_US, 0, "clocks change at whole minutes");
    let (mut at, mut worked_us) = (from, 0);
    for open in model.minutes(from, 2 * AROUND_MINUTES) {
        assert_eq!(calendar.is_open(at), open, "at {at} in {calendar:?}");
        at += MINUTE_US;
        if open {
            worked_us += MINUTE_US;
            assert_eq!(calendar.deadline(from, worked_us), Some(at), "to {at} in {calendar:?}");
        }
        assert_eq!(calendar.worked(from, at), worked_us, "to {at} in {calendar:?}");
    }
}
