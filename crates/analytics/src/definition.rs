//! What a report's figures mean: its calendars and targets, what counts as a reaction, and who is a robot.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::Micros;
use serde_json::Value;
use ticket::document::{self, Fault, Part};
use ticket::glob::Globs;

use crate::state::Ledger;

/// Most calendars a report may name.
const MAX_CALENDARS: usize = 8;

/// The `spec` of a `kind: Report` document.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Suffix of the figures and name of the calendar; the first is the base, by which priorities are compared too.
    pub calendars: Vec<(String, String)>,
    /// What is allowed to the first reaction; anything, if not said.
    pub response_target: Option<Target>,
    /// What is allowed to the last resolve; anything, if not said.
    pub resolution_target: Option<Target>,
    /// The raw activities that are a reaction, whoever did them.
    pub reactions: Globs,
    /// Agents that are none.
    pub robots: Vec<String>,
}

/// Working microseconds allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whatever the priority.
    Same(i64),
    /// By raw priority; the others may take any time.
    ByPriority(BTreeMap<String, i64>),
}

impl Target {
    fn read(part: &Part<'_>) -> Option<Self> {
        let us = |part: &Part<'_>| part.duration_secs().map(|secs| secs.saturating_mul(SECOND_US));
        if part.json().is_object() {
            let targets = part.entries().into_iter().filter_map(|(name, part)| Some((name.to_owned(), us(&part)?)));
            return Some(Self::ByPriority(targets.collect()));
        }
        us(part).map(Self::Same)
    }

    /// Whether so many working microseconds are more than a ticket of this priority is allowed.
    pub fn exceeded(&self, priority: &str, taken_us: i64) -> bool {
        match self {
            Self::Same(allowed_us) => taken_us > *allowed_us,
            Self::ByPriority(targets) => targets.get(priority).is_some_and(|allowed_us| taken_us > *allowed_us),
        }
    }
}

/// A [`Spec`] with its calendars compiled.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Suffix and calendar, the base first; never empty.
    pub calendars: Vec<(String, Calendar)>,
    /// What the document says.
    pub spec: Spec,
}

impl Spec {
    /// Reads the document's spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&["calendars", "response_target", "resolution_target", "reactions", "robots"]);
            let calendars = part.field("calendars").map(|part| calendars(&part));
            let target = |name| part.maybe(name).and_then(|part| Target::read(&part));
            let reactions = part.field("reactions").map(|part| reactions(&part));
            Some(Self {
                calendars: calendars?,
                response_target: target("response_target"),
                resolution_target: target("resolution_target"),
                reactions: reactions?,
                robots: part.maybe("robots").map(|part| part.texts()).unwrap_or_default(),
            })
        })
    }
}

const SECOND_US: Micros = 1_000_000;

fn calendars(part: &Part<'_>) -> Vec<(String, String)> {
    let mut suffixes = BTreeSet::new();
    let mut calendars = Vec::new();
    for item in part.items() {
        item.only(&["suffix", "calendar"]);
        let suffix = item.maybe("suffix").and_then(|suffix| suffix.text()).unwrap_or_default();
        if !suffixes.insert(suffix.to_owned()) {
            item.fault_at("/suffix", "is the suffix of two calendars");
        }
        if !suffix.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-') {
            item.fault_at("/suffix", "may hold letters, digits, _ and -");
        }
        if suffix.starts_with("_net") {
            item.fault_at("/suffix", "may not begin with _net, which names other figures");
        }
        if let Some(name) = item.field("calendar").and_then(|name| name.text()) {
            calendars.push((suffix.to_owned(), name.to_owned()));
        }
    }
    if suffixes.is_empty() || suffixes.len() > MAX_CALENDARS {
        part.fault(format!("must name 1 to {MAX_CALENDARS} calendars"));
    }
    calendars
}

fn reactions(part: &Part<'_>) -> Globs {
    let globs = Globs::new(&part.texts());
    if globs.matches_nothing() {
        part.fault("must hold a pattern that does not exclude");
    }
    globs
}

impl Definition {
    /// The definition a Report document of this name stands for, with its version; nothing if there is none, or if a
    /// calendar it names is no longer in force.
    pub fn of(ledger: &Ledger, report: &str) -> Option<(Self, u64)> {
        let (spec, version) = ledger.report(report)?;
        let calendars = spec.calendars.iter();
        let calendars = calendars.map(|(suffix, name)| Some((suffix.clone(), ledger.calendar(name)?.clone())));
        Some((Self { calendars: calendars.collect::<Option<_>>()?, spec: spec.clone() }, version))
    }

    /// The place of the calendar with this suffix.
    pub(crate) fn place(&self, suffix: &str) -> Option<usize> {
        self.calendars.iter().position(|(known, _)| known == suffix)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_everything_that_is_wrong() {
        let spec = json!({
            "calendars": [{"calendar": "office"}, {"suffix": "", "calendar": "it"}, {"suffix": "a/b"}],
            "response_target": "soon", "resolution_target": {"low": "8h"}, "reactions": ["!x"], "robot": []
        });
        let faults = Spec::read(&spec).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        let expected = [
            "/calendars/1/suffix",
            "/calendars/2/calendar",
            "/calendars/2/suffix",
            "/reactions",
            "/response_target",
            "/robot",
        ];
        assert_eq!(paths, expected);
    }
}
