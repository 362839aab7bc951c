//! What attempts are owed now, and which were begun by somebody who is gone. Nothing here touches the world.

use std::collections::BTreeSet;

use decider::{Micros, Tenant};
use ticket::Personal;
use ticket::intake::Contact;
use ticket::notifier::Medium;
use uuid::Uuid;

use crate::attempt;
use crate::command::Attempt;
use crate::digest::Listing;
use crate::person::Way;
use crate::reminder::To;
use crate::state::{House, State};
use crate::text::Rendered;
use crate::tries::Try;
use crate::view;

/// An attempt of a tenant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Whose.
    pub tenant: Tenant,
    /// What.
    pub attempt: Attempt,
    /// Since when.
    pub since: Micros,
    /// Whether it may break quiet hours.
    pub urgent: bool,
}

/// Where a letter goes; still sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereto {
    Way(Way),
    Contact(Personal<Contact>),
    /// There is no address for this medium any more.
    Nowhere,
}

/// What is sent, but for the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) to: Whereto,
    pub(crate) message_id: String,
    pub(crate) language: String,
    pub(crate) urgent: bool,
    pub(crate) kind: String,
    pub(crate) words: Rendered,
    /// Whose it is, by token subject, if they are one of ours.
    pub(crate) subject: Option<String>,
    /// Whether it is about an offer that may be taken.
    pub(crate) offer: bool,
    /// What it lists, if it is a digest.
    pub(crate) listing: Option<Listing>,
}

/// An attempt and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) tenant: Tenant,
    pub(crate) attempt: Attempt,
}

/// The attempts owed at this instant: what is urgent before all others, then the oldest.
pub fn owed(state: &State, now: Micros, limit: usize) -> Vec<Owed> {
    let mut owed = shares(state, now, |_, _| limit, |_| true);
    owed.truncate(limit);
    owed
}

/// As [`owed`], of those wanted: of each tenant's as many as it has room for, of urgent ones and of others.
pub(crate) fn shares(
    state: &State,
    now: Micros,
    room: impl Fn(&Tenant, bool) -> usize,
    wanted: impl Fn(&Owed) -> bool,
) -> Vec<Owed> {
    let mut found = Vec::new();
    for (tenant, house) in &state.houses {
        let mut taken = 0;
        for (urgent, queue) in [(true, &house.outbox.urgent), (false, &house.outbox.calm)] {
            let due = needed(house, queue).take_while(|(at, ..)| *at <= now);
            let owed = due.filter_map(|(_, reminder, medium)| one(house, tenant, reminder, medium));
            let owed = owed.filter(&wanted).take(room(tenant, urgent).saturating_sub(taken));
            found.extend(owed.inspect(|_| taken += 1));
        }
    }
    found.sort_by_key(|one| (!one.urgent, one.since));
    found
}

/// Those of a queue that still need to be said.
fn needed<'a>(
    house: &'a House,
    queue: &'a BTreeSet<(Micros, Uuid, Medium)>,
) -> impl Iterator<Item = (Micros, Uuid, Medium)> {
    let moot = |reminder| house.reminders.get(reminder).is_none_or(|known| house.moot(known));
    queue.iter().filter(move |(_, reminder, _)| !moot(reminder)).copied()
}

fn one(house: &House, tenant: &Tenant, reminder: Uuid, medium: Medium) -> Option<Owed> {
    let known = house.reminders.get(&reminder)?;
    let (since, medium, number) = known.owed().find(|(_, of, _)| *of == medium)?;
    let attempt = Attempt { ticket: known.ticket, reminder, medium, number };
    Some(Owed { tenant: tenant.clone(), attempt, since, urgent: known.urgent })
}

/// The first instant after `now` at which an attempt is owed.
pub fn next_owed(state: &State, now: Micros) -> Option<Micros> {
    let after = (now.saturating_add(1), Uuid::nil(), Medium::InApp);
    let queues = state.houses.values().flat_map(|house| [&house.outbox.urgent, &house.outbox.calm]);
    queues.filter_map(|queue| queue.range(after..).next().map(|(at, ..)| *at)).min()
}

/// How many attempts are owed, now or later.
pub fn pending(state: &State) -> usize {
    state.houses.values().map(|house| house.outbox.urgent.len() + house.outbox.calm.len()).sum()
}

/// The attempts whose outcome nobody recorded.
pub fn in_flight(state: &State) -> Vec<Owed> {
    let mut found = Vec::new();
    for (tenant, reminder) in &state.in_flight {
        let Some(known) = state.house(tenant).and_then(|house| house.reminders.get(reminder)) else { continue };
        found.extend(known.in_flight().map(|begun| {
            let Try { medium, number, started_at: since, .. } = begun.clone();
            let attempt = Attempt { ticket: known.ticket, reminder: *reminder, medium, number };
            Owed { tenant: tenant.clone(), attempt, since, urgent: known.urgent }
        }));
    }
    found
}

/// What an attempt that was begun sends.
pub(crate) fn draft(state: &State, owed: &Owed) -> Option<Draft> {
    let Attempt { ticket, reminder, medium, number } = &owed.attempt;
    let (house, known) = state.reminder(&owed.tenant, *ticket, *reminder)?;
    let message_id = if cfg!(feature = "effect-first") {
        attempt::message_id(&owed.attempt, known.again)
    } else {
        known.last(*medium).filter(|attempt| attempt.number == *number)?.message_id.clone()
    };
    let to = match (&known.to, medium) {
        (To::Person(subject), _) => {
            let way = house.people.get(subject).and_then(|person| person.way(*medium));
            way.cloned().map_or(Whereto::Nowhere, Whereto::Way)
        }
        (To::Customer(contact), Medium::Email) => Whereto::Contact(contact.clone()),
        (To::Customer(_), _) => Whereto::Nowhere,
    };
    let mut words = view::words(house, known);
    if let Some(short) = words.short.take().filter(|_| medium.is_short()) {
        words.body = short;
    }
    Some(Draft {
        to,
        message_id,
        language: known.language.clone(),
        urgent: known.urgent,
        kind: known.facts.get("kind").unwrap_or_default().to_owned(),
        words,
        subject: match &known.to {
            To::Person(subject) => Some(subject.clone()),
            To::Customer(_) => None,
        },
        offer: known.offer().is_some(),
        listing: known.holds.as_ref().map(|held| house.listing(held)),
    })
}

/// This very attempt, if its outcome is recorded.
pub(crate) fn ended(state: &State, whose: &Whose) -> Option<Whose> {
    let Attempt { ticket, reminder, medium, number } = &whose.attempt;
    let (_, known) = state.reminder(&whose.tenant, *ticket, *reminder)?;
    known.by((*medium, *number)).filter(|one| one.ended.is_some()).map(|_| whose.clone())
}

/// The attempt that another side calls so.
pub(crate) fn by_reference(state: &State, medium: Medium, reference: &str) -> Option<Whose> {
    let (tenant, reminder) = state.references.get(&(medium, reference.to_owned()))?;
    let called = |one: &Try| one.medium == medium && one.reference.as_deref() == Some(reference);
    found(state, (tenant, *reminder), called)
}

/// The last attempt of a tenant's that ended and went out under this message id.
pub(crate) fn by_message_id(state: &State, tenant: &Tenant, message_id: &str) -> Option<Whose> {
    let reminder = message_id.split('.').next()?.parse().ok()?;
    found(state, (tenant, reminder), |one| one.message_id == message_id && one.ended.is_some())
}

fn found(state: &State, (tenant, reminder): (&Tenant, Uuid), wanted: impl Fn(&Try) -> bool) -> Option<Whose> {
    let known = state.house(tenant)?.reminders.get(&reminder)?;
    let Try { medium, number, .. } = known.tries.iter().rfind(|one| wanted(one))?.clone();
    let attempt = Attempt { ticket: known.ticket, reminder, medium, number };
    Some(Whose { tenant: tenant.clone(), attempt })
}
