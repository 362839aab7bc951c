//! The marks a clock passes, worked out slowly and by other means than the service: fact by fact, each instant found by
//! bisection over worked time.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use serde::Deserialize;
use serde_json::Value;
use ticket::intake::Status;

/// A fact of a ticket.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Micros,
    pub(crate) position: u64,
    pub(crate) activity: String,
    pub(crate) status: Option<Status>,
    pub(crate) priority: Option<String>,
}

/// A clock of a policy, as far as the simulation's policies go: names instead of patterns, seconds by priority.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Rule {
    target: BTreeMap<String, String>,
    marks: Vec<i64>,
    run_while: Vec<Status>,
    stop: Vec<String>,
    cancel: Vec<String>,
}

/// The clocks of a policy's spec, by name.
pub(crate) fn rules(spec: &Value) -> Option<BTreeMap<String, Rule>> {
    serde_json::from_value(spec.get("clocks")?.clone()).ok()
}

impl Rule {
    fn budget_us(&self, priority: &str) -> Option<i64> {
        let secs: i64 = self.target.get(priority)?.strip_suffix('s')?.parse().ok()?;
        Some(secs * 1_000_000)
    }

    /// Share in basis points and instant of every mark passed before `now`, by these facts in the order in which they
    /// happened.
    pub(crate) fn passed(&self, calendar: &Calendar, facts: &[Moment], now: Micros) -> Vec<(u32, Micros)> {
        let shares = self.marks.iter().map(|percent| percent * 100).chain([10_000]);
        let mut shares = shares.peekable();
        let mut passed = Vec::new();
        let (mut status, mut priority, mut elapsed_us) = (Status::Open, "", 0);
        for (n, fact) in facts.iter().enumerate() {
            if self.stop.contains(&fact.activity) || self.cancel.contains(&fact.activity) {
                break;
            }
            status = fact.status.unwrap_or(status);
            priority = fact.priority.as_deref().unwrap_or(priority);
            let end = facts.get(n + 1).map_or(now, |next| next.at).min(now);
            if !self.run_while.contains(&status) || fact.at >= end {
                continue;
            }
            while let Some(share) = shares.peek().copied()
                && let Some(needed_us) = self.budget_us(priority).map(|budget_us| budget_us / 10_000 * share)
                && let Some(at) = earliest(calendar, fact.at, end, needed_us - elapsed_us)
            {
                passed.extend(u32::try_from(share).map(|share| (share, at)));
                shares.next();
            }
            elapsed_us += calendar.worked(fact.at, end);
        }
        passed
    }
}

/// The earliest instant in `[from, to)` by which so much was worked since `from`.
fn earliest(calendar: &Calendar, from: Micros, to: Micros, needed_us: i64) -> Option<Micros> {
    let enough = |at| calendar.worked(from, at) >= needed_us;
    let (mut low, mut high) = (from, to - 1);
    if !enough(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 2026-03-23, a Monday, 09:00 in Berlin.
    const NINE: Micros = 1_774_252_800_000_000;
    const MINUTE: Micros = 60_000_000;

    /// An hour of work, warned at the half, worked from 08:00 to 18:00, against facts at minutes after nine.
    fn passed(facts: &[(i64, &str, Status)], now: i64) -> Vec<(u32, i64)> {
        let spec = json!({"zone": "Europe/Berlin", "weekly": {"mon": ["08:00-18:00"], "tue": ["08:00-18:00"]}});
        let calendar = Calendar::compile(&serde_json::from_value(spec).unwrap()).unwrap();
        let clock =
            json!({"target": {"high": "3600s"}, "marks": [50], "run_while": ["open"], "stop": ["Reply"], "cancel": []});
        let rule: Rule = serde_json::from_value(clock).unwrap();
        let moment = |(n, fact): (u64, &(i64, &str, Status))| Moment {
            at: NINE + fact.0 * MINUTE,
            position: n,
            activity: fact.1.to_owned(),
            status: Some(fact.2),
            priority: Some("high".to_owned()),
        };
        let facts: Vec<_> = (1..).zip(facts).map(moment).collect();
        let passed = rule.passed(&calendar, &facts, NINE + now * MINUTE);
        passed.into_iter().map(|(share_bp, at)| (share_bp, (at - NINE) / MINUTE)).collect()
    }

    #[test]
    fn a_clock_that_halts_at_a_mark_passes_it_when_it_runs_again() {
        let opened = (0, "Received", Status::Open);
        assert_eq!(passed(&[opened], 60), [(5_000, 30)], "the end of the hour itself is in time");
        assert_eq!(passed(&[opened], 61), [(5_000, 30), (10_000, 60)]);
        assert_eq!(passed(&[opened, (30, "Wait", Status::Waiting)], 500), []);
        let resumed = [opened, (30, "Wait", Status::Waiting), (100, "Resume", Status::Open)];
        assert_eq!(passed(&resumed, 101), [(5_000, 100)]);
        assert_eq!(passed(&[opened, (60, "Reply", Status::Open)], 500), [(5_000, 30)]);
        assert_eq!(passed(&[opened, (61, "Reply", Status::Open)], 500), [(5_000, 30), (10_000, 60)]);
    }

    #[test]
    fn the_night_is_not_worked() {
        let opened = [(8 * 60 + 30, "Received", Status::Open)];
        assert_eq!(passed(&opened, 2_000), [(5_000, 9 * 60), (10_000, 23 * 60 + 30)]);
    }
}
