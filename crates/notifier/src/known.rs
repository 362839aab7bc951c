//! What texts may say of an event and its ticket: nothing personal.

use std::collections::BTreeMap;

use decider::Micros;
use jiff::Timestamp;
use ticket::condition::{Scalar, TicketFacts};
use ticket::scalars::{Is, is};
pub(crate) use ticket::scalars::{Scalars, sample, scalars};
use uuid::Uuid;

/// What a text may say: the event's scalars and the ticket it is about, if it is about one, all as text.
pub(crate) fn facts(ticket: Option<Uuid>, about: &TicketFacts, told: &Scalars) -> BTreeMap<String, String> {
    let id = ticket.map(|ticket| ticket.to_string()).unwrap_or_default();
    let mut facts: BTreeMap<_, _> = told.iter().map(|(name, value)| (name.clone(), words(name, value))).collect();
    facts.entry("priority".into()).or_insert_with(|| about.priority.clone());
    facts.entry("queue".into()).or_insert_with(|| about.queue.clone());
    facts.insert("type".into(), about.ticket_type.clone());
    facts.insert("ticket".into(), id.chars().take(8).collect());
    facts.insert("ticket_id".into(), id);
    facts
}

/// Facts to try texts on: every one there can be.
pub(crate) fn sample_facts() -> BTreeMap<String, String> {
    facts(Some(Uuid::nil()), &TicketFacts::sample(), &sample())
}

fn words(name: &str, value: &Scalar) -> String {
    match value {
        Scalar::Number(at) if is(name) == Some(Is::Instant) => instant(*at),
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
        Scalar::Flag(flag) => flag.to_string(),
    }
}

/// RFC 3339, UTC, whole seconds.
fn instant(at: Micros) -> String {
    Timestamp::from_second(at.div_euclid(1_000_000)).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use ticket::dispatch::{DispatchEvent, StopReason};
    use ticket::intake::{Accountable, Attention, IntakeEvent};
    use ticket::{Event, Personal};

    use super::*;

    /// Proves part of: N2, X6
    #[test]
    fn an_event_tells_its_scalars_and_nothing_personal() {
        let next = Attention { accountable: Accountable::Queue("desk".into()), attend_by: 1_709_550_000_123_456 };
        let transferred =
            IntakeEvent::Transferred { from: "a".into(), queue: "desk".into(), reason: "theirs".into(), next };
        let (kind, told) = scalars(&Event::Intake(transferred), 7).unwrap();
        let facts = facts(Some(Uuid::from_u128(1)), &TicketFacts::sample(), &told);
        assert_eq!(kind, "Transferred");
        assert_eq!(facts["attend_by"], "2024-03-04T11:00:00Z");
        assert_eq!((facts["accountable"].as_str(), facts["reason"].as_str()), ("desk", "theirs"));
        assert_eq!((facts["ticket"].as_str(), facts["priority"].as_str()), ("00000000", "medium"));

        let note = Personal::new(Uuid::nil(), "Mrs Doe is out".to_owned());
        let (visit, engineer) = (Uuid::nil(), "eva".into());
        let stopped = DispatchEvent::VisitStopped { visit, engineer, why: StopReason::Parts, note };
        let (_, told) = scalars(&Event::Dispatch(stopped), 7).unwrap();
        assert_eq!(told.get("why"), Some(&Scalar::Text("parts".into())));
        assert_eq!(told.get("note"), None, "what is personal is not told");
    }
}
