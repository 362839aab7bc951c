//! A reminder: who is told what by which media, every try, and how it ended.

use std::collections::BTreeSet;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::Personal;
use ticket::choice::Choice;
use ticket::intake::Contact;
use ticket::notifier::{Deferral, Medium, NotifierEvent, Recall, Then, Verdict};
use uuid::Uuid;

use crate::facts::Facts;
use crate::learn::memory::Way;
use crate::retry::Tried;
use crate::topic::Topic;
use crate::tries::{Try, TryEnd};

mod carried;
mod planned;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum To {
    /// One of ours, by token subject.
    Person(String),
    /// The ticket's customer, sealed.
    Customer(Personal<Contact>),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Acknowledged,
    Recalled(Recall),
    Unanswered,
}

/// What was chosen for it, as far as what comes of it is learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chosen {
    pub(crate) way: Way,
    /// Acted on no later than this, it counts as acted on.
    pub(crate) until: Micros,
    /// Whether it was; nothing as long as it may be, or where that says nothing of its recipient.
    pub(crate) acted: Option<bool>,
}

impl Chosen {
    fn of(choice: &Choice) -> Option<Self> {
        let taken = choice.taken()?;
        Some(Self { way: (taken.medium, taken.hours), until: choice.until, acted: None })
    }
}

/// A reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reminder {
    pub(crate) ticket: Uuid,
    /// The place in the log at which it was planned.
    pub(crate) position: u64,
    pub(crate) planned_at: Micros,
    pub(crate) cause: Option<Uuid>,
    pub(crate) rule: (String, u64),
    pub(crate) text: (String, u64),
    pub(crate) to: To,
    pub(crate) language: String,
    pub(crate) media: Vec<Medium>,
    pub(crate) fallback: Vec<Medium>,
    pub(crate) urgent: bool,
    pub(crate) facts: Facts,
    pub(crate) step: u32,
    pub(crate) send_at: Micros,
    pub(crate) deferred: Option<Deferral>,
    pub(crate) answer_by: Option<Micros>,
    /// Until when it is put off, by its recipient or for them; nothing once that came due.
    pub(crate) waits: Option<Micros>,
    /// Whether its recipient may see it: what is put off is not shown before its time.
    pub(crate) shown: bool,
    /// How often it came again because its recipient wanted it later.
    pub(crate) again: u32,
    /// When it last did, and how many tries there were before.
    rearmed: Option<(Micros, usize)>,
    /// The media it fell through to.
    pub(crate) fallen: Vec<Medium>,
    /// How long after one medium the next is used though it arrived, and since when the last one is in use.
    insists: Option<(Micros, Micros)>,
    pub(crate) tries: Vec<Try>,
    pub(crate) read_at: Option<Micros>,
    /// Whether its recipient took the offer it is about.
    pub(crate) taken: bool,
    pub(crate) snoozed_until: Option<Micros>,
    pub(crate) end: Option<End>,
    /// When it ended, and whether its own recipient ended it.
    pub(crate) ended: Option<(Micros, bool)>,
    pub(crate) chosen: Option<Chosen>,
    /// What it is told together with.
    pub(crate) group: Option<String>,
    /// How long after it was sent it comes a second time, and since when that counts; nothing once it did.
    repeats: Option<(Micros, Micros)>,
    /// What its recipient says of it.
    pub(crate) verdict: Option<Verdict>,
    /// The digest it is told in, unless its recipient wanted it again later.
    pub(crate) gathered: Option<Uuid>,
    /// What it holds, if it is a digest.
    pub(crate) holds: Option<Held>,
}

/// What a digest holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The reminders gathered into it, in that order.
    pub(crate) reminders: Vec<Uuid>,
    /// How many of them are still to be told by it.
    pub(crate) carried: usize,
}

impl Reminder {
    /// Takes an event about it in; `hand` is the person who last did something to its ticket.
    pub(crate) fn evolve(&mut self, event: &NotifierEvent, at: Micros, hand: Option<&str>) {
        match event {
            NotifierEvent::ReminderDeferred { until, why, .. } => {
                (self.send_at, self.deferred, self.waits) = (*until, Some(*why), Some(*until));
                self.insist_from(*until);
            }
            NotifierEvent::AttemptStarted { attempt, medium, message_id, .. } => {
                let message_id = message_id.clone();
                self.tries.push(Try {
                    medium: *medium,
                    number: *attempt,
                    message_id,
                    started_at: at,
                    ended: None,
                    reference: None,
                    delivered_at: None,
                    digest: None,
                });
                self.shown = true;
            }
            NotifierEvent::AttemptSucceeded { attempt, medium, receipt, reference, .. } => {
                if let Some(ended) = self.ended((*medium, *attempt), (at, TryEnd::Arrived(receipt.clone()))) {
                    ended.reference.clone_from(reference);
                }
            }
            NotifierEvent::AttemptDelivered { attempt, medium, receipt, .. } => {
                if let Some(ended) = self.ended((*medium, *attempt), (at, TryEnd::Arrived(receipt.clone()))) {
                    ended.delivered_at = Some(at);
                }
            }
            NotifierEvent::AttemptFailed { attempt, medium, error, then, .. } => {
                self.ended((*medium, *attempt), (at, TryEnd::Failed(error.clone(), *then)));
                if let Then::FallThrough { medium } = then {
                    self.fall_to(*medium, at);
                }
            }
            NotifierEvent::MediumAdded { medium, .. } => self.fall_to(*medium, at),
            NotifierEvent::OfferTaken { .. } => (self.taken, self.read_at) = (true, self.read_at.or(Some(at))),
            NotifierEvent::ReminderRead { .. } => self.read_at = Some(at),
            NotifierEvent::ReminderAcknowledged { .. } => self.close(End::Acknowledged, at, true),
            NotifierEvent::ReminderSnoozed { until, .. } => {
                (self.snoozed_until, self.waits, self.gathered) = (Some(*until), Some(*until), None);
            }
            NotifierEvent::ReminderResumed { .. } => self.resumed(at),
            NotifierEvent::ReminderGathered { digest, .. } => {
                self.resumed(at);
                self.gathered = Some(*digest);
            }
            NotifierEvent::ReminderRepeated { .. } => {
                (self.repeats, self.snoozed_until) = (None, Some(at));
                self.rearm(at);
            }
            NotifierEvent::ReminderJudged { verdict, .. } => self.verdict = Some(*verdict),
            NotifierEvent::ReminderRecalled { why, .. } => {
                let theirs = matches!(&self.to, To::Person(subject) if hand == Some(subject));
                self.close(End::Recalled(*why), at, theirs && *why == Recall::ActedOn);
            }
            NotifierEvent::ReminderUnanswered { .. } => self.close(End::Unanswered, at, false),
            NotifierEvent::ReminderPlanned { .. }
            | NotifierEvent::DigestPlanned { .. }
            | NotifierEvent::RecipientSet { .. }
            | NotifierEvent::AddressEnded { .. }
            | NotifierEvent::PresenceReported { .. }
            | NotifierEvent::DoNotDisturbSet { .. } => {}
        }
    }

    fn close(&mut self, end: End, at: Micros, by_recipient: bool) {
        (self.end, self.ended) = (Some(end), Some((at, by_recipient)));
    }

    /// Its time came, or was brought forward.
    fn resumed(&mut self, at: Micros) {
        (self.waits, self.shown, self.send_at) = (None, true, self.send_at.min(at));
        self.insist_from(at);
        if self.snoozed_until.is_some_and(|until| self.rearmed.is_none_or(|(last, _)| last < until)) {
            self.snoozed_until = self.snoozed_until.min(Some(at));
            self.rearm(at);
        }
    }

    /// It is said anew from this instant on.
    fn rearm(&mut self, at: Micros) {
        self.again += 1;
        self.rearmed = Some((at, self.tries.len()));
    }

    fn ended(&mut self, which: (Medium, u32), end: (Micros, TryEnd)) -> Option<&mut Try> {
        let attempt = self.tries.iter_mut().find(|one| (one.medium, one.number) == which)?;
        attempt.ended = Some(end);
        Some(attempt)
    }

    fn fall_to(&mut self, medium: Medium, at: Micros) {
        self.fallen.push(medium);
        self.insist_from(at);
    }

    /// The last medium is in use since this instant.
    fn insist_from(&mut self, at: Micros) {
        self.insists = self.insists.map(|(after, _)| (after, at));
        self.repeats = self.repeats.map(|(after, _)| (after, at));
    }

    /// The media in use, those it fell through to among them.
    fn in_use(&self) -> impl Iterator<Item = Medium> {
        self.media.iter().chain(&self.fallen).copied()
    }

    /// Whether the recipient saw it, and did not want it again later.
    pub(crate) fn seen(&self) -> bool {
        self.read_at.is_some_and(|at| self.snoozed_until.is_none_or(|until| at >= until))
    }

    /// Whether its recipient has yet to see it: neither acknowledged nor recalled, and not resting until it comes again;
    /// what came again is unseen again.
    pub(crate) fn unseen(&self, now: Micros) -> bool {
        let resting = self.read_at.is_some() && self.snoozed_until.is_some_and(|until| now < until);
        !self.seen() && !resting && !matches!(self.end, Some(End::Acknowledged | End::Recalled(_)))
    }

    /// The how manieth try by a medium.
    pub(crate) fn by(&self, which: (Medium, u32)) -> Option<&Try> {
        self.tries.iter().find(|one| (one.medium, one.number) == which)
    }

    /// The last try by a medium.
    pub(crate) fn last(&self, medium: Medium) -> Option<&Try> {
        self.tries.iter().rfind(|attempt| attempt.medium == medium)
    }

    /// The attempts that are owed: by which medium, the how manieth, from when on. None once it ended or was seen, nor while
    /// a digest tells it. The inbox is no attempt: what is shown is there. What its recipient wanted again later is owed once more by every
    /// medium it had arrived by.
    pub(crate) fn owed(&self) -> impl Iterator<Item = (Micros, Medium, u32)> {
        let by_itself = self.gathered.is_none() && self.holds.as_ref().is_none_or(|held| held.carried > 0);
        let open = self.end.is_none() && !self.seen() && by_itself;
        let media = self.in_use().filter(move |medium| open && *medium != Medium::InApp);
        let (rearmed_at, before) = self.rearmed.unwrap_or_default();
        let (past, since) = self.tries.split_at(before.min(self.tries.len()));
        // What turned out to have arrived by a medium is not sent by it again, however a later try ended.
        let arrived = |tries: &[Try], medium| tries.iter().any(|attempt| attempt.medium == medium && attempt.arrived());
        media.filter(move |medium| !arrived(since, *medium)).filter_map(move |medium| {
            let fresh = since.iter().all(|attempt| attempt.medium != medium);
            let (at, number) = match self.last(medium) {
                None => (self.send_at, 1),
                Some(Try { number, ended: Some(_), .. }) if fresh && arrived(past, medium) => (rearmed_at, number + 1),
                Some(Try { number, ended: Some((_, TryEnd::Failed(_, Then::Retry { at }))), .. }) => (*at, number + 1),
                Some(_) => return None,
            };
            Some((at.max(self.send_at).max(self.snoozed_until.unwrap_or(at)), medium, number))
        })
    }

    /// Its own tries whose outcome nobody recorded yet.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = &Try> {
        self.tries.iter().filter(|attempt| attempt.ended.is_none() && attempt.digest.is_none())
    }

    /// Whether it arrived anywhere: another side took it, or it is in the inbox.
    pub(crate) fn arrived(&self) -> bool {
        (self.shown && self.for_inbox()) || self.tries.iter().any(Try::arrived)
    }

    /// The media by which it was sent: tried at least once, or shown in the inbox.
    pub(crate) fn sent_by(&self) -> BTreeSet<Medium> {
        let inbox = (self.shown && self.for_inbox()).then_some(Medium::InApp);
        self.tries.iter().map(|attempt| attempt.medium).chain(inbox).collect()
    }

    /// When it was first sent by any medium.
    pub(crate) fn sent_at(&self) -> Option<Micros> {
        let inbox = (self.shown && self.for_inbox()).then_some(self.send_at);
        self.tries.iter().map(|attempt| attempt.started_at).chain(inbox).min()
    }

    /// Whether the inbox is among the media in use.
    fn for_inbox(&self) -> bool {
        self.in_use().any(|medium| medium == Medium::InApp)
    }

    /// Whether no medium is left by which it could arrive.
    pub(crate) fn exhausted(&self) -> bool {
        let gave_up = |medium| {
            matches!(
                self.last(medium).and_then(|attempt| attempt.ended.as_ref()),
                Some((_, TryEnd::Failed(_, Then::GiveUp | Then::FallThrough { .. })))
            )
        };
        // What came again and reached nobody then is no better than what never did.
        let in_inbox = self.shown && self.for_inbox();
        !in_inbox && self.in_flight().next().is_none() && self.in_use().all(gave_up)
    }

    /// The next medium that is not in use yet.
    pub(crate) fn unused(&self) -> Option<Medium> {
        let used: Vec<_> = self.in_use().collect();
        self.fallback.iter().copied().find(|medium| !used.contains(medium))
    }

    /// The medium that is left when this try comes to nothing; none is needed where it arrived by another.
    pub(crate) fn next_medium(&self, lost: (Medium, u32)) -> Option<Medium> {
        let beside = |one: &Try| (one.medium, one.number) != lost && one.arrived();
        let arrived = (self.shown && self.for_inbox()) || self.tries.iter().any(beside);
        self.unused().filter(|_| !arrived)
    }

    /// When the next medium is used though it arrived, since nobody has seen it by then.
    pub(crate) fn next_medium_at(&self) -> Option<Micros> {
        let moved = self.end.is_some() || self.seen() || self.waits.is_some();
        let (after, since) = self.insists.filter(|_| !moved)?;
        self.unused().map(|_| since.saturating_add(after))
    }

    /// When it comes a second time, if nothing is done until then.
    pub(crate) fn repeats_at(&self) -> Option<Micros> {
        let rests = self.end.is_some() || self.waits.is_some();
        self.repeats.filter(|_| !rests).map(|(after, since)| since.saturating_add(after))
    }

    /// What a medium has been through, since the reminder came again if it was tried since.
    pub(crate) fn tried(&self, medium: Medium) -> Option<Tried> {
        let of = |from| self.tries.iter().skip(from).filter(move |attempt| attempt.medium == medium);
        let before = self.rearmed.map_or(0, |(_, before)| before);
        let from = if of(before).next().is_some() { before } else { 0 };
        let since = of(from).next()?.started_at;
        let attempts = of(from).filter(|attempt| !attempt.was_paced()).count();
        Some(Tried { since, attempts: u32::try_from(attempts).unwrap_or(u32::MAX) })
    }

    /// Keeps of what its text may say only what is asked for.
    pub(crate) fn shrink(&mut self, asked: impl Fn(&str) -> bool) {
        let topic = ["kind", "clock", "visit", "attend_by", "ticket"];
        self.facts = self.facts.only(|name| topic.contains(&name) || asked(name));
    }

    /// The visit that its recipient is offered, if it is about an offer.
    pub(crate) fn offer(&self) -> Option<Uuid> {
        let offered = self.facts.get("kind") == Some("Offered");
        self.facts.get("visit").filter(|_| offered)?.parse().ok()
    }

    /// Whether anything is still to be expected of it.
    pub(crate) fn unsettled(&self) -> bool {
        self.end.is_none() && (matches!(self.to, To::Person(_)) || !self.arrived())
    }

    /// What it is about; nothing but the ticket, to the customer.
    pub(crate) fn topic(&self) -> Topic {
        match self.to {
            To::Person(_) => Topic::of(|name| self.facts.get(name)),
            To::Customer(_) => Topic::Ticket,
        }
    }
}
