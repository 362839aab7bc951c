//! A policy: which tickets it is for, which clocks it gives them, and what stops each.

use std::sync::Arc;

use decider::Micros;
use serde_json::Value;
use ticket::document::{Fault, Part, read};
use ticket::glob::Globs;
use ticket::intake::Status;

use crate::scene::Situation;
use crate::target::{MAX_TARGET_SECS, Target, read_target};
use crate::when::{Rule, When, condition};

/// Most clocks a policy may have: reassessing a ticket writes at most four events for each, 64 in all.
pub const MAX_CLOCKS: usize = 16;
/// The share at which a clock is breached, basis points.
pub const BREACH_BP: u32 = 10_000;
/// Pause between two calls for attention, where the policy does not say.
pub const ATTENTION_EVERY_US: Micros = 4 * 3_600 * 1_000_000;

const STATUSES: [(&str, Status); 5] = [
    ("open", Status::Open),
    ("in_progress", Status::InProgress),
    ("waiting", Status::Waiting),
    ("resolved", Status::Resolved),
    ("closed", Status::Closed),
];

/// The `spec` of a `kind: SlaPolicy` document.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which tickets it is for.
    pub matching: Matching,
    /// The highest wins among those that match; then the one that asks for more, then the first by name.
    pub rank: i64,
    /// Whether it holds for nothing but the tickets of a major event that names it.
    pub major: bool,
    /// The calendar its clocks run by.
    pub calendar: String,
    /// Whose clocks the calendar is read off.
    pub zone: Zone,
    /// Who is called, step by step, once a clock is breached.
    pub escalation: Option<String>,
    /// Whether open tickets are taken over when this version comes in force, with their past.
    pub retroactive: bool,
    /// In order of name.
    pub clocks: Vec<ClockSpec>,
    /// Pause between two calls for attention, microseconds.
    pub attention_every_us: Micros,
}

/// Which tickets a policy is for; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Any of these types or products.
    pub ticket_types: Option<Vec<String>>,
    /// Any of these priorities, as it was when the ticket became known.
    pub priorities: Option<Vec<String>>,
    /// Whether it came from another system.
    pub imported: Option<bool>,
    /// Of which this holds, as they stand now: another queue or priority may mean another policy.
    pub when: Option<Arc<Rule>>,
}

impl Matching {
    /// Whether a ticket is meant, by its type, its first priority and where it came from; `when` is asked beside that.
    pub fn fits(&self, ticket_type: &str, priority: &str, imported: bool) -> bool {
        let among =
            |list: &Option<Vec<String>>, word: &str| list.as_ref().is_none_or(|all| all.iter().any(|one| one == word));
        among(&self.ticket_types, ticket_type)
            && among(&self.priorities, priority)
            && self.imported.is_none_or(|wanted| wanted == imported)
    }

    /// How much it asks for.
    pub fn specificity(&self) -> usize {
        usize::from(self.ticket_types.is_some())
            + usize::from(self.priorities.is_some())
            + usize::from(self.imported.is_some())
            + usize::from(self.when.is_some())
    }
}

/// Whose clocks a calendar is read off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Its own zone's.
    Calendar,
    /// The customer's, where the ticket says in which zone they are.
    Customer,
    /// Those of the queue the ticket lies in when its clocks start, where that has a zone.
    Queue,
}

/// What a clock of a policy is.
#[derive(Clone, Debug)]
pub struct ClockSpec {
    /// Its name.
    pub name: String,
    /// The budget.
    pub target: Target,
    /// Shares of the budget at which it fires, basis points, rising; the last is [`BREACH_BP`].
    pub shares_bp: Vec<u32>,
    /// The statuses in which it runs; in any, if none are named.
    pub run_while: Option<Vec<Status>>,
    /// Where a round begins; with the ticket, if not said.
    pub start: Option<When>,
    /// Whether the first round is the last.
    pub once: bool,
    /// While this holds it stands still.
    pub pause: Option<When>,
    /// Where it begins anew, with its whole budget.
    pub reset: Option<When>,
    /// What ends its round.
    pub stop: When,
    /// After what it no longer applies.
    pub cancel: When,
}

impl ClockSpec {
    /// Whether working time runs.
    pub fn runs(&self, now: &Situation<'_>) -> bool {
        self.run_while.as_ref().is_none_or(|statuses| statuses.contains(&now.status))
            && !self.pause.as_ref().is_some_and(|pause| pause.holds(now))
    }
}

impl Policy {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            part.only(&[
                "match",
                "rank",
                "major",
                "calendar",
                "zone",
                "retroactive",
                "escalation",
                "clocks",
                "attention",
            ]);
            let matching = part.maybe("match").map_or_else(Matching::default, |part| read_matching(&part));
            let rank = part.maybe("rank").map_or(Some(0), |rank| rank.number());
            let major = part.maybe("major").map_or(Some(false), |flag| flag.flag());
            let calendar = part.field("calendar").and_then(|name| name.text());
            let zones = [("calendar", Zone::Calendar), ("customer", Zone::Customer), ("queue", Zone::Queue)];
            let zone = part.maybe("zone").map_or(Some(Zone::Calendar), |zone| zone.one_of(&zones));
            let escalation = part.maybe("escalation").and_then(|name| name.text()).map(str::to_owned);
            let retroactive = part.maybe("retroactive").map_or(Some(false), |flag| flag.flag());
            let clocks = part.field("clocks").map(|clocks| read_clocks(&clocks));
            let attention_every_us = part.maybe("attention").map_or(Some(ATTENTION_EVERY_US), |part| {
                part.only(&["every"]);
                read_every(&part.field("every")?)
            });
            Some(Self {
                matching,
                rank: rank?,
                major: major?,
                escalation,
                calendar: calendar?.to_owned(),
                zone: zone?,
                retroactive: retroactive?,
                clocks: clocks?,
                attention_every_us: attention_every_us?,
            })
        })
    }
}

fn read_every(part: &Part<'_>) -> Option<Micros> {
    let secs = part.duration_secs()?;
    if !(60..=MAX_TARGET_SECS).contains(&secs) {
        part.fault("must be at least a minute and at most ten years");
        return None;
    }
    Some(secs * 1_000_000)
}

fn read_matching(part: &Part<'_>) -> Matching {
    part.only(&["ticket_types", "priorities", "imported", "when"]);
    Matching {
        ticket_types: part.maybe("ticket_types").map(|list| list.texts()),
        priorities: part.maybe("priorities").map(|list| list.texts()),
        imported: part.maybe("imported").and_then(|flag| flag.flag()),
        when: part.maybe("when").and_then(|when| condition(&when)),
    }
}

fn read_clocks(part: &Part<'_>) -> Vec<ClockSpec> {
    let entries = part.entries();
    if entries.len() > MAX_CLOCKS {
        part.fault(format!("more than {MAX_CLOCKS} clocks"));
    }
    let mut clocks: Vec<_> = entries.iter().filter_map(|(name, part)| read_clock(name, part)).collect();
    clocks.sort_by(|a, b| a.name.cmp(&b.name));
    clocks
}

fn read_clock(name: &str, part: &Part<'_>) -> Option<ClockSpec> {
    part.only(&["target", "marks", "run_while", "start", "once", "pause", "reset", "stop", "cancel"]);
    if name.is_empty() || ["attention", "escalation"].contains(&name) {
        part.fault("is no name for a clock of a policy");
    }
    let target = part.field("target").and_then(|target| read_target(&target));
    let shares_bp = part.maybe("marks").map_or_else(|| vec![BREACH_BP], |marks| read_shares(&marks));
    let run_while =
        part.maybe("run_while").map(|list| list.items().iter().filter_map(|status| status.one_of(&STATUSES)).collect());
    let clause = |name| part.maybe(name).and_then(|clause| When::read(&clause));
    let (start, pause, reset) = (clause("start"), clause("pause"), clause("reset"));
    let (stop, cancel) = (clause("stop"), clause("cancel"));
    if pause.as_ref().is_some_and(|pause| !pause.lasts()) {
        part.fault_at("/pause", "must be a condition: it stands still as long as that holds");
    }
    Some(ClockSpec {
        name: name.to_owned(),
        target: target?,
        shares_bp,
        run_while,
        start,
        once: part.maybe("once").and_then(|once| once.flag()).unwrap_or_default(),
        pause,
        reset,
        stop: stop.unwrap_or_else(When::never),
        // A ticket called off is neither in time nor late, unless the policy says what calls it off.
        cancel: cancel.unwrap_or_else(|| When::Activity(Globs::new(&["Cancelled"]))),
    })
}

/// The warnings in percent, and the breach after them.
fn read_shares(part: &Part<'_>) -> Vec<u32> {
    let mut shares = Vec::new();
    for item in part.items() {
        match item.number().map(u32::try_from) {
            Some(Ok(percent @ 1..=99)) if !shares.contains(&(percent * 100)) => shares.push(percent * 100),
            Some(_) => item.fault("must be a percentage from 1 to 99, each once; 100 is understood"),
            None => {}
        }
    }
    shares.push(BREACH_BP);
    shares.sort_unstable();
    shares
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Seen;
    use crate::scene::{About, Profile};
    use crate::target::Budget;

    #[test]
    fn reads_the_whole_of_a_policy() {
        let policy = Policy::read(&json!({
            "match": {"priorities": ["high"], "imported": true}, "rank": 3, "calendar": "office", "zone": "customer",
            "retroactive": true,
            "clocks": {
                "resolution": {"target": {"high": "40h", "low": "3 working days"}, "marks": [90, 50],
                    "run_while": ["open", "in_progress"]},
                "acceptance": {"target": {"high": "1h", "low": "0s"}, "stop": ["TakenInCharge"], "cancel": []},
            },
            "attention": {"every": "30m"},
        }))
        .unwrap();
        assert_eq!(
            policy.clocks.iter().map(|clock| clock.name.as_str()).collect::<Vec<_>>(),
            ["acceptance", "resolution"]
        );
        assert_eq!((policy.rank, policy.retroactive, policy.attention_every_us), (3, true, 1_800_000_000));
        let [acceptance, resolution] = policy.clocks.as_slice() else { panic!("two clocks") };
        assert_eq!(acceptance.target.budget("low"), Some(Budget::Secs(0)));
        assert_eq!(acceptance.target.budget("medium"), None);
        assert_eq!(resolution.target.budget("low"), Some(Budget::EndOfDay(3)));
        assert_eq!(policy.zone, Zone::Customer);
        let profile = Profile::default();
        let stands = |status, activity| {
            let mut now = Situation::new(About { ticket_type: "", imported: false, profile: &profile });
            now.learn(&Seen { status: Some(status), ..Seen::of(0, activity) });
            now
        };
        let off = stands(Status::Closed, "Cancelled");
        assert!(!acceptance.cancel.holds(&off) && resolution.cancel.holds(&off));
        assert_eq!(resolution.shares_bp, [5_000, 9_000, 10_000]);
        assert!(resolution.runs(&stands(Status::Open, "Note")) && !resolution.runs(&off) && acceptance.runs(&off));
        assert!(policy.matching.fits("x", "high", true) && !policy.matching.fits("x", "high", false));
    }

    #[test]
    fn names_every_fault_at_once() {
        let faults = Policy::read(&json!({
            "clocks": {
                "a": {"target": "8 hours", "marks": [75, 75, 100], "run_while": ["asleep"], "pause": ["Note"],
                    "start": "ticket.mood == 'bad'", "reset": "event.activity"},
                "attention": {"target": "1h", "stop": ["!x"]},
                "b": {"target": "-1 working days"},
                "c": {"target": {"high": "1001 working days"}},
            },
            "zone": "moon",
            "attention": {"every": "1s"},
        }))
        .unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        let expected = [
            "/attention/every",
            "/calendar",
            "/clocks/a/marks/1",
            "/clocks/a/marks/2",
            "/clocks/a/pause",
            "/clocks/a/reset",
            "/clocks/a/run_while/0",
            "/clocks/a/start",
            "/clocks/a/target",
            "/clocks/attention",
            "/clocks/attention/stop",
            "/clocks/b/target",
            "/clocks/c/target/high",
            "/zone",
        ];
        assert_eq!(paths, expected);
    }
}
