//! Which tickets need a visit, and what a visit needs: the `kind: JobType` documents.

use std::collections::BTreeMap;

use decider::Micros;
use serde_json::Value;
use ticket::condition::{Scalar, TicketFacts};
use ticket::dispatch::{Job, Place};
use ticket::document::{self, Fault, Part};
use ticket::intake::Priority;
use ticket::sla::Pinned;

use crate::policy::{SECOND_US, time_us};
use crate::roster::{level, on_earth, within};

/// Longest work on site: no shift is longer.
const MAX_DURATION_SECS: i64 = 12 * 3_600;
/// Latest arrival: 90 days.
const MAX_ARRIVE_SECS: i64 = 90 * 86_400;
/// Most references completion may demand; as many as a resolution may name.
const MAX_EVIDENCE: i64 = 20;
const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];

/// The spec of a `kind: JobType` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobType {
    /// The ticket type whose tickets need this visit.
    pub ticket_type: String,
    /// The dispatch policy.
    pub policy: String,
    /// Skills with the lowest level each must have.
    pub skills: BTreeMap<String, u8>,
    /// A text field whose value is one more skill, and its level.
    pub skill_from: Option<(String, u8)>,
    /// Work on site, seconds.
    pub duration_secs: i64,
    /// When somebody should be there, microseconds after the visit became necessary, by priority from low to critical.
    pub arrive_within_us: [Micros; 4],
    /// The text field that names the region.
    pub region_field: Option<String>,
    /// The number fields that say where, latitude and longitude.
    pub site_fields: Option<(String, String)>,
    /// How many references completion demands.
    pub evidence_required: u32,
}

impl JobType {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&[
                "ticket_type",
                "policy",
                "skills",
                "skill_from",
                "duration",
                "arrive_within",
                "region_field",
                "lat_field",
                "lon_field",
                "evidence_required",
            ]);
            let text = |name| part.maybe(name).and_then(|part| part.text().map(str::to_owned));
            let ticket_type = part.field("ticket_type").and_then(|part| part.text().map(str::to_owned));
            let policy = part.field("policy").and_then(|part| part.text().map(str::to_owned));
            let skills = part.maybe("skills").map_or_else(Vec::new, |skills| skills.entries());
            let skills = skills.into_iter().filter_map(|(name, part)| Some((name.to_owned(), level(&part)?))).collect();
            let skill_from = part.maybe("skill_from").and_then(|part| skill_from(&part));
            let duration_us = part.field("duration").and_then(|part| time_us(Some(&part), 0, MAX_DURATION_SECS));
            let arrive_within_us = part.field("arrive_within").and_then(|part| arrive_within(&part));
            let (lat, lon) = (text("lat_field"), text("lon_field"));
            if lat.is_some() != lon.is_some() {
                part.fault_at("/lat_field", "is of no use without /lon_field, nor that without this");
            }
            let evidence = within(part.maybe("evidence_required").as_ref(), 0, 0, MAX_EVIDENCE);
            Some(Self {
                ticket_type: ticket_type?,
                policy: policy?,
                skills,
                skill_from,
                duration_secs: duration_us? / SECOND_US,
                arrive_within_us: arrive_within_us?,
                region_field: text("region_field"),
                site_fields: lat.zip(lon),
                evidence_required: u32::try_from(evidence?).ok()?,
            })
        })
    }

    /// What a visit for a ticket with these facts needs, if it became necessary at `since`.
    pub fn job(&self, pinned: Pinned, facts: &TicketFacts, (priority, since): (Priority, Micros)) -> Job {
        let text = |field: &String| match facts.fields.get(field) {
            Some(Scalar::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let number = |field: &String| match facts.fields.get(field) {
            Some(Scalar::Number(number)) => Some(*number),
            _ => None,
        };
        let place = |(lat, lon): &(String, String)| Some(Place { lat_udeg: number(lat)?, lon_udeg: number(lon)? });
        let mut skills = self.skills.clone();
        if let Some((field, level)) = &self.skill_from
            && let Some(skill) = text(field)
        {
            let needed = skills.entry(skill).or_default();
            *needed = (*needed).max(*level);
        }
        Job {
            job_type: pinned,
            skills,
            region: self.region_field.as_ref().and_then(text),
            site: self.site_fields.as_ref().and_then(place).filter(|place| on_earth(*place)),
            team: None,
            person: None,
            duration_secs: self.duration_secs,
            arrive_by: self.arrive_by(priority, since),
            priority,
            evidence_required: self.evidence_required,
        }
    }

    /// When somebody should be there at the latest.
    pub fn arrive_by(&self, priority: Priority, since: Micros) -> Micros {
        let within = PRIORITIES.iter().zip(self.arrive_within_us).find(|(known, _)| **known == priority);
        since.saturating_add(within.map_or(0, |(_, within_us)| within_us))
    }
}

fn skill_from(part: &Part<'_>) -> Option<(String, u8)> {
    part.only(&["field", "level"]);
    let needed = part.maybe("level").map_or(Some(1), |part| level(&part));
    let field = part.field("field").and_then(|part| part.text().map(str::to_owned));
    Some((field?, needed?))
}

/// One time for all priorities, or one for each.
fn arrive_within(part: &Part<'_>) -> Option<[Micros; 4]> {
    let time = |part: &Part<'_>| time_us(Some(part), 0, MAX_ARRIVE_SECS);
    if !part.json().is_object() {
        return time(part).map(|within_us| [within_us; 4]);
    }
    part.only(&PRIORITIES.map(Priority::name));
    let each = PRIORITIES.map(|priority| part.field(priority.name()).and_then(|part| time(&part)));
    let [Some(low), Some(medium), Some(high), Some(critical)] = each else { return None };
    Some([low, medium, high, critical])
}
