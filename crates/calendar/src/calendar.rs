//! The compiled calendar: every question about working time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    DAY_US, Fault, HORIZON_DAYS, HORIZON_END, HORIZON_START, MINUTE_US, Micros, Spec, hours::Hours, interval::Interval,
    plan::Plan, zone::Zone,
};

/// Most other zones whose tables a calendar keeps; all are dropped when one more is asked for.
const MAX_ZONES: usize = 64;

/// Working hours resolved to instants. Clones share one table (about 0.4 MB for one interval on each working day).
#[derive(Clone)]
pub struct Calendar {
    compiled: Arc<Compiled>,
}

struct Compiled {
    zone_name: String,
    zone: Zone,
    plan: Arc<Plan>,
    hours: Hours,
    elsewhere: Mutex<BTreeMap<String, Option<Calendar>>>,
}

impl Calendar {
    /// Resolves a spec, or names **everything** that is wrong with it. A spec without any working time within the
    /// horizon is refused.
    pub fn compile(spec: &Spec) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let zone = Zone::load(&spec.zone);
        if zone.is_none() {
            faults.push(Fault { path: "/zone".into(), message: format!("{:?} is not an IANA time zone", spec.zone) });
        }
        let plan = Plan::read(spec, &mut faults);
        let Some(zone) = zone.filter(|_| faults.is_empty()) else { return Err(faults) };
        if let Some(place) = plan.ends_with() {
            let (path, from) = (format!("/changes/{place}/weekly"), &spec.changes[place].from);
            return Err(vec![Fault { path, message: format!("no working time from {from} to 2069") }]);
        }
        let none = || vec![Fault { path: "/weekly".into(), message: "no working time from 1970 to 2069".into() }];
        Self::resolve(&spec.zone, zone, Arc::new(plan)).ok_or_else(none)
    }

    /// The same hours read off the clocks of another IANA zone; nothing if there is no such zone, or no working time in
    /// it. Resolved when first asked for.
    pub fn in_zone(&self, name: &str) -> Option<Self> {
        if name == self.zone() {
            return Some(self.clone());
        }
        let mut elsewhere = self.compiled.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = elsewhere.get(name) {
            return known.clone();
        }
        let zone = Zone::load(name)?;
        if elsewhere.len() == MAX_ZONES {
            elsewhere.clear();
        }
        let resolved = Self::resolve(name, zone, Arc::clone(&self.compiled.plan));
        elsewhere.insert(name.to_owned(), resolved.clone());
        resolved
    }

    /// The IANA name of the zone whose clocks are read.
    pub fn zone(&self) -> &str {
        &self.compiled.zone_name
    }

    fn resolve(name: &str, zone: Zone, plan: Arc<Plan>) -> Option<Self> {
        let hours = resolve(&zone, &plan);
        let (zone_name, elsewhere) = (name.to_owned(), Mutex::default());
        let compiled = Compiled { zone_name, zone, plan, hours, elsewhere };
        (!compiled.hours.is_empty()).then(|| Self { compiled: Arc::new(compiled) })
    }

    /// The working time in `[from, to)`, in microseconds; 0 if `to` is not after `from`.
    pub fn worked(&self, from: Micros, to: Micros) -> i64 {
        if to <= from { 0 } else { self.hours().worked_before(to) - self.hours().worked_before(from) }
    }

    /// The **earliest** instant at or after `from` by which `budget_us` microseconds have been worked: a budget used up
    /// exactly at closing time ends then, not at the next opening. `from` itself if the budget is 0 (or negative);
    /// nothing if the horizon ends before it is used up.
    pub fn deadline(&self, from: Micros, budget_us: i64) -> Option<Micros> {
        if budget_us <= 0 {
            return Some(from);
        }
        self.hours().earliest(self.hours().worked_before(from).checked_add(budget_us)?)
    }

    /// Whether `at` is working time.
    pub fn is_open(&self, at: Micros) -> bool {
        self.hours().open_until(at).is_some()
    }

    /// The earliest instant of working time at or after `at`; nothing if the horizon ends first.
    pub fn next_open(&self, at: Micros) -> Option<Micros> {
        if self.is_open(at) { Some(at) } else { self.hours().opens_after(at) }
    }

    /// The earliest instant after `at` at which working time begins or ends; nothing if the horizon ends first.
    pub fn next_change(&self, at: Micros) -> Option<Micros> {
        self.hours().open_until(at).or_else(|| self.hours().opens_after(at)).filter(|&change| change < HORIZON_END)
    }

    /// The local date of an instant, in days since 1970-01-01.
    pub fn day(&self, at: Micros) -> i64 {
        self.compiled.zone.local_day(at)
    }

    /// "`n_days` working days, end of day": the end of the `n_days`-th working day after the day of `from`.
    ///
    /// A working day is a date on which working time starts; it ends with the last interval that starts on it, so
    /// perhaps in the following night. The day of `from` is its local date, or the date before while an overnight day
    /// of that date has not ended. With 0 it is the end of that day if it is a working day whose end is still to come
    /// (at the very end it no longer is), else the end of the next working day. On Friday at noon, at night, or on
    /// Saturday, 1 means Monday's end. Nothing if the horizon ends first.
    pub fn end_of_working_day(&self, from: Micros, n_days: u32) -> Option<Micros> {
        let today = self.compiled.zone.local_day(from);
        let days = (today.max(-1) - 1)..=HORIZON_DAYS;
        let mut ends = days.filter_map(|day| Some((day, self.end_of(day)?))).filter(|&(_, end)| end > from);
        let (day, end) = ends.next()?;
        let further = if day <= today { n_days } else { n_days.saturating_sub(1) };
        match further.checked_sub(1) {
            None => Some(end),
            Some(skipped) => ends.nth(usize::try_from(skipped).ok()?).map(|(_, end)| end),
        }
    }

    /// The end of a local date's last interval that has any real time, if it is within the horizon.
    fn end_of(&self, day: i64) -> Option<Micros> {
        let spans = self.compiled.plan.on(day).iter().map(|&interval| span(&self.compiled.zone, day, interval));
        spans
            .rev()
            .find(|(opens, closes)| opens < closes)
            .map(|(_, closes)| closes)
            .filter(|&end| HORIZON_START < end && end <= HORIZON_END)
    }

    fn hours(&self) -> &Hours {
        &self.compiled.hours
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.compiled.zone_name).finish()
    }
}

fn resolve(zone: &Zone, plan: &Plan) -> Hours {
    let mut hours = Hours::default();
    // Two days before: twelve hours of offset and an overnight interval of a whole day.
    for day in -2..=HORIZON_DAYS {
        for &interval in plan.on(day) {
            let (opens, closes) = span(zone, day, interval);
            hours.push(opens, closes);
        }
    }
    hours
}

/// The instants at which an interval of a local date starts and ends: the same, if the clocks jump over all of it.
fn span(zone: &Zone, day: i64, interval: Interval) -> (Micros, Micros) {
    let midnight = day * DAY_US;
    (zone.instant(midnight + interval.start_min * MINUTE_US), zone.instant(midnight + interval.end_min * MINUTE_US))
}
