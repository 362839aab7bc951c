//! Whether somebody has what a visit takes, read from the documents slowly and apart from the service that chooses.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use ticket::dispatch::{Job, Slot};

/// Zone of every calendar in the simulation.
const ZONE: &str = "Europe/Berlin";

/// What keeps somebody from a visit, in words.
pub(super) fn misfit(engineer: &str, spec: &Value, job: &Job, slot: &Slot) -> Option<String> {
    if let Some((skill, level)) =
        job.skills.iter().find(|(skill, level)| !skilled(&spec["skills"][skill.as_str()], **level, slot))
    {
        return Some(format!("has not {skill} at {level} for {slot:?}"));
    }
    if let Some(region) = job.region.as_ref().filter(|region| !works(&spec["regions"], region, true)) {
        return Some(format!("does not work in {region}"));
    }
    if let Some(team) = job.team.as_ref().filter(|team| !works(&spec["teams"], team, false)) {
        return Some(format!("is not of {team}"));
    }
    job.person.as_ref().filter(|person| *person != engineer).map(|person| format!("is not {person}"))
}

fn skilled(has: &Value, level: u8, slot: &Slot) -> bool {
    let plain = has.as_u64();
    let high_enough = plain.or_else(|| has["level"].as_u64()).is_some_and(|has| has >= u64::from(level));
    let expired = has["until"].as_str().is_some_and(|until| last_day_over(until, slot) != Some(false));
    high_enough && !expired
}

/// Whether the visit ends after the last day.
fn last_day_over(until: &str, slot: &Slot) -> Option<bool> {
    let last_day: Date = until.parse().ok()?;
    let ends = Timestamp::from_microsecond(slot.to - 1).ok()?.to_zoned(TimeZone::get(ZONE).ok()?).date();
    Some(ends > last_day)
}

/// Whether a list names something; `anything` if it names nothing at all.
fn works(list: &Value, name: &str, anything: bool) -> bool {
    match list.as_array().filter(|names| !names.is_empty()) {
        Some(names) => names.iter().any(|other| other == name),
        None => anything,
    }
}
