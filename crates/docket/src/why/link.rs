//! What led to each event: the cause it names, else what it says it answers.
//!
//! Deadlines and people name no cause. What a deadline fires for stands in its event (a clock and its generation, the
//! instant that was missed, a reminder); what somebody answers is the last event of the matter they speak of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Entry;

/// The fields that are the same in an event and in what it answers.
type Same = &'static [&'static str];

/// What a kind of event answers, if no cause is named: the last of these kinds before it that agrees in the fields.
const ANSWERS: [(&str, &[&str], Same); 15] = [
    ("WarningRaised", &["ClockStarted", "ClockResumed"], &["/clock", "/generation"]),
    ("Breached", &["ClockStarted", "ClockResumed"], &["/clock", "/generation"]),
    ("BreachRevoked", &["Breached"], &["/clock"]),
    ("BreachExplained", &["Breached"], &["/clock"]),
    ("ClockPaused", &["ClockStarted", "ClockResumed"], &["/clock"]),
    ("ClockResumed", &["ClockPaused"], &["/clock"]),
    ("ClockStopped", &["ClockStarted", "ClockResumed"], &["/clock"]),
    ("WaitEnded", &["WaitStarted"], &[]),
    ("Confirmed", &["Resolved"], &[]),
    ("ConfirmationRejected", &["Resolved"], &[]),
    ("Closed", &["Confirmed"], &[]),
    ("Reopened", &["Closed"], &[]),
    ("AttemptSucceeded", &["AttemptStarted"], &["/reminder", "/attempt", "/medium"]),
    ("AttemptDelivered", &["AttemptStarted"], &["/reminder", "/attempt", "/medium"]),
    ("AttemptFailed", &["AttemptStarted"], &["/reminder", "/attempt", "/medium"]),
];

/// For each entry the one that led to it, by its place in the list; the first message, and only it, has none.
pub(super) fn parents(entries: &[Entry]) -> Vec<Option<usize>> {
    let places: BTreeMap<&str, usize> =
        entries.iter().enumerate().map(|(place, entry)| (entry.id.as_str(), place)).collect();
    let parent = |place: usize| {
        let (before, entry) = (&entries[..place], &entries[place]);
        let named = places.get(entry.cause.as_str()).copied().filter(|cause| *cause < place);
        ruled(before, entry).or(named).or_else(|| answered(before, entry)).or_else(|| place.checked_sub(1).map(|_| 0))
    };
    (0..entries.len()).map(parent).collect()
}

/// The rule that sent the ticket where its visit was planned: both follow from the same event.
fn ruled(before: &[Entry], entry: &Entry) -> Option<usize> {
    let same = |other: &Entry| other.kind == "Routed" && other.cause == entry.cause;
    if entry.kind == "VisitPlanned" { last(before, same) } else { None }
}

/// The event an entry answers by what it says.
fn answered(before: &[Entry], entry: &Entry) -> Option<usize> {
    if let Some((_, kinds, fields)) = ANSWERS.iter().find(|(kind, ..)| *kind == entry.kind) {
        return last(before, |other| kinds.contains(&other.kind.as_str()) && agree(other, entry, fields));
    }
    match entry.kind.as_str() {
        "AttentionMissed" => missed(before, entry),
        // Planned one step up, since nobody answered the one before.
        "ReminderPlanned" => last(before, |other| other.kind == "ReminderUnanswered"),
        _ if entry.part("/reminder").is_some() => {
            last(before, |other| other.kind == "ReminderPlanned" && agree(other, entry, &["/reminder"]))
        }
        // What the ticket makes of a visit is no step of the visit.
        _ if entry.part("/visit").is_some() => {
            last(before, |other| other.family == entry.family && agree(other, entry, &["/visit"]))
        }
        _ => None,
    }
}

/// What set the instant that was missed: the miss before, else the event that named the next step.
fn missed(before: &[Entry], entry: &Entry) -> Option<usize> {
    let due = entry.part("/due_at");
    let set = |other: &Entry| other.part("/next/attend_by").or_else(|| other.part("/next_at")).cloned();
    let exactly = last(before, |other| set(other).is_some() && set(other).as_ref() == due);
    exactly.or_else(|| last(before, |other| set(other).is_some()))
}

fn last(before: &[Entry], holds: impl Fn(&Entry) -> bool) -> Option<usize> {
    before.iter().rposition(holds)
}

/// Whether both say the same of every field.
fn agree(one: &Entry, other: &Entry, fields: &[&str]) -> bool {
    let said = |entry: &Entry, field: &str| entry.part(field).cloned().unwrap_or(Value::Null);
    fields.iter().all(|field| said(one, field) == said(other, field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries(events: &[(&str, &str, Value)]) -> Vec<Entry> {
        let entry = |(place, (kind, cause, body)): (usize, &(&str, &str, Value))| Entry {
            id: place.to_string(),
            cause: (*cause).to_owned(),
            family: if *kind == "VisitBegun" { "ticket" } else { "work" }.to_owned(),
            kind: (*kind).to_owned(),
            body: body.clone(),
            actor: String::new(),
            when: String::new(),
        };
        events.iter().enumerate().map(entry).collect()
    }

    /// Proves part of: I20
    #[test]
    fn from_the_first_message_to_the_receipt_every_event_has_what_led_to_it() {
        let events = [
            ("Received", "", json!({"next": {"attend_by": 5}})),
            ("Routed", "0", json!({"rule": "north"})),
            ("VisitPlanned", "0", json!({"visit": "v"})),
            ("Offered", "2", json!({"visit": "v"})),
            ("ReminderPlanned", "3", json!({"reminder": "r", "step": 0})),
            ("AttemptStarted", "", json!({"reminder": "r", "attempt": 1, "medium": "email"})),
            ("AttemptStarted", "", json!({"reminder": "r", "attempt": 2, "medium": "email"})),
            ("AttemptFailed", "", json!({"reminder": "r", "attempt": 1, "medium": "email"})),
            ("OfferExpired", "", json!({"visit": "v"})),
            ("Offered", "8", json!({"visit": "v"})),
            ("Departed", "", json!({"visit": "v"})),
            ("VisitBegun", "10", json!({"visit": "v"})),
            ("Arrived", "", json!({"visit": "v"})),
        ];
        let found = parents(&entries(&events));
        assert_eq!(found[..8], [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(4), Some(5)]);
        assert_eq!(found[8..], [Some(3), Some(8), Some(9), Some(10), Some(10)]);
    }

    #[test]
    fn a_deadline_hangs_on_what_set_it() {
        let events = [
            ("Received", "", json!({"next": {"attend_by": 5}})),
            ("ClockStarted", "0", json!({"clock": "resolution", "generation": 1})),
            ("ClockStarted", "0", json!({"clock": "acceptance", "generation": 1})),
            ("ClockPaused", "0", json!({"clock": "resolution", "generation": 1})),
            ("ClockResumed", "0", json!({"clock": "resolution", "generation": 2})),
            ("WarningRaised", "", json!({"clock": "resolution", "generation": 2})),
            ("Breached", "", json!({"clock": "acceptance", "generation": 1})),
            ("Commented", "", json!({"next": {"attend_by": 9}})),
            ("AttentionMissed", "", json!({"due_at": 9, "next_at": 12})),
            ("AttentionMissed", "", json!({"due_at": 12, "next_at": 15})),
        ];
        let found = parents(&entries(&events));
        assert_eq!(found[5..], [Some(4), Some(2), Some(0), Some(7), Some(8)]);
    }

    #[test]
    fn an_escalation_hangs_on_the_silence_and_an_unknown_cause_on_the_first_message() {
        let events = [
            ("Received", "", json!({})),
            ("ReminderPlanned", "0", json!({"reminder": "a", "step": 0})),
            ("ReminderUnanswered", "", json!({"reminder": "a"})),
            ("ReminderPlanned", "", json!({"reminder": "b", "step": 1})),
            ("ReminderAcknowledged", "", json!({"reminder": "b"})),
            ("VisitReleased", "elsewhere", json!({"visit": "w"})),
        ];
        assert_eq!(parents(&entries(&events)), [None, Some(0), Some(1), Some(2), Some(3), Some(0)]);
    }
}
