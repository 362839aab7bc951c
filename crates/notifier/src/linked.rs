//! Linked reminders: what is told to several audiences at once. Once one of those told answers for it, what the others
//! were told is taken back; and whoever had been told already hears who acted.

use decider::{At, Core, Decided, Read};
use ticket::notifier::{NotifierEvent, Recall};
use ticket::sla::Pinned;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::{Notifier, recorded};
use crate::document::{MESSAGE_TEXT, pinned};
use crate::plan::{self, MAX_RECALLED, Saying, guarded};
use crate::reminder::{End, Reminder, To};
use crate::rule::Rule;
use crate::state::{House, State};

/// The rule of a reminder, in the version that wanted it.
pub(crate) fn rule<'a>(house: &'a House, reminder: &Reminder) -> Option<&'a Rule> {
    let (name, version) = &reminder.rule;
    pinned(&house.rules, name, *version).and_then(|edition| edition.read()).map(|(_, rule)| rule)
}

/// The others told the same for the same reason, at whatever step, that are still open.
pub(crate) fn open<'a>(house: &'a House, (id, told): (Uuid, &'a Reminder)) -> impl Iterator<Item = Uuid> {
    let alike =
        house.reminders_of(told.ticket).filter(move |(_, one)| one.cause == told.cause && one.rule == told.rule);
    alike.filter(move |(other, one)| *other != id && one.unsettled()).map(|(other, _)| other)
}

/// Takes back what others were told with a reminder that somebody answers for.
pub(crate) fn settle(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let state = read.guard(&stream::reminder(ticket));
    let Some((house, told)) = state.reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let why = Recall::Answered;
    let others = open(house, (id, told)).take(MAX_RECALLED);
    recorded(ticket, others.map(|reminder| NotifierEvent::ReminderRecalled { reminder, why }))
}

/// Who acted, so that a reminder was taken back: whoever answered for what was told with it, else whoever last did
/// something to the ticket.
fn actor<'a>(house: &'a House, taken_back: &'a Reminder) -> Option<&'a str> {
    let told = house.reminders_of(taken_back.ticket).map(|(_, one)| one);
    let mut answered = told.filter(|one| {
        one.cause == taken_back.cause && one.rule == taken_back.rule && one.end == Some(End::Acknowledged)
    });
    let by = answered.find_map(|one| match &one.to {
        To::Person(subject) => Some(subject.as_str()),
        To::Customer(_) => None,
    });
    by.or_else(|| house.tickets.get(&taken_back.ticket)?.hand.as_deref())
}

/// Tells whoever had been told what is taken back now who acted, unless that was themselves.
pub(crate) fn tell_who_acted(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((house, file)) = guarded(ticket, read, at) else { return Vec::new() };
    let Some((_, known)) = read.look().reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let (Some(rule), To::Person(subject)) = (rule(house, known), &known.to) else { return Vec::new() };
    let (Some(text), Some(by)) = (&rule.acted, actor(house, known)) else { return Vec::new() };
    if by == subject || known.sent_at().is_none() || file.ended {
        return Vec::new();
    }
    read.guard(&stream::config(Notifier::NAME, MESSAGE_TEXT, text));
    let mut facts = known.facts.map();
    facts.insert("by".into(), by.to_owned());
    // What it tells is over: nothing is too late for it, and nothing takes it back but the ticket's end.
    facts.insert("kind".into(), "ReminderRecalled".into());
    facts.retain(|name, _| name != "attend_by");
    let pin = Pinned { name: known.rule.0.clone(), version: known.rule.1 };
    let saying = Saying::of((rule, &pin), (id, ticket, file), &facts).news(text);
    recorded(ticket, plan::person(subject, house, &saying, read, at))
}
