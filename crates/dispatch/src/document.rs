//! Configuration documents: those in force, and what can be wrong with those of dispatch's own kinds.

use std::collections::BTreeMap;

use calendar::Calendar;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::batch::{Library, on_shelf};
use ticket::document::{Fault, Kept};

use crate::board::Board;
use crate::job::JobType;
use crate::policy::Policy;
use crate::roster::Engineer;
use crate::routing::Routing;

/// The documents of one kind, by name.
pub type Shelf<T> = BTreeMap<String, Kept<T>>;

const CALENDAR: &str = "Calendar";
pub(crate) const ENGINEER: &str = "Engineer";
const DISPATCH_POLICY: &str = "DispatchPolicy";
const JOB_TYPE: &str = "JobType";
const ROUTING: &str = "Routing";
/// Kinds that dispatch's documents name and that it has no other use for.
const NAMED: [&str; 2] = ["Queue", "TicketType"];

/// One tenant's documents in force.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Documents {
    /// sla-monitor's.
    pub calendars: Shelf<Calendar>,
    /// The roster.
    pub engineers: Shelf<Engineer>,
    /// Policies.
    pub policies: Shelf<Policy>,
    /// Job types.
    pub job_types: Shelf<JobType>,
    /// Rules of routing.
    pub routings: Shelf<Routing>,
    /// Versions of others' documents, by kind and name.
    named: BTreeMap<(String, String), u64>,
}

impl Documents {
    /// A calendar in force.
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)?.get(|spec| Calendar::read(spec))
    }

    /// An engineer on the roster.
    pub fn engineer(&self, name: &str) -> Option<&Engineer> {
        self.engineers.get(name)?.get(Engineer::read)
    }

    /// A policy in force.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.get(name)?.get(Policy::read)
    }

    /// A job type in force.
    pub fn job_type(&self, name: &str) -> Option<&JobType> {
        self.job_types.get(name)?.get(JobType::read)
    }

    /// The first job type in force whose visits tickets of this type need, with its name and version.
    pub fn job_type_of(&self, ticket_type: &str) -> Option<(&str, u64, &JobType)> {
        self.job_types.iter().find_map(|(name, kept)| {
            let job_type = kept.get(JobType::read).filter(|job_type| job_type.ticket_type == ticket_type)?;
            Some((name.as_str(), kept.version, job_type))
        })
    }

    /// Rules in force, in order of name.
    pub fn routings(&self) -> impl Iterator<Item = (&str, u64, &Routing)> {
        self.routings.iter().filter_map(|(name, kept)| Some((name.as_str(), kept.version, kept.get(Routing::read)?)))
    }

    /// Puts a document in force; those of kinds dispatch has no use for are passed over.
    pub(crate) fn apply(&mut self, (kind, name): (&str, &str), version: u64, spec: &Value) {
        let named = name.to_owned();
        match kind {
            CALENDAR => drop(self.calendars.insert(named, Kept::new(version, spec))),
            ENGINEER => drop(self.engineers.insert(named, Kept::new(version, spec))),
            DISPATCH_POLICY => drop(self.policies.insert(named, Kept::new(version, spec))),
            JOB_TYPE => drop(self.job_types.insert(named, Kept::new(version, spec))),
            ROUTING => drop(self.routings.insert(named, Kept::new(version, spec))),
            kind if NAMED.contains(&kind) => drop(self.named.insert((kind.to_owned(), named), version)),
            _ => {}
        }
    }

    /// Takes a document out of force.
    pub(crate) fn retire(&mut self, kind: &str, name: &str) {
        match kind {
            CALENDAR => drop(self.calendars.remove(name)),
            ENGINEER => drop(self.engineers.remove(name)),
            DISPATCH_POLICY => drop(self.policies.remove(name)),
            JOB_TYPE => drop(self.job_types.remove(name)),
            ROUTING => drop(self.routings.remove(name)),
            kind => drop(self.named.remove(&(kind.to_owned(), name.to_owned()))),
        }
    }
}

impl Library for Board {
    const SERVICE: &'static str = "dispatch";

    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        fn found<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<(u64, &'a str)> {
            shelf.get(name).map(|kept| (kept.version, kept.spec.as_str()))
        }
        let documents = &self.documents;
        match kind {
            CALENDAR => found(&documents.calendars, name),
            ENGINEER => found(&documents.engineers, name),
            DISPATCH_POLICY => found(&documents.policies, name),
            JOB_TYPE => found(&documents.job_types, name),
            ROUTING => found(&documents.routings, name),
            // Of others' documents only the version is known; what they say is not dispatch's matter.
            kind => documents.named.get(&(kind.to_owned(), name.to_owned())).map(|version| (*version, "")),
        }
    }

    fn own(&self) -> Vec<(&'static str, &str)> {
        let documents = &self.documents;
        let found = on_shelf(DISPATCH_POLICY, &documents.policies).chain(on_shelf(ENGINEER, &documents.engineers));
        let found = found.chain(on_shelf(JOB_TYPE, &documents.job_types));
        found.chain(on_shelf(ROUTING, &documents.routings)).collect()
    }

    fn faults(kind: &str, spec: &Value) -> Vec<Fault> {
        let faults = match kind {
            ENGINEER => Engineer::read(spec).err(),
            DISPATCH_POLICY => Policy::read(spec).err(),
            JOB_TYPE => JobType::read(spec).err(),
            _ => Routing::read(spec).err(),
        };
        faults.unwrap_or_default()
    }
}
