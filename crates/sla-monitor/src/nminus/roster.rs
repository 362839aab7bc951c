//! When engineers are there by the roster, whatever they said themselves: their shifts and their time off; and who of them
//! comes.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::dispatch::DispatchEvent;
use uuid::Uuid;

/// The roster of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roster {
    /// The calendar of each engineer's shifts, by token subject.
    pub(crate) shifts: BTreeMap<String, String>,
    /// Their time off: from, and to.
    off: BTreeMap<String, BTreeMap<Micros, Micros>>,
    /// Who comes, of the tickets of which somebody took a visit on.
    comes: BTreeMap<Uuid, String>,
}

/// The calendar of the shifts that an `Engineer` document, which dispatch owns and checks, names.
pub(crate) fn shift(spec: &Value) -> Option<String> {
    spec.get("shift").and_then(Value::as_str).map(str::to_owned)
}

impl Roster {
    /// Puts an engineer on the roster, or takes them off it.
    pub(crate) fn set(&mut self, name: &str, spec: Option<&Value>) {
        match spec.and_then(shift) {
            Some(shift) => drop(self.shifts.insert(name.to_owned(), shift)),
            None => drop(self.shifts.remove(name)),
        }
    }

    /// Takes in what was entered of somebody's time off; other events say nothing of it.
    pub(crate) fn learn(&mut self, subject: &str, event: &DispatchEvent) {
        match event {
            DispatchEvent::TimeOffBooked { from, to } => {
                self.off.entry(subject.to_owned()).or_default().insert(*from, *to);
            }
            DispatchEvent::TimeOffCancelled { from } => {
                self.off.entry(subject.to_owned()).or_default().remove(from);
            }
            _ => {}
        }
    }

    /// Takes in what happened to a visit of a ticket.
    pub(crate) fn visit(&mut self, ticket: Uuid, event: &DispatchEvent) {
        match event {
            DispatchEvent::OfferAccepted { engineer, .. } | DispatchEvent::WorkHandedOver { to: engineer, .. } => {
                self.comes.insert(ticket, engineer.clone());
            }
            DispatchEvent::VisitReleased { .. }
            | DispatchEvent::VisitCancelled { .. }
            | DispatchEvent::VisitCompleted { .. }
            | DispatchEvent::VisitStopped { .. } => drop(self.comes.remove(&ticket)),
            _ => {}
        }
    }

    /// Who comes, if somebody took a visit of this ticket on.
    pub(crate) fn comes(&self, ticket: Uuid) -> Option<&str> {
        self.comes.get(&ticket).map(String::as_str)
    }

    /// Whether somebody has time off at an instant.
    pub(crate) fn off(&self, subject: &str, at: Micros) -> bool {
        self.off.get(subject).is_some_and(|all| all.range(..=at).any(|(_, to)| at < *to))
    }
}
