//! Which kinds of events may leave the house, and why the others stay.

use serde_json::Value;
use ticket::glob::Globs;

/// Kinds outsiders may be told of; a configuration may narrow them, not widen them.
pub const PUBLIC: &[&str] = &[
    // The ticket.
    "Received",
    "Triaged",
    "PriorityRaised",
    "PriorityLowered",
    "Transferred",
    "TakenInCharge",
    "Commented",
    "ContactLogged",
    "WaitStarted",
    "WaitEnded",
    "VisitScheduled",
    "VisitFellThrough",
    "VisitBegun",
    "Resolved",
    "Confirmed",
    "ConfirmationRejected",
    "Closed",
    "Reopened",
    "Cancelled",
    "TicketImported",
    "CustomerErased",
    // Its field work.
    "Routed",
    "VisitPlanned",
    "Offered",
    "OfferAccepted",
    "OfferDeclined",
    "OfferExpired",
    "VisitReleased",
    "Departed",
    "Arrived",
    "WorkStarted",
    "WorkPaused",
    "WorkContinued",
    "VisitCompleted",
    "VisitStopped",
    "VisitCancelled",
    "WorkHandedOver",
    // Its clocks.
    "ClockStarted",
    "ClockPaused",
    "ClockResumed",
    "ClockStopped",
    "ClockCancelled",
    "WarningRaised",
    "Breached",
    "BreachRevoked",
    "BreachExplained",
    "AttentionMissed",
    "EscalationRaised",
    "EscalationAcknowledged",
    "BacklogRaised",
    "BacklogCleared",
    "MajorEventDeclared",
    "MajorEventEnded",
    // Who was told of it.
    "ReminderPlanned",
    "ReminderRead",
    "ReminderAcknowledged",
    "ReminderJudged",
    "ReminderRecalled",
    "ReminderUnanswered",
];

/// Kinds that stay in the house, each with why.
pub const WITHHELD: &[(&str, &str)] = &[
    ("ActivityImported", "another system's words, which may name people"),
    ("Recommended", "a choice not made yet, with everybody who was considered"),
    ("NobodyFound", "everybody who was considered"),
    ("SlotHeld", "an engineer's diary; the offer says it"),
    ("SlotReleased", "an engineer's diary; what ended the visit says it"),
    ("DutyStarted", "an engineer's working hours"),
    ("DutyEnded", "an engineer's working hours and health"),
    ("TimeOffBooked", "an engineer's diary"),
    ("TimeOffCancelled", "an engineer's diary"),
    ("PositionReported", "where an engineer is"),
    ("ReminderDeferred", "bookkeeping of sending"),
    ("ReminderSnoozed", "bookkeeping of sending"),
    ("ReminderResumed", "bookkeeping of sending"),
    ("AttemptStarted", "bookkeeping of sending"),
    ("AttemptSucceeded", "what another mail server said"),
    ("AttemptDelivered", "what another mail server said"),
    ("AttemptFailed", "what another mail server said"),
    ("MediumAdded", "bookkeeping of sending"),
    ("DigestPlanned", "bookkeeping of sending"),
    ("ReminderGathered", "bookkeeping of sending"),
    ("ReminderRepeated", "bookkeeping of sending"),
    ("OfferTaken", "a wish; the offer's acceptance says what came of it"),
    ("AddressEnded", "how somebody is reached"),
    ("RecipientSet", "addresses and webhook secrets"),
    ("PresenceReported", "whether somebody is at work"),
    ("DoNotDisturbSet", "whether somebody is at work"),
    ("ConfigApplied", "how the house is run"),
    ("ConfigRetired", "how the house is run"),
    ("ReactedThrough", "bookkeeping of a service"),
    ("ReactionParked", "bookkeeping of a service"),
    ("ClockAnchored", "bookkeeping of the house"),
];

/// Members of public events that stay in the house: kind and JSON pointer. A decision lists everybody considered; a
/// place may be somebody's home.
pub(crate) const WITHHELD_MEMBERS: &[(&str, &str)] =
    &[("Offered", "/decision"), ("VisitPlanned", "/job/site"), ("Arrived", "/place")];

/// Whether bodies of this kind have members that stay in the house.
pub(crate) fn narrowed(kind: &str) -> bool {
    WITHHELD_MEMBERS.iter().any(|(of, _)| *of == kind)
}

/// Takes what stays in the house out of a body of this kind.
pub fn withhold(kind: &str, body: &mut Value) {
    for (_, pointer) in WITHHELD_MEMBERS.iter().filter(|(of, _)| *of == kind) {
        let holder = pointer.rsplit_once('/').and_then(|(holder, name)| Some((body.pointer_mut(holder)?, name)));
        if let Some((Value::Object(members), name)) = holder {
            members.remove(name);
        }
    }
}

/// The public kinds these patterns name, in the order of [`PUBLIC`].
pub(crate) fn public(globs: &Globs) -> Vec<&'static str> {
    PUBLIC.iter().copied().filter(|kind| globs.matches(kind)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ticket::codec::KINDS;

    use super::*;

    #[test]
    fn every_kind_is_either_public_or_withheld_for_a_reason() {
        let decided: Vec<_> = PUBLIC.iter().chain(WITHHELD.iter().map(|(kind, _)| kind)).copied().collect();
        assert_eq!(decided.iter().copied().collect::<BTreeSet<_>>(), KINDS.keys().copied().collect());
        assert_eq!(decided.len(), KINDS.len(), "a kind stands in both lists");
    }

    #[test]
    fn what_stays_is_taken_out_however_deep_and_nothing_else() {
        let mut body = serde_json::json!({"job": {"site": {"lat_udeg": 1}, "region": "north"}, "visit": "v"});
        withhold("VisitPlanned", &mut body);
        withhold("Closed", &mut body);
        assert_eq!(body, serde_json::json!({"job": {"region": "north"}, "visit": "v"}));
    }

    #[test]
    fn patterns_choose_among_the_public_kinds_alone() {
        assert_eq!(public(&Globs::new(&["Breach*", "!*Revoked"])), ["Breached", "BreachExplained"]);
        assert_eq!(public(&Globs::new(&["RecipientSet"])), [""; 0]);
    }
}
