//! Configuration documents in all their versions, and what can be wrong with those of sla-monitor's own kinds.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::batch::{Library, on_shelf};
use ticket::document::{Fault, Kept};

use crate::backlog::Alert;
use crate::escalation::Escalation;
use crate::policy::Policy;
use crate::rota::Rota;
use crate::state::Desk;

/// The kind of working hours.
pub const CALENDAR: &str = "Calendar";
/// The kind of policies.
pub const SLA_POLICY: &str = "SlaPolicy";
/// The kind of policies that are only looked at beside the one of the same name in force.
pub const SHADOW_POLICY: &str = "ShadowPolicy";
/// The kind of who is called, step by step.
pub const ESCALATION: &str = "Escalation";
/// The kind of who is on call.
pub const ROTA: &str = "Rota";
/// The kind of what is too much for a queue.
pub const BACKLOG_ALERT: &str = "BacklogAlert";

/// A document in one version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Edition<T> {
    /// The position in the log at which it came in force, or ended the version before.
    pub(crate) position: u64,
    /// When that was.
    pub(crate) at: Micros,
    /// Nothing if it was taken out of force.
    pub(crate) kept: Option<Kept<T>>,
}

impl<T> Edition<T> {
    /// The version of the document's stream; 0 if it was taken out of force.
    pub(crate) fn version(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.version)
    }

    /// Whether another says the same. Documents are kept as text in which the fields of each map are in order.
    pub(crate) fn says(&self, other: &Self) -> bool {
        self.kept.as_ref().map(|kept| &kept.spec) == other.kept.as_ref().map(|kept| &kept.spec)
    }
}

impl Edition<Policy> {
    /// What it means; nothing if it was taken out of force.
    pub(crate) fn read(&self) -> Option<&Policy> {
        self.kept.as_ref()?.get(Policy::read)
    }
}

impl Edition<Calendar> {
    /// What it means; nothing if it was taken out of force.
    pub(crate) fn read(&self) -> Option<&Calendar> {
        self.kept.as_ref()?.get(|spec| Calendar::read(spec))
    }
}

/// A kind's documents: every version of each, oldest first.
pub(crate) type Shelf<T> = BTreeMap<String, Vec<Edition<T>>>;

/// The version in force now.
pub(crate) fn in_force<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<&'a Kept<T>> {
    shelf.get(name)?.last()?.kept.as_ref()
}

impl Library for Desk {
    const SERVICE: &'static str = "sla-monitor";

    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        fn found<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<(u64, &'a str)> {
            in_force(shelf, name).map(|kept| (kept.version, kept.spec.as_str()))
        }
        match kind {
            CALENDAR => found(&self.calendars, name),
            SLA_POLICY => found(&self.policies, name),
            SHADOW_POLICY => found(&self.shadows, name),
            ESCALATION => found(&self.escalations, name),
            ROTA => found(&self.rotas, name),
            BACKLOG_ALERT => found(&self.alerts, name),
            "Queue" => self.queues.get(name).map(|_| (0, "")),
            _ => None,
        }
    }

    fn own(&self) -> Vec<(&'static str, &str)> {
        let own = on_shelf(BACKLOG_ALERT, &self.alerts).chain(on_shelf(CALENDAR, &self.calendars));
        let own = own.chain(on_shelf(ESCALATION, &self.escalations)).chain(on_shelf(ROTA, &self.rotas));
        let own = own.chain(on_shelf(SHADOW_POLICY, &self.shadows));
        own.chain(on_shelf(SLA_POLICY, &self.policies)).collect()
    }

    fn faults(kind: &str, spec: &Value) -> Vec<Fault> {
        let found = match kind {
            SLA_POLICY | SHADOW_POLICY => Policy::read(spec).err(),
            ESCALATION => Escalation::read(spec).err(),
            ROTA => Rota::read(spec).err(),
            BACKLOG_ALERT => Alert::read(spec).err(),
            _ => {
                let fault = |fault: calendar::Fault| Fault { path: fault.path, message: fault.message };
                Calendar::read(spec).err().map(|faults| faults.into_iter().map(fault).collect())
            }
        };
        found.unwrap_or_default()
    }
}
