//! Grouping: what one rule tells one person of the same queue, customer, asset, type or ticket is told together. A storm
//! of alike events is one message with a count and a list; what comes later joins the next.

use decider::Micros;
use ticket::condition::Scalar;
use ticket::document::Part;
use ticket::notifier::Deferral;
use uuid::Uuid;

use crate::file::File;
use crate::person::Person;
use crate::reminder::Reminder;
use crate::state::House;

/// Longest time something is held for others like it, seconds: a day.
const MAX_HELD_SECS: i64 = 86_400;
/// Least time between two messages of a group where the rule says none, seconds.
const EVERY_SECS: i64 = 300;

/// What makes two reminders of a rule alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The same ticket.
    Ticket,
    /// Tickets of the same type.
    Type,
    /// Tickets in the same queue.
    Queue,
    /// Tickets of the same customer.
    Customer,
    /// Tickets whose field `asset` says the same.
    Asset,
}

const WORDS: [(&str, By); 5] = [
    ("ticket", By::Ticket),
    ("type", By::Type),
    ("queue", By::Queue),
    ("customer", By::Customer),
    ("asset", By::Asset),
];

/// What a rule says of grouping, in its field `group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// What makes reminders alike.
    pub by: By,
    /// How long the first of them waits for others, microseconds.
    pub wait_us: Micros,
    /// Least time between two messages, microseconds.
    pub every_us: Micros,
}

impl Group {
    /// Reads what a rule says.
    pub(crate) fn read(part: &Part<'_>) -> Option<Self> {
        part.only(&["by", "wait", "every"]);
        let secs = |name: &str, default: i64| {
            let Some(part) = part.maybe(name) else { return Some(default) };
            let secs = part.duration_secs()?;
            if !(0..=MAX_HELD_SECS).contains(&secs) {
                part.fault("must be at most 24h");
            }
            Some(secs)
        };
        let by = part.field("by").and_then(|by| by.one_of(&WORDS));
        let (wait, every) = (secs("wait", 0), secs("every", EVERY_SECS));
        let us = |secs: i64| secs.saturating_mul(1_000_000);
        Some(Self { by: by?, wait_us: us(wait?), every_us: us(every?) })
    }

    /// What a ticket is grouped under: `queue/desk`; nothing if it has no such thing.
    pub(crate) fn key(&self, ticket: Uuid, file: &File) -> Option<String> {
        let word = WORDS.iter().find(|(_, by)| *by == self.by).map(|(word, _)| *word)?;
        let about = file.facts();
        let value = match self.by {
            By::Ticket => ticket.to_string(),
            By::Type => about.ticket_type,
            By::Queue => about.queue,
            By::Customer => file.customer?.to_string(),
            By::Asset => match about.fields.get("asset")? {
                Scalar::Text(text) => text.clone(),
                Scalar::Number(number) => number.to_string(),
                Scalar::Flag(_) => return None,
            },
        };
        Some(format!("{word}/{value}"))
    }

    /// When the next of a group is told: with those that wait already, else so long after the last message, else after
    /// the wait of the first.
    pub(crate) fn next_at(&self, house: &House, (person, rule, key): (&Person, &str, &str), now: Micros) -> Micros {
        let alike = |known: &&Reminder| known.rule.0 == rule && known.group.as_deref() == Some(key);
        let theirs = person.inbox.iter().filter_map(|(_, id)| house.reminders.get(id)).filter(alike);
        let (mut waits, mut last) = (None::<Micros>, None);
        for known in theirs {
            match known.waits {
                Some(until) if known.end.is_none() && known.deferred == Some(Deferral::Grouped) => {
                    waits = waits.into_iter().chain([until]).min();
                }
                None => last = last.max(Some(known.sent_at().unwrap_or(known.send_at))),
                Some(_) => {}
            }
        }
        let after = last.map(|last| last.saturating_add(self.every_us)).filter(|next| *next > now);
        waits.filter(|until| *until > now).or(after).unwrap_or_else(|| now.saturating_add(self.wait_us))
    }
}
