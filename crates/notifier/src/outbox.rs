//! What attempts are owed now, and which were begun by somebody who is gone. Nothing here touches the world.

use decider::{Micros, Tenant};
use ticket::Personal;
use ticket::intake::Contact;
use ticket::notifier::Medium;

use crate::command::Attempt;
use crate::person::Way;
use crate::reminder::{To, Try};
use crate::state::State;
use crate::text::Rendered;
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
}

/// The attempts owed at this instant, the oldest first.
pub fn owed(state: &State, now: Micros, limit: usize) -> Vec<Owed> {
    let due = state.outbox.iter().take_while(|(at, ..)| *at <= now);
    let owed = due.filter_map(|(_, tenant, reminder, medium)| {
        let known = state.house(tenant)?.reminders.get(reminder)?;
        let (since, medium, number) = known.owed().find(|(_, of, _)| of == medium)?;
        let attempt = Attempt { ticket: known.ticket, reminder: *reminder, medium, number };
        Some(Owed { tenant: tenant.clone(), attempt, since })
    });
    owed.take(limit).collect()
}

/// The instant at which the next attempt is owed.
pub fn next_owed(state: &State) -> Option<Micros> {
    state.outbox.first().map(|(at, ..)| *at)
}

/// How many attempts are owed, now or later.
pub fn pending(state: &State) -> usize {
    state.outbox.len()
}

/// The attempts whose outcome nobody recorded.
pub fn in_flight(state: &State) -> Vec<Owed> {
    let mut found = Vec::new();
    for (tenant, reminder) in &state.in_flight {
        let Some(known) = state.house(tenant).and_then(|house| house.reminders.get(reminder)) else { continue };
        found.extend(known.in_flight().map(|begun| {
            let Try { medium, number, started_at: since, .. } = begun.clone();
            let attempt = Attempt { ticket: known.ticket, reminder: *reminder, medium, number };
            Owed { tenant: tenant.clone(), attempt, since }
        }));
    }
    found
}

/// What an attempt that was begun sends.
pub(crate) fn draft(state: &State, owed: &Owed) -> Option<Draft> {
    let Attempt { ticket, reminder, medium, number } = &owed.attempt;
    let (house, known) = state.reminder(&owed.tenant, *ticket, *reminder)?;
    let begun = known.last(*medium).filter(|attempt| attempt.number == *number)?;
    let to = match (&known.to, medium) {
        (To::Person(subject), _) => {
            let way = house.people.get(subject).and_then(|person| person.way(*medium));
            way.cloned().map_or(Whereto::Nowhere, Whereto::Way)
        }
        (To::Customer(contact), Medium::Email) => Whereto::Contact(contact.clone()),
        (To::Customer(_), _) => Whereto::Nowhere,
    };
    Some(Draft {
        to,
        message_id: begun.message_id.clone(),
        language: known.language.clone(),
        urgent: known.urgent,
        kind: known.facts.get("kind").cloned().unwrap_or_default(),
        words: view::words(house, known),
    })
}
