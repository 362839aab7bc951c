//! What a reminder is about, and the events after which it no longer needs to be said.

use serde::{Deserialize, Serialize};
use ticket::Event;
use ticket::dispatch::DispatchEvent;
use ticket::intake::IntakeEvent;
use ticket::notifier::Recall;
use ticket::sla::{Backlog, SlaEvent};

/// What a reminder is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Topic {
    /// The ticket as a whole.
    Ticket,
    /// Its next step.
    Step,
    /// A clock of it.
    Clock(String),
    /// Who takes a visit on.
    Visit(String),
    /// What of a queue's backlog is too much: `alert/count`.
    Backlog(String),
}

impl Topic {
    /// The topic of a reminder, by the facts it was planned with.
    pub(crate) fn of<'a>(facts: impl Fn(&str) -> Option<&'a str>) -> Self {
        let fact = |name: &str| facts(name).unwrap_or_default().to_owned();
        match fact("kind").as_str() {
            "WarningRaised" | "Breached" | "EscalationRaised" => Self::Clock(fact("clock")),
            "Offered" | "Recommended" | "NobodyFound" => Self::Visit(fact("visit")),
            "BacklogRaised" => Self::Backlog(format!("{}/{}", fact("alert"), fact("measure"))),
            "AttentionMissed" => Self::Step,
            _ if facts("attend_by").is_some() => Self::Step,
            _ => Self::Ticket,
        }
    }
}

/// What an event closes, and why reminders of it are recalled.
pub(crate) fn closed(event: &Event) -> Option<(Topic, Recall)> {
    match event {
        Event::Intake(IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. }) => {
            Some((Topic::Ticket, Recall::TicketEnded))
        }
        Event::Intake(intake) => intake.next().map(|_| (Topic::Step, Recall::ActedOn)),
        Event::Sla(
            SlaEvent::ClockStopped { clock, .. }
            | SlaEvent::ClockCancelled { clock, .. }
            | SlaEvent::EscalationAcknowledged { clock, .. },
        ) => Some((Topic::Clock(clock.clone()), Recall::ActedOn)),
        Event::Sla(SlaEvent::BreachRevoked { clock, .. }) => Some((Topic::Clock(clock.clone()), Recall::BreachRevoked)),
        Event::Sla(SlaEvent::BacklogCleared { alert, measure, .. }) => {
            let measure = match measure {
                Backlog::Count => "count",
                Backlog::Age => "age",
            };
            Some((Topic::Backlog(format!("{}/{measure}", alert.name)), Recall::Over))
        }
        Event::Sla(SlaEvent::MajorEventEnded { .. }) => Some((Topic::Ticket, Recall::Over)),
        Event::Dispatch(dispatch) => visit(dispatch).map(|topic| (topic, Recall::ActedOn)),
        Event::Sla(_) | Event::Notifier(_) | Event::House(_) => None,
    }
}

fn visit(event: &DispatchEvent) -> Option<Topic> {
    match event {
        DispatchEvent::Offered { visit, .. }
        | DispatchEvent::OfferAccepted { visit, .. }
        | DispatchEvent::OfferDeclined { visit, .. }
        | DispatchEvent::OfferExpired { visit, .. }
        | DispatchEvent::VisitReleased { visit, .. }
        | DispatchEvent::VisitCancelled { visit, .. }
        | DispatchEvent::WorkHandedOver { visit, .. }
        | DispatchEvent::Departed { visit, .. } => Some(Topic::Visit(visit.to_string())),
        _ => None,
    }
}
