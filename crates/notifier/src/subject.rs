//! What reminders are about that is no ticket: a queue in which too much lies, a major event. Each has an id of its own, and
//! its reminders a stream of their own under it.

use serde::{Deserialize, Serialize};
use ticket::Event;
use ticket::intake::Accountable;
use ticket::sla::SlaEvent;
use uuid::Uuid;

/// What something is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// A queue, by its name.
    Queue(String),
    /// A major event, by its name.
    Major(String),
}

impl Subject {
    /// What an event is about, if that is no ticket.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Sla(SlaEvent::BacklogRaised { queue, .. } | SlaEvent::BacklogCleared { queue, .. }) => {
                Some(Self::Queue(queue.clone()))
            }
            Event::Sla(SlaEvent::MajorEventDeclared { name, .. } | SlaEvent::MajorEventEnded { name, .. }) => {
                Some(Self::Major(name.clone()))
            }
            _ => None,
        }
    }

    /// `queue/desk`, `major/flood`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Queue(name) => format!("queue/{name}"),
            Self::Major(name) => format!("major/{name}"),
        }
    }

    /// Its id, the same for ever.
    pub(crate) fn id(&self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("docket/{}", self.name()).as_bytes())
    }

    /// Who answers for it.
    pub(crate) fn accountable(&self) -> Option<Accountable> {
        match self {
            Self::Queue(name) => Some(Accountable::Queue(name.clone())),
            Self::Major(_) => None,
        }
    }
}
