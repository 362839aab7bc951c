//! What effect reminders had: how many were acted on, and why the others were not, by rule, medium and hour.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use jiff::tz::TimeZone;
use ticket::notifier::Medium;

use crate::learn::hours;
use crate::person::Person;
use crate::reminder::{End, Reminder, To};
use crate::state::State;

/// Most rows of a report, by rule, medium and hours; the total holds the others too.
pub const MAX_ROWS: usize = 1_000;

/// What became of reminders; each stands in exactly one of these, but for what was said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Acknowledged by their recipient, who else took the step.
    pub acted_on: u64,
    /// Ignored: reached nobody.
    pub never_delivered: u64,
    /// Ignored: seen, and nothing done.
    pub read: u64,
    /// Ignored: arrived, and was not looked at, as far as is known.
    pub unread: u64,
    /// Put off, and needless before its time came.
    pub put_off: u64,
    /// Sent, and needless before its recipient acted: somebody else took the step, the ticket ended, there was no breach.
    pub superseded: u64,
    /// Nothing came of it yet.
    pub open: u64,
    /// Beside that, what recipients said: useful, not useful, for the wrong person.
    pub judged: [u64; 3],
}

impl Ends {
    fn count(&mut self, reminder: &Reminder) {
        let recalled = matches!(reminder.end, Some(End::Recalled(_)));
        let acted = reminder.ended.is_some_and(|(_, by_recipient)| by_recipient);
        *match reminder.end {
            _ if acted => &mut self.acted_on,
            None if !reminder.exhausted() => &mut self.open,
            Some(_) if recalled && reminder.sent_at().is_none() => &mut self.put_off,
            Some(_) if recalled => &mut self.superseded,
            _ if !reminder.arrived() => &mut self.never_delivered,
            _ if reminder.read_at.is_some() => &mut self.read,
            _ => &mut self.unread,
        } += 1;
        if let Some(verdict) = reminder.verdict {
            self.judged[verdict as usize] += 1;
        }
    }

    /// Those of which it is known whether their recipient responded: the response rate is `acted_on` of these.
    pub fn settled(&self) -> u64 {
        self.acted_on + self.never_delivered + self.read + self.unread
    }
}

/// Reminders of one rule, first sent by one medium in one class of hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The rule.
    pub rule: String,
    /// The medium used first.
    pub medium: Medium,
    /// Three hours of the recipient's clock: 0 is midnight to three.
    pub hours: u8,
    /// What became of them.
    pub ends: Ends,
}

/// The effect of the reminders of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// All of them.
    pub total: Ends,
    /// By rule, medium and hours; at most [`MAX_ROWS`].
    pub rows: Vec<Row>,
}

/// What effect the reminders of our own people had that were planned at or after the first instant and before the second.
pub fn effect(state: &State, tenant: &Tenant, (from, to): (Micros, Micros)) -> Effect {
    let mut found = Effect::default();
    let Some(house) = state.house(tenant) else { return found };
    let mut rows: BTreeMap<(&str, Medium, u8), Ends> = BTreeMap::new();
    let planned = |one: &&Reminder| one.holds.is_none() && (from..to).contains(&one.planned_at);
    for reminder in house.reminders.values().filter(planned) {
        let (To::Person(subject), Some(medium)) = (&reminder.to, reminder.media.first()) else { continue };
        let zone = house.people.get(subject).map_or(TimeZone::UTC, Person::zone);
        let hours = hours(&zone, reminder.sent_at().unwrap_or(reminder.send_at));
        found.total.count(reminder);
        rows.entry((&reminder.rule.0, *medium, hours)).or_default().count(reminder);
    }
    let row = |((rule, medium, hours), ends): ((&str, Medium, u8), Ends)| {
        let rule = rule.to_owned();
        Row { rule, medium, hours, ends }
    };
    found.rows = rows.into_iter().take(MAX_ROWS).map(row).collect();
    found
}
