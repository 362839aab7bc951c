//! What people do with their reminders, and how they say they want to be told.

use decider::{At, Decided, Micros, Read};
use ticket::notifier::{Device, Medium, NotifierEvent, Presence, Verdict};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::recorded;
use crate::person::{Person, Settings};
use crate::refusal::Refusal;
use crate::reminder::{End, Reminder, To};
use crate::state::{House, State};

const HOUR_US: Micros = 3_600_000_000;
/// Longest time a reminder may be put off that nothing else limits, hours.
const MAX_SNOOZE_HOURS: i64 = 72;
/// Longest time somebody's word about themselves holds, hours.
const MAX_PRESENCE_HOURS: i64 = 24;
/// Longest time nobody may be disturbed, hours.
const MAX_UNDISTURBED_HOURS: i64 = 168;

type Outcome = Result<Decided<Event>, Refusal>;

/// Who asks, by token subject.
fn caller(at: &At) -> &str {
    at.actor.strip_prefix("user/").unwrap_or_default()
}

/// A reminder of the caller's own.
fn own<'a>(ticket: Uuid, id: Uuid, read: &Read<'a, State>, at: &At) -> Result<(&'a House, &'a Reminder), Refusal> {
    let found = read.guard(&stream::reminder(ticket)).reminder(&at.tenant, ticket, id);
    found
        .filter(|(_, one)| one.holds.is_none() && one.to == To::Person(caller(at).to_owned()))
        .ok_or(Refusal::ReminderUnknown)
}

pub(crate) fn read(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Outcome {
    let (_, reminder) = own(ticket, id, read, at)?;
    if !reminder.unseen(at.now) {
        return Ok(Vec::new());
    }
    Ok(recorded(ticket, [NotifierEvent::ReminderRead { reminder: id }]))
}

/// Answering late is an answer too; what was taken back needs none.
pub(crate) fn acknowledge(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Outcome {
    let (_, reminder) = own(ticket, id, read, at)?;
    if matches!(reminder.end, Some(End::Acknowledged | End::Recalled(_))) {
        return Ok(Vec::new());
    }
    Ok(recorded(ticket, [NotifierEvent::ReminderAcknowledged { reminder: id, by: caller(at).to_owned() }]))
}

/// Puts a reminder off, at the longest until it would be too late.
pub(crate) fn snooze(ticket: Uuid, id: Uuid, until: Micros, read: &Read<'_, State>, at: &At) -> Outcome {
    let (house, reminder) = own(ticket, id, read, at)?;
    // What says when it is too late.
    for stream in [stream::ticket(ticket), stream::sla(ticket), stream::work(ticket)] {
        read.guard(&stream);
    }
    if reminder.end.is_some() {
        return Err(Refusal::ReminderSettled);
    }
    if until <= at.now {
        return Err(Refusal::NotAhead("until_time"));
    }
    let longest = at.now.saturating_add(MAX_SNOOZE_HOURS * HOUR_US);
    let until = until.min(house.too_late(reminder, at.now).unwrap_or(longest)).min(longest);
    if reminder.snoozed_until == Some(until) {
        return Ok(Vec::new());
    }
    Ok(recorded(ticket, [NotifierEvent::ReminderSnoozed { reminder: id, until }]))
}

/// Takes the offer a reminder is about; whether it still stands is dispatch's to say.
pub(crate) fn take_offer(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Outcome {
    let (_, reminder) = own(ticket, id, read, at)?;
    let visit = reminder.offer().ok_or(Refusal::ReminderUnknown)?;
    if reminder.taken {
        return Ok(Vec::new());
    }
    if matches!(reminder.end, Some(End::Recalled(_))) {
        return Err(Refusal::ReminderSettled);
    }
    Ok(recorded(ticket, [NotifierEvent::OfferTaken { reminder: id, visit, by: caller(at).to_owned() }]))
}

/// Records what a reminder was worth to its recipient, who may think of it anew.
pub(crate) fn judge((ticket, id): (Uuid, Uuid), verdict: Verdict, read: &Read<'_, State>, at: &At) -> Outcome {
    let (_, reminder) = own(ticket, id, read, at)?;
    if reminder.verdict == Some(verdict) {
        return Ok(Vec::new());
    }
    Ok(recorded(ticket, [NotifierEvent::ReminderJudged { reminder: id, verdict, by: caller(at).to_owned() }]))
}

/// Somebody, their own stream guarded.
fn person<'a>(subject: &str, read: &Read<'a, State>, at: &At) -> Option<&'a Person> {
    read.guard(&stream::recipient(subject)).house(&at.tenant)?.people.get(subject)
}

fn of_person(subject: &str, event: NotifierEvent) -> Decided<Event> {
    vec![(stream::recipient(subject), Event::Notifier(event))]
}

pub(crate) fn set_recipient(subject: &str, settings: &Settings, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let known = person(subject, read, at).and_then(|person| person.settings.as_ref());
    let ended = person(subject, read, at).is_some_and(|person| !person.ended.is_empty());
    if known.is_some_and(|known| known.same(settings)) && !ended {
        return Vec::new();
    }
    of_person(subject, settings.event())
}

/// Ends the use of an address, if it is still the one that was used.
pub(crate) fn end_address(
    subject: &str,
    (medium, digest, error): (Medium, Uuid, &str),
    read: &Read<'_, State>,
    at: &At,
) -> Decided<Event> {
    let way = person(subject, read, at).and_then(|person| person.way(medium));
    if way.is_none_or(|way| way.digest != digest) {
        return Vec::new();
    }
    of_person(subject, NotifierEvent::AddressEnded { medium, digest, error: error.to_owned() })
}

pub(crate) fn report_presence(
    (presence, until, device): (Presence, Micros, Option<Device>),
    read: &Read<'_, State>,
    at: &At,
) -> Outcome {
    ahead("until_time", until, MAX_PRESENCE_HOURS, at)?;
    let known = person(caller(at), read, at);
    if known.is_some_and(|known| (known.presence, known.device) == (Some((presence, until)), device)) {
        return Ok(Vec::new());
    }
    Ok(of_person(caller(at), NotifierEvent::PresenceReported { presence, until, device }))
}

pub(crate) fn set_do_not_disturb(until: Option<Micros>, read: &Read<'_, State>, at: &At) -> Outcome {
    let until = until.filter(|until| *until > at.now);
    if let Some(until) = until {
        ahead("until_time", until, MAX_UNDISTURBED_HOURS, at)?;
    }
    let known = person(caller(at), read, at).and_then(|person| person.dnd_until).filter(|until| *until > at.now);
    if known == until {
        return Ok(Vec::new());
    }
    let until = until.unwrap_or(at.now);
    Ok(of_person(caller(at), NotifierEvent::DoNotDisturbSet { until }))
}

/// Refuses an instant that does not lie ahead, or too far.
fn ahead(field: &'static str, until: Micros, hours: i64, at: &At) -> Result<(), Refusal> {
    if until <= at.now {
        return Err(Refusal::NotAhead(field));
    }
    if until > at.now.saturating_add(hours * HOUR_US) {
        return Err(Refusal::TooFar(field, hours));
    }
    Ok(())
}
