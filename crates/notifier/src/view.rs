//! What can be asked: somebody's inbox, what people were told of a ticket, how they want to be told, and how much of it
//! had an effect. One tenant's at a time.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use ticket::notifier::{Deferral, Medium, Presence, Verdict};
use uuid::Uuid;

use crate::document::pinned;
use crate::person::{Person, Settings};
use crate::reminder::{End, Reminder, To};
use crate::state::{House, State};
use crate::text::{self, Rendered};
use crate::tries::TryEnd;

/// Most reminders of a ticket that are listed; the first planned.
const MAX_LISTED: usize = 1_000;

/// Where a reminder stands.
///
/// The inbox needs no attempt: a reminder whose media name it has arrived there as soon as it is shown, which it is once
/// it is not put off any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is to be sent, at once or later.
    Waiting,
    /// An attempt is under way, or will be repeated.
    Sending,
    /// It arrived by at least one medium.
    Delivered,
    /// The recipient saw it.
    Read,
    /// The recipient answers for it.
    Acknowledged,
    /// It comes again later.
    Snoozed,
    /// It is no longer needed.
    Recalled,
    /// Nobody answered in time; the next step followed.
    Unanswered,
    /// No medium is left by which it could arrive.
    Undelivered,
}

/// A try to reach somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryView {
    /// Counts this medium's tries from 1.
    pub number: u32,
    /// By which medium.
    pub medium: Medium,
    /// What the receiver de-duplicates by.
    pub message_id: String,
    /// When it began.
    pub started_at: Micros,
    /// When its outcome was known.
    pub ended_at: Option<Micros>,
    /// What the other side said, if it arrived.
    pub receipt: Option<String>,
    /// What kind of failure, if it did not.
    pub error: Option<String>,
    /// When it reached the recipient's device, as far as the other side tells.
    pub delivered_at: Option<Micros>,
    /// The digest it was told in.
    pub digest: Option<Uuid>,
}

/// Something somebody is told of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderView {
    /// The reminder.
    pub id: Uuid,
    /// The ticket.
    pub ticket: Uuid,
    /// Where it stands.
    pub standing: Standing,
    /// Who, by token subject; nothing for the ticket's customer.
    pub recipient: Option<String>,
    /// The text, in the recipient's language.
    pub words: Rendered,
    /// Whether it may break quiet hours.
    pub urgent: bool,
    /// The media used at once.
    pub media: Vec<Medium>,
    /// The media tried after them.
    pub fallback: Vec<Medium>,
    /// Counts the escalations of its cause from 0.
    pub step: u32,
    /// When it was planned.
    pub planned_at: Micros,
    /// When it is or was sent.
    pub send_at: Micros,
    /// When it counts as unanswered.
    pub answer_by: Option<Micros>,
    /// When its recipient saw it.
    pub read_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why it was not sent at once.
    pub deferred: Option<Deferral>,
    /// Every try.
    pub tries: Vec<TryView>,
    /// The rule that wanted it, and its version.
    pub rule: (String, u64),
    /// The event that caused it.
    pub cause: Option<Uuid>,
    /// The version of the ticket's reminders.
    pub version: u64,
    /// What it is told together with: `queue/desk`.
    pub group: Option<String>,
    /// The digest that tells it.
    pub digest: Option<Uuid>,
    /// What its recipient says it was worth.
    pub verdict: Option<Verdict>,
    /// What it is about, if that is no ticket: `queue/desk`, `major/flood`.
    pub about: Option<String>,
}

/// How somebody wants to be told; addresses stay sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// By token subject.
    pub subject: String,
    /// What they said; the defaults, as long as they said nothing.
    pub settings: Settings,
    /// What they are, and until when that holds.
    pub presence: Option<(Presence, Micros)>,
    /// Until when only what cannot wait is sent.
    pub dnd_until: Option<Micros>,
    /// The version of their stream.
    pub version: u64,
    /// The addresses that are not used until they are set again, and what said so.
    pub ended: BTreeMap<Medium, String>,
}

fn standing(reminder: &Reminder, now: Micros) -> Standing {
    match reminder.end {
        Some(End::Acknowledged) => Standing::Acknowledged,
        Some(End::Recalled(_)) => Standing::Recalled,
        Some(End::Unanswered) if reminder.exhausted() => Standing::Undelivered,
        Some(End::Unanswered) => Standing::Unanswered,
        None if reminder.snoozed_until.is_some_and(|until| now < until) => Standing::Snoozed,
        None if reminder.seen() => Standing::Read,
        None if reminder.arrived() => Standing::Delivered,
        None if reminder.exhausted() => Standing::Undelivered,
        None if reminder.tries.is_empty() => Standing::Waiting,
        None => Standing::Sending,
    }
}

/// What a reminder says.
pub(crate) fn words(house: &House, reminder: &Reminder) -> Rendered {
    if let Some(held) = &reminder.holds {
        return house.digest_words(reminder, held);
    }
    let (name, version) = &reminder.text;
    let edition = pinned(&house.texts, name, *version).and_then(|edition| edition.read());
    let facts = reminder.facts.map();
    edition.map_or_else(|| text::plain(&facts), |(_, text)| text.render(&reminder.language, &facts))
}

fn view(house: &House, id: Uuid, reminder: &Reminder, now: Micros) -> ReminderView {
    let tries = reminder.tries.iter().map(|attempt| {
        let (receipt, error) = match &attempt.ended {
            Some((_, TryEnd::Arrived(receipt))) => (Some(receipt.clone()), None),
            Some((_, TryEnd::Failed(error, _))) => (None, Some(error.clone())),
            None => (None, None),
        };
        let ended_at = attempt.ended.as_ref().map(|(at, _)| *at);
        let (number, medium, started_at) = (attempt.number, attempt.medium, attempt.started_at);
        let delivered_at = attempt.delivered_at;
        TryView {
            number,
            medium,
            message_id: attempt.message_id.clone(),
            started_at,
            ended_at,
            receipt,
            error,
            delivered_at,
            digest: attempt.digest,
        }
    });
    ReminderView {
        id,
        ticket: reminder.ticket,
        standing: standing(reminder, now),
        recipient: match &reminder.to {
            To::Person(subject) => Some(subject.clone()),
            To::Customer(_) => None,
        },
        words: words(house, reminder),
        urgent: reminder.urgent,
        media: reminder.media.clone(),
        fallback: reminder.fallback.clone(),
        step: reminder.step,
        planned_at: reminder.planned_at,
        send_at: reminder.send_at,
        answer_by: reminder.answer_by,
        read_at: reminder.read_at,
        ended_at: reminder.ended.map(|(at, _)| at),
        deferred: reminder.deferred,
        tries: tries.collect(),
        rule: reminder.rule.clone(),
        cause: reminder.cause,
        version: house.versions.get(&reminder.ticket).copied().unwrap_or_default(),
        group: reminder.group.clone(),
        digest: reminder.gathered,
        verdict: reminder.verdict,
        about: house.tickets.get(&reminder.ticket).and_then(|file| Some(file.subject.as_ref()?.name())),
    }
}

/// A reminder as it stands.
pub fn reminder(state: &State, tenant: &Tenant, (ticket, id): (Uuid, Uuid), now: Micros) -> Option<ReminderView> {
    let (house, reminder) = state.reminder(tenant, ticket, id)?;
    Some(view(house, id, reminder, now))
}

/// What people were told of a ticket, in the order in which it was planned; nothing if there is no such ticket.
pub fn of_ticket(state: &State, tenant: &Tenant, ticket: Uuid, now: Micros) -> Option<Vec<ReminderView>> {
    let house = state.house(tenant)?;
    house.tickets.get(&ticket)?;
    let listed = house.reminders_of(ticket).take(MAX_LISTED);
    Some(listed.map(|(id, reminder)| view(house, id, reminder, now)).collect())
}

/// A reminder as it lies in somebody's inbox; nothing if it is somebody else's, or not shown yet.
pub fn in_inbox(
    state: &State,
    (tenant, subject): (&Tenant, &str),
    (ticket, id): (Uuid, Uuid),
    now: Micros,
) -> Option<ReminderView> {
    let (house, reminder) = state.reminder(tenant, ticket, id)?;
    let theirs = reminder.shown && reminder.holds.is_none() && reminder.to == To::Person(subject.to_owned());
    theirs.then(|| view(house, id, reminder, now))
}

/// Where a listing of an inbox goes on: position and reminder.
pub type InboxCursor = (u64, Uuid);

/// Somebody's reminders, newest first, and where the rest begins; with `unread` only what still wants to be seen.
pub fn inbox(
    state: &State,
    (tenant, subject): (&Tenant, &str),
    unread: bool,
    (before, limit): (Option<InboxCursor>, usize),
    now: Micros,
) -> (Vec<ReminderView>, Option<InboxCursor>) {
    let Some(house) = state.house(tenant) else { return (Vec::new(), None) };
    let Some(person) = house.people.get(subject) else { return (Vec::new(), None) };
    let upto = before.unwrap_or((u64::MAX, Uuid::max()));
    let mut found = person.inbox.range(..upto).rev().filter_map(|cursor| {
        let reminder = house.reminders.get(&cursor.1)?;
        let wanted = reminder.shown && (!unread || reminder.unseen(now));
        wanted.then_some((*cursor, reminder))
    });
    let page: Vec<_> = found.by_ref().take(limit).collect();
    let next = page.last().map(|(cursor, _)| *cursor).filter(|_| found.next().is_some());
    (page.into_iter().map(|((_, id), reminder)| view(house, id, reminder, now)).collect(), next)
}

/// How somebody wants to be told; the defaults, if they never said.
pub fn person(state: &State, tenant: &Tenant, subject: &str) -> PersonView {
    let nobody = Person::default();
    let known = state.house(tenant).and_then(|house| house.people.get(subject)).unwrap_or(&nobody);
    shown(subject, known)
}

/// Those who said how they want to be told or whether they are there, by subject, and where the rest begins.
pub fn people(state: &State, tenant: &Tenant, after: Option<&str>, limit: usize) -> (Vec<PersonView>, Option<String>) {
    let Some(house) = state.house(tenant) else { return (Vec::new(), None) };
    let known = house
        .people
        .iter()
        .filter(|(subject, person)| person.version > 0 && after.is_none_or(|after| subject.as_str() > after));
    let mut known = known.map(|(subject, person)| shown(subject, person));
    let page: Vec<_> = known.by_ref().take(limit).collect();
    let next = page.last().map(|last| last.subject.clone()).filter(|_| known.next().is_some());
    (page, next)
}

fn shown(subject: &str, person: &Person) -> PersonView {
    PersonView {
        subject: subject.to_owned(),
        settings: person.settings.clone().unwrap_or_default(),
        presence: person.presence,
        dnd_until: person.dnd_until,
        version: person.version,
        ended: person.ended.iter().map(|(medium, (_, error))| (*medium, error.clone())).collect(),
    }
}
