//! Configuration documents: those in force, and what can be wrong with those of intake's own kinds.

use std::collections::BTreeMap;

use calendar::Calendar;
use serde_json::Value;
use ticket::batch::{Library, on_shelf};
use ticket::document::{Fault, Kept};

use crate::queue::Queue;
use crate::state::House;
use crate::template::TicketType;

/// The documents of one kind, by name.
pub type Shelf<T> = BTreeMap<String, Kept<T>>;

const CALENDAR: &str = "Calendar";
const QUEUE: &str = "Queue";
const TICKET_TYPE: &str = "TicketType";

impl House {
    /// A queue in force.
    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)?.get(Queue::read)
    }

    /// A ticket type in force.
    pub fn template(&self, name: &str) -> Option<&TicketType> {
        self.types.get(name)?.get(TicketType::read)
    }

    /// A calendar in force.
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)?.get(|spec| Calendar::read(spec))
    }

    /// Puts a document in force; those of kinds intake has no use for are passed over.
    pub(crate) fn apply(&mut self, (kind, name): (&str, &str), version: u64, spec: &Value) {
        let name = name.to_owned();
        match kind {
            CALENDAR => drop(self.calendars.insert(name, Kept::new(version, spec))),
            QUEUE => drop(self.queues.insert(name, Kept::new(version, spec))),
            TICKET_TYPE => drop(self.types.insert(name, Kept::new(version, spec))),
            _ => {}
        }
    }

    /// Takes a document out of force.
    pub(crate) fn retire(&mut self, kind: &str, name: &str) {
        match kind {
            CALENDAR => drop(self.calendars.remove(name)),
            QUEUE => drop(self.queues.remove(name)),
            TICKET_TYPE => drop(self.types.remove(name)),
            _ => {}
        }
    }
}

impl Library for House {
    const SERVICE: &'static str = "intake";

    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        fn found<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<(u64, &'a str)> {
            shelf.get(name).map(|kept| (kept.version, kept.spec.as_str()))
        }
        match kind {
            CALENDAR => found(&self.calendars, name),
            QUEUE => found(&self.queues, name),
            TICKET_TYPE => found(&self.types, name),
            _ => None,
        }
    }

    fn own(&self) -> Vec<(&'static str, &str)> {
        on_shelf(QUEUE, &self.queues).chain(on_shelf(TICKET_TYPE, &self.types)).collect()
    }

    fn faults(kind: &str, spec: &Value) -> Vec<Fault> {
        let faults = if kind == QUEUE { Queue::read(spec).err() } else { TicketType::read(spec).err() };
        faults.unwrap_or_default()
    }
}
