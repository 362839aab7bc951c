//! What holds for every calendar, with intervals, nights, holidays and overrides drawn at random.

use std::collections::{BTreeMap, BTreeSet};

use calendar::{Calendar, Change, HORIZON_END, Holiday, Micros, Spec};
use jiff::{Timestamp, ToSpan, civil::Date};
use proptest::{collection, prelude::*, sample};

use crate::model::{MINUTE_US, Model, ZONES};

const DAY_US: i64 = 1_440 * MINUTE_US;

/// 2024-01-01, from which the drawn dates count.
const FIRST: Date = Date::constant(2024, 1, 1);
const FIRST_US: Micros = 1_704_067_200_000_000;

fn instant() -> impl Strategy<Value = Micros> {
    (FIRST_US - 5 * DAY_US..FIRST_US + 60 * DAY_US).prop_flat_map(|at| {
        sample::select(vec![at, at.div_euclid(MINUTE_US) * MINUTE_US, at.div_euclid(60 * MINUTE_US) * 60 * MINUTE_US])
    })
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Intervals cut from a week, turned by some minutes so that some night runs over its end.
fn weekly() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    (collection::btree_set(0..10_080_u32, 2..40), 0..10_080_u32).prop_map(|(cuts, turn)| {
        let cuts: Vec<u32> = cuts.into_iter().collect();
        let mut weekly = BTreeMap::<String, Vec<String>>::new();
        for pair in cuts.chunks_exact(2).filter(|pair| pair[1] - pair[0] <= 1_440) {
            let (start, minutes) = ((pair[0] + turn) % 10_080, pair[1] - pair[0]);
            let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][start as usize / 1_440];
            let end = start % 1_440 + minutes;
            let text = format!("{}-{}", clock(start % 1_440), clock(if end > 1_440 { end - 1_440 } else { end }));
            weekly.entry(day.to_owned()).or_default().push(text);
        }
        weekly
    })
}

fn date() -> impl Strategy<Value = String> {
    (0..60_i64).prop_map(|days| FIRST.checked_add(days.days()).unwrap().to_string())
}

fn holidays() -> impl Strategy<Value = Vec<Holiday>> {
    collection::btree_set(date(), 0..8).prop_map(|dates| dates.into_iter().map(Holiday::Date).collect())
}

fn overrides() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let hours = collection::btree_set(0..=1_440_u32, 0..6).prop_map(|cuts: BTreeSet<u32>| {
        let cuts: Vec<u32> = cuts.into_iter().collect();
        cuts.chunks_exact(2).map(|pair| format!("{}-{}", clock(pair[0]), clock(pair[1]))).collect()
    });
    collection::btree_map(date(), hours, 0..8)
}

/// Weeks that follow the first, the last of them with a Sunday so that there is always work.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    collection::btree_map(date(), weekly(), 0..4).prop_map(|weeks| {
        let mut changes: Vec<_> = weeks.into_iter().map(|(from, weekly)| Change { from, weekly }).collect();
        if let Some(last) = changes.last_mut() {
            last.weekly.insert("sun".into(), vec!["10:00-11:00".into()]);
        }
        changes
    })
}

/// A spec that compiles, compiled: what clashes with a night is taken out as the faults name it.
fn compiled() -> impl Strategy<Value = (Spec, Calendar)> {
    let any = (sample::select(&ZONES[..]), weekly(), holidays(), overrides(), changes());
    any.prop_filter_map("without working time", |(zone, weekly, holidays, overrides, changes)| {
        let mut spec = Spec { zone: zone.to_owned(), weekly, holidays, overrides, changes };
        loop {
            let faults = match Calendar::compile(&spec) {
                Ok(calendar) => return Some((spec, calendar)),
                Err(faults) => faults,
            };
            let dates: Vec<&str> =
                faults.iter().filter_map(|fault| fault.path.strip_prefix("/overrides/")?.get(..10)).collect();
            let clashing = |fault: &calendar::Fault| fault.path.starts_with("/changes/");
            if !dates.is_empty() {
                spec.overrides.retain(|date, _| !dates.contains(&date.as_str()));
            } else if faults.iter().any(clashing) && !spec.changes.is_empty() {
                spec.changes.pop();
            } else {
                return None;
            }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Proves: L2
    #[test]
    fn a_deadline_is_the_earliest_instant_with_the_budget_worked(
        (_spec, calendar) in compiled(), from in instant(), minutes in 1..20_000_i64, odd_us in 0..MINUTE_US,
    ) {
        for budget_us in [minutes * MINUTE_US, minutes * MINUTE_US - odd_us] {
            match calendar.deadline(from, budget_us) {
                Some(deadline) => {
                    prop_assert_eq!(calendar.worked(from, deadline), budget_us);
                    prop_assert_eq!(calendar.worked(from, deadline - 1), budget_us - 1);
                }
                None => prop_assert!(calendar.worked(from, HORIZON_END) < budget_us),
            }
        }
        prop_assert_eq!(calendar.deadline(from, 0), Some(from));
    }

    #[test]
    fn the_work_of_a_whole_is_the_sum_of_its_parts((_spec, calendar) in compiled(), mut cuts in [instant(), instant(), instant()]) {
        cuts.sort_unstable();
        let [a, b, c] = cuts;
        prop_assert_eq!(calendar.worked(a, b) + calendar.worked(b, c), calendar.worked(a, c));
        prop_assert!((0..=b - a).contains(&calendar.worked(a, b)));
        prop_assert!(calendar.worked(b, c) <= calendar.worked(a, c));
        prop_assert_eq!(calendar.worked(c, a), 0);
    }

    #[test]
    fn it_agrees_with_a_walk_minute_by_minute((spec, calendar) in compiled(), from in instant()) {
        let from = from.div_euclid(MINUTE_US) * MINUTE_US;
        let (mut at, mut worked_us) = (from, 0);
        for open in Model::new(&spec).minutes(from, 3 * 1_440) {
            prop_assert_eq!(calendar.is_open(at), open, "at {}", at);
            at += MINUTE_US;
            worked_us += if open { MINUTE_US } else { 0 };
            prop_assert_eq!(calendar.worked(from, at), worked_us, "to {}", at);
        }
    }

    #[test]
    fn between_two_changes_all_or_nothing_is_worked((_spec, calendar) in compiled(), from in instant()) {
        let mut at = from;
        for _ in 0..20 {
            let Some(change) = calendar.next_change(at) else { break };
            let open = calendar.is_open(at);
            prop_assert!(change > at);
            prop_assert_eq!(calendar.worked(at, change), if open { change - at } else { 0 });
            prop_assert_ne!(calendar.is_open(change), open);
            prop_assert_eq!(calendar.next_open(at), Some(if open { at } else { change }));
            at = change;
        }
    }

    /// Proves part of: L2
    #[test]
    fn in_another_zone_it_is_as_if_it_had_been_written_for_it(
        (mut spec, calendar) in compiled(), zone in sample::select(&ZONES[..]), from in instant(), to in instant(),
    ) {
        spec.zone = zone.into();
        let (moved, written) = (calendar.in_zone(zone).unwrap(), Calendar::compile(&spec).unwrap());
        prop_assert_eq!(moved.zone(), zone);
        prop_assert_eq!(moved.worked(from, to), written.worked(from, to));
        prop_assert_eq!(moved.deadline(from, 40 * 60 * MINUTE_US), written.deadline(from, 40 * 60 * MINUTE_US));
        prop_assert_eq!(moved.end_of_working_day(from, 2), written.end_of_working_day(from, 2));
    }

    #[test]
    fn an_earlier_start_is_due_no_later((_spec, calendar) in compiled(), mut from in [instant(), instant()], hours in 0..60_i64) {
        from.sort_unstable();
        let due = from.map(|from| calendar.deadline(from, hours * 60 * MINUTE_US).unwrap_or(Micros::MAX));
        prop_assert!(due[0] <= due[1]);
        let end = from.map(|from| calendar.end_of_working_day(from, 3).unwrap_or(Micros::MAX));
        prop_assert!(end[0] <= end[1]);
    }

    #[test]
    fn working_days_are_counted_by_date((mut spec, _) in compiled(), from in instant(), n_days in 0..6_u32) {
        spec.zone = "Asia/Shanghai".into(); // no change of its clocks: every date starts at 16:00 UTC
        let model = Model::new(&spec);
        let today = model.zone.to_datetime(Timestamp::from_microsecond(from).unwrap()).date();
        let end = |date: Date| {
            let midnight = date.to_zoned(model.zone.clone()).unwrap().timestamp().as_microsecond();
            model.end_min(date).map(|minutes| midnight + i64::from(minutes) * MINUTE_US)
        };
        let yesterday = today.yesterday().unwrap();
        let day = if end(yesterday).is_some_and(|end| end > from) { yesterday } else { today };
        let expected = match n_days.checked_sub(1) {
            None => day.series(1.day()).take(400).filter_map(end).find(|end| *end > from),
            Some(skipped) => day.series(1.day()).take(400).skip(1).filter_map(end).nth(skipped as usize),
        };
        prop_assert_eq!(Calendar::compile(&spec).unwrap().end_of_working_day(from, n_days), expected);
    }
}
