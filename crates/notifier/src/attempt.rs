//! Attempts to reach somebody: begun by an event that is the fence, ended by one that says what follows.

use decider::{At, Decided, Micros, Read};
use ticket::notifier::{Deferral, Medium, NotifierEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::{Attempt, recorded};
use crate::defer;
use crate::reminder::{Reminder, To, TryEnd};
use crate::retry::{self, Outcome};
use crate::state::{House, State};

/// What the receiver de-duplicates by: the same for every try by this medium.
fn message_id(attempt: &Attempt) -> String {
    let medium = match attempt.medium {
        Medium::InApp => "in-app",
        Medium::Email => "email",
        Medium::Webhook => "webhook",
    };
    format!("{}.{medium}", attempt.reminder)
}

/// Puts the first attempt off where the recipient may not be disturbed meanwhile.
pub(crate) fn put_off_first(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some(known) = read.guard(&stream::reminder(ticket)).reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let owed = known.1.owed().any(|(due, ..)| due <= at.now);
    let put_off = put_off(known, id, read, at).filter(|_| owed);
    recorded(ticket, put_off.map(|(until, why)| NotifierEvent::ReminderDeferred { reminder: id, until, why }))
}

/// Until when a reminder that can wait is put off now, and why.
fn put_off(
    (house, reminder): (&House, &Reminder),
    id: Uuid,
    read: &Read<'_, State>,
    at: &At,
) -> Option<(Micros, Deferral)> {
    let To::Person(subject) = &reminder.to else { return None };
    if reminder.urgent || !reminder.tries.is_empty() {
        return None;
    }
    read.guard(&stream::recipient(subject));
    let (until, why) = defer::send_at(house.people.get(subject)?, id, at.now, house.too_late(reminder, at.now));
    why.map(|why| (until, why))
}

/// Begins an attempt that is owed now, unless it has to be put off.
pub(crate) fn start(attempt: &Attempt, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Attempt { ticket, reminder: id, medium, number } = attempt;
    let state = read.guard(&stream::reminder(*ticket));
    let Some((house, reminder)) = state.reminder(&at.tenant, *ticket, *id) else { return Vec::new() };
    let mut owed = reminder.owed();
    if !owed.any(|(due, of, next)| (of, next) == (*medium, *number) && due <= at.now) {
        return Vec::new();
    }
    if put_off((house, reminder), *id, read, at).is_some() {
        return Vec::new();
    }
    let (reminder, attempt, medium, message_id) = (*id, *number, *medium, message_id(attempt));
    recorded(*ticket, [NotifierEvent::AttemptStarted { reminder, attempt, medium, message_id }])
}

/// Records how an attempt ended. What nobody knew and what failed may turn out to have arrived; what arrived stays.
pub(crate) fn finish(attempt: &Attempt, outcome: &Outcome, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Attempt { ticket, reminder: id, medium, number } = attempt.clone();
    let state = read.guard(&stream::reminder(ticket));
    let Some((house, reminder)) = state.reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let begun = reminder.tries.iter().find(|one| (one.medium, one.number) == (medium, number));
    let (Some(begun), Some(tried)) = (begun, reminder.tried(medium)) else { return Vec::new() };
    let event = match (outcome, &begun.ended) {
        (Outcome::Arrived(_), Some((_, TryEnd::Arrived(_)))) | (Outcome::Failed(_) | Outcome::Lost, Some(_)) => {
            return Vec::new();
        }
        (Outcome::Arrived(receipt), _) => {
            let receipt = receipt.clone();
            NotifierEvent::AttemptSucceeded { reminder: id, attempt: number, medium, receipt }
        }
        (Outcome::Failed(_) | Outcome::Lost, None) => {
            let (next, too_late) = (reminder.next_medium(at.now), house.too_late(reminder, at.now));
            let error = match outcome {
                Outcome::Failed(trouble) => trouble.kind.clone(),
                Outcome::Arrived(_) | Outcome::Lost => "unknown".to_owned(),
            };
            let then = retry::then(outcome, tried, at.now, next, too_late);
            NotifierEvent::AttemptFailed { reminder: id, attempt: number, medium, error, then }
        }
    };
    recorded(ticket, [event])
}
