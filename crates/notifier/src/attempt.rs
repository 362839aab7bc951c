//! Attempts to reach somebody: begun by an event that is the fence, ended by one that says what follows.

use decider::{At, Decided, Micros, Read};
use ticket::notifier::{Deferral, NotifierEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::{Attempt, recorded};
use crate::defer;
use crate::digest;
use crate::plan::guarded;
use crate::reminder::{Reminder, To};
use crate::retry::{self, Fate, Outcome, Taken};
use crate::state::{House, State};
use crate::tries::TryEnd;

/// What the receiver de-duplicates by: the same for every try by this medium, until its recipient wanted it again.
pub(crate) fn message_id(attempt: &Attempt, again: u32) -> String {
    let medium = attempt.medium.name().replace('_', "-");
    let round = if again == 0 { String::new() } else { format!(".{again}") };
    format!("{}.{medium}{round}", attempt.reminder)
}

/// A reminder that still needs to be said; every stream that says so is noted.
fn needed<'a>(ticket: Uuid, id: Uuid, read: &Read<'a, State>, at: &At) -> Option<(&'a House, &'a Reminder)> {
    if ticket == id {
        // A digest tells what is still needed of it when it leaves: what its reminders are about need not stand still.
        read.guard(&stream::reminder(id));
    } else {
        guarded(ticket, read, at)?;
    }
    let found = read.look().reminder(&at.tenant, ticket, id);
    found.filter(|(house, reminder)| reminder.end.is_none() && !house.moot(reminder))
}

/// Puts a reminder off that is to be sent now, where its recipient may not be disturbed meanwhile.
pub(crate) fn defer(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some(known) = needed(ticket, id, read, at) else { return Vec::new() };
    let owed = known.1.owed().any(|(due, ..)| due <= at.now);
    let put_off = put_off(known, id, read, at).filter(|_| owed);
    recorded(ticket, put_off.map(|(until, why)| NotifierEvent::ReminderDeferred { reminder: id, until, why }))
}

/// Ends the waiting of what was put off and is due, or would come too late by now. What its recipient wants no sooner
/// waits on; what they asked for at this instant does not.
pub(crate) fn resume(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((house, reminder)) = needed(ticket, id, read, at) else { return Vec::new() };
    let Some(until) = reminder.waits else { return Vec::new() };
    let overslept = house.overslept(reminder);
    if until > at.now && !overslept {
        return Vec::new();
    }
    let asked_for = reminder.snoozed_until == Some(until);
    let put_off = put_off((house, reminder), id, read, at).filter(|_| !overslept && !asked_for);
    if let Some((until, why)) = put_off {
        return recorded(ticket, [NotifierEvent::ReminderDeferred { reminder: id, until, why }]);
    }
    let together = digest::gather((house, reminder), (ticket, id), read, at);
    together.unwrap_or_else(|| recorded(ticket, [NotifierEvent::ReminderResumed { reminder: id }]))
}

/// Says a reminder a second time that nothing was done about.
pub(crate) fn repeat(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((_, reminder)) = needed(ticket, id, read, at) else { return Vec::new() };
    let due = reminder.repeats_at().is_some_and(|due| due <= at.now);
    recorded(ticket, due.then_some(NotifierEvent::ReminderRepeated { reminder: id }))
}

/// Until when a reminder that can wait is put off now, and why.
fn put_off(
    (house, reminder): (&House, &Reminder),
    id: Uuid,
    read: &Read<'_, State>,
    at: &At,
) -> Option<(Micros, Deferral)> {
    let To::Person(subject) = &reminder.to else { return None };
    if reminder.urgent {
        return None;
    }
    read.guard(&stream::recipient(subject));
    let (until, why) = defer::send_at(house.people.get(subject)?, id, at.now, house.too_late(reminder, at.now));
    why.map(|why| (until, why))
}

/// Begins an attempt that is owed now, unless it has to be put off or need not be made any more.
pub(crate) fn start(attempt: &Attempt, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Attempt { ticket, reminder: id, medium, number } = attempt;
    let Some((house, reminder)) = needed(*ticket, *id, read, at) else { return Vec::new() };
    let mut owed = reminder.owed();
    if !owed.any(|(due, of, next)| (of, next) == (*medium, *number) && due <= at.now) {
        return Vec::new();
    }
    if put_off((house, reminder), *id, read, at).is_some() || digest::is_filling(house, reminder, at.now) {
        return Vec::new();
    }
    let message_id = message_id(attempt, reminder.again);
    let (reminder, attempt, medium) = (*id, *number, *medium);
    recorded(*ticket, [NotifierEvent::AttemptStarted { reminder, attempt, medium, message_id }])
}

/// Records how an attempt ended. What nobody knew and what failed may turn out to have arrived; what arrived stays.
pub(crate) fn finish(attempt: &Attempt, outcome: &Outcome, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Attempt { ticket, reminder: id, medium, number } = attempt.clone();
    let state = read.guard(&stream::reminder(ticket));
    let Some((house, reminder)) = state.reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let begun = reminder.by((medium, number));
    let (Some(begun), Some(tried)) = (begun, reminder.tried(medium)) else { return Vec::new() };
    let event = match (outcome, &begun.ended) {
        (Outcome::Arrived(_), Some((_, TryEnd::Arrived(_)))) | (Outcome::Failed(_) | Outcome::Lost, Some(_)) => {
            return Vec::new();
        }
        (Outcome::Arrived(Taken { receipt, reference }), _) => {
            let (receipt, reference) = (receipt.clone(), reference.clone());
            NotifierEvent::AttemptSucceeded { reminder: id, attempt: number, medium, receipt, reference }
        }
        (Outcome::Failed(_) | Outcome::Lost, None) => {
            let (next, too_late) = (reminder.next_medium((medium, number)), house.too_late(reminder, at.now));
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

/// Records what became of what the other side had taken: it reached the recipient, or it came back and the next medium
/// follows. Of a try whose outcome is not recorded yet nothing can be said.
pub(crate) fn heard(attempt: &Attempt, fate: &Fate, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Attempt { ticket, reminder: id, medium, number } = attempt.clone();
    let state = read.guard(&stream::reminder(ticket));
    let Some((house, reminder)) = state.reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let begun = reminder.by((medium, number));
    let (Some(begun), Some(tried)) = (begun, reminder.tried(medium)) else { return Vec::new() };
    if begun.ended.is_none() || begun.delivered_at.is_some() {
        return Vec::new();
    }
    let event = match fate {
        Fate::Delivered(receipt) => {
            let receipt = receipt.clone();
            NotifierEvent::AttemptDelivered { reminder: id, attempt: number, medium, receipt }
        }
        Fate::Returned(_) if !begun.arrived() => return Vec::new(),
        Fate::Returned(error) => {
            let (next, too_late) = (reminder.next_medium((medium, number)), house.too_late(reminder, at.now));
            let then = retry::then(&Outcome::returned(error), tried, at.now, next, too_late);
            NotifierEvent::AttemptFailed { reminder: id, attempt: number, medium, error: error.clone(), then }
        }
    };
    recorded(ticket, [event])
}

/// Uses the next medium as well, since nobody saw in time what arrived.
pub(crate) fn add_medium(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((_, reminder)) = needed(ticket, id, read, at) else { return Vec::new() };
    let due = reminder.next_medium_at().is_some_and(|due| due <= at.now);
    let medium = reminder.unused().filter(|_| due);
    recorded(ticket, medium.map(|medium| NotifierEvent::MediumAdded { reminder: id, medium }))
}
