//! What dispatch knows of a ticket: where it stands and its field work; once it has ended, a few bytes.

use std::collections::BTreeSet;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::{Job, Place};
use ticket::intake::Priority;
use ticket::names::Names;
use ticket::sla::Pinned;
use uuid::Uuid;

use crate::work::{Visit, Work};

/// What dispatch knows of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// When it was opened.
    pub opened_at: Micros,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub standing: Standing,
    /// Its customer's pseudonym: whom its personal data is about.
    pub customer: Option<Uuid>,
    /// The version of `work/<ticket>`.
    pub version: u64,
    /// Its field work.
    pub field: Field,
}

/// Where a ticket stands, as far as field work is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It may need somebody.
    Open,
    /// Its work is done; the customer or the supervisor has the word.
    Done,
    /// It was closed or cancelled.
    Ended,
}

/// A ticket's field work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// There was none.
    None,
    /// Of a ticket that has not ended.
    Open(Box<Work>),
    /// Of one that has.
    Past(Box<Past>),
}

/// What an ended ticket leaves: enough to plan one more visit if it comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    visits: u32,
    job_type: u32,
    skills: Vec<(u32, u8)>,
    region: Option<u32>,
    site: Option<Place>,
    team: Option<u32>,
    person: Option<u32>,
    duration_secs: i64,
    evidence_required: u32,
    crew: Vec<u32>,
}

impl Ticket {
    /// Its visits, if it has not ended.
    pub fn work(&self) -> Option<&Work> {
        if let Field::Open(work) = &self.field { Some(work) } else { None }
    }

    /// A visit of it, if it has not ended.
    pub fn visit(&self, id: Uuid) -> Option<&Visit> {
        self.work()?.visit(id)
    }

    /// The visit that is not over.
    pub fn open_visit(&self) -> Option<&Visit> {
        self.work()?.open()
    }

    /// How many visits there were.
    pub fn visits(&self) -> u32 {
        match &self.field {
            Field::None => 0,
            Field::Open(work) => work.visits.last().map_or(0, |visit| visit.number),
            Field::Past(past) => past.visits,
        }
    }

    /// Whom its personal data is about.
    pub fn subject(&self, id: Uuid) -> Uuid {
        self.customer.unwrap_or(id)
    }
}

impl Past {
    /// What these visits leave; nothing if there are none.
    pub(crate) fn of(work: &Work, names: &mut Names) -> Option<Self> {
        let last = work.visits.last()?;
        let mut number = |text: &String| names.number(text.as_str());
        let job = &last.job;
        Some(Self {
            visits: last.number,
            job_type: number(&job.job_type.name),
            skills: job.skills.iter().map(|(name, level)| (number(name), *level)).collect(),
            region: job.region.as_ref().map(&mut number),
            site: job.site,
            team: job.team.as_ref().map(&mut number),
            person: job.person.as_ref().map(&mut number),
            duration_secs: job.duration_secs,
            evidence_required: job.evidence_required,
            crew: work.crew.iter().map(&mut number).collect(),
        })
    }

    /// What the last visit needed; what depends on when the next one is planned is not said.
    pub(crate) fn job(&self, names: &Names, priority: Priority) -> Job {
        let text = |number: u32| names.text(number).to_owned();
        Job {
            job_type: Pinned { name: text(self.job_type), version: 0 },
            skills: self.skills.iter().map(|(name, level)| (text(*name), *level)).collect(),
            region: self.region.map(text),
            site: self.site,
            team: self.team.map(text),
            person: self.person.map(text),
            duration_secs: self.duration_secs,
            arrive_by: 0,
            priority,
            evidence_required: self.evidence_required,
        }
    }

    /// Who was on site.
    pub(crate) fn crew(&self, names: &Names) -> BTreeSet<String> {
        self.crew.iter().map(|name| names.text(*name).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_without_visits_takes_few_bytes() {
        let bytes = size_of::<(Uuid, Ticket)>();
        assert!(bytes <= 96, "{bytes}");
        assert!(size_of::<Past>() <= 160, "{}", size_of::<Past>());
    }
}
