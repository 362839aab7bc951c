//! What people were told, as the log has it: each intent once, its attempts in order, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use ticket::Recorded;
use ticket::notifier::{Medium, NotifierEvent, Recipient, Then};
use uuid::Uuid;

use super::Truth;
use crate::faults::Invariant;
use crate::faults::law::{Broken, Holds};
use crate::faults::outside::{Arrival, came_to_nothing};

/// A reminder.
#[derive(Debug)]
pub(crate) struct Reminder {
    pub(crate) tenant: Tenant,
    pub(crate) ticket: Uuid,
    /// The person told; a customer otherwise.
    pub(crate) person: Option<String>,
    planned: u64,
    /// What it is said because of in the first place.
    cause: Uuid,
    media: Vec<Medium>,
    send_at: Micros,
    answer_by: Option<Micros>,
    tries: BTreeMap<(Medium, u32), Stage>,
    message_ids: BTreeMap<Medium, String>,
    read: bool,
    /// How often it was wanted again later, and how many of these times it came.
    snoozed: u32,
    came: u32,
    /// For each medium how often it had come at the last attempt, and the first attempt since then.
    rounds: BTreeMap<Medium, (u32, u32)>,
    /// The digest that tells it.
    within: Option<Uuid>,
    /// The tries that are a digest's, which tells others too.
    shared: BTreeMap<(Medium, u32), Uuid>,
    /// Acknowledged, recalled or escalated.
    pub(crate) ended: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Started,
    Arrived,
    Failed(Then),
}

/// What is sent under one message id.
#[derive(Debug, Default)]
struct Message {
    /// Where each attempt began.
    started: Vec<u64>,
    succeeded: usize,
    /// Attempts of which the other side said that they came to nothing.
    refused: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Reminders {
    pub(crate) all: BTreeMap<Uuid, Reminder>,
    /// Tenant, rule, cause and whom: each is told once.
    told: BTreeSet<(Tenant, String, Uuid, String, u32)>,
    messages: BTreeMap<String, Message>,
    /// What was said in vain, by the request that found out: what it tells others has the same cause.
    unanswered: BTreeMap<Uuid, Uuid>,
}

impl Reminders {
    /// Takes an event of notifier's in.
    pub(super) fn take(&mut self, event: &Recorded, notifier: &NotifierEvent) -> Holds {
        let wrong = |what: &dyn std::fmt::Debug| {
            Invariant::Effects.broken(format!("position {}: {notifier:?} of {what:?}", event.position))
        };
        if let NotifierEvent::ReminderPlanned { reminder, rule, recipient, step, .. } = notifier {
            let whom = match recipient {
                Recipient::Person(subject) => subject.clone(),
                Recipient::Customer(contact) => contact.subject().to_string(),
            };
            let escalated = self.unanswered.get(&event.request).copied();
            let cause = escalated.or(event.causation).unwrap_or(event.request);
            let first = self.told.insert((event.tenant.clone(), rule.name.clone(), cause, whom, *step));
            let planned = event.correlation.and_then(|ticket| Reminder::planned(event, ticket, cause));
            let fresh = first && !self.all.contains_key(reminder);
            self.all.insert(*reminder, planned.filter(|_| fresh).ok_or_else(|| wrong(&"what was told before"))?);
            return Ok(());
        }
        if let NotifierEvent::DigestPlanned { digest, recipient, medium, send_at, .. } = notifier {
            let planned = Reminder::digest(event, *digest, (recipient, *medium, *send_at));
            let before = self.all.insert(*digest, planned);
            return if before.is_none() { Ok(()) } else { Err(wrong(&"what was told before")) };
        }
        if let NotifierEvent::ReminderGathered { digest, .. } = notifier
            && self.all.get(digest).is_none_or(|digest| !digest.tries.is_empty())
        {
            return Err(wrong(&"a digest that is on its way, or none"));
        }
        let Some(id) = notifier.reminder() else { return Ok(()) };
        let reminder = self.all.get_mut(&id).ok_or_else(|| wrong(&"nothing"))?;
        if reminder.take(notifier).is_none() {
            return Err(wrong(reminder));
        }
        if reminder.ticket == id {
            self.all.values_mut().for_each(|one| one.told_in(id, notifier));
        }
        let reminder = self.all.get_mut(&id).ok_or_else(|| wrong(&"nothing"))?;
        match notifier {
            NotifierEvent::ReminderUnanswered { .. } => {
                self.unanswered.insert(event.request, reminder.cause);
            }
            NotifierEvent::AttemptStarted { message_id, medium, attempt, .. } => {
                let key = (id, *medium);
                let message = self.messages.entry(message_id.clone()).or_default();
                Invariant::Effects.holds(message.succeeded == 0, || {
                    format!("position {}: {key:?}/{attempt} goes out though it arrived", event.position)
                })?;
                message.started.push(event.position);
                reminder.message_ids.insert(*medium, message_id.clone());
            }
            NotifierEvent::AttemptSucceeded { medium, .. } => {
                let message = reminder.message_ids.get(medium).and_then(|id| self.messages.get_mut(id));
                message.ok_or_else(|| wrong(&"no message"))?.succeeded += 1;
            }
            NotifierEvent::AttemptFailed { medium, error, .. } if came_to_nothing(error) => {
                let message = reminder.message_ids.get(medium).and_then(|id| self.messages.get_mut(id));
                message.ok_or_else(|| wrong(&"no message"))?.refused += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// What arrived in the world was begun before, each time; what is said to have arrived did.
    pub(crate) fn check_arrivals(&self, arrivals: &[Arrival]) -> Holds {
        let mut arrived: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for arrival in arrivals {
            arrived.entry(&arrival.message_id).or_default().push(arrival.head);
        }
        let nothing = Message::default();
        for (id, heads) in &arrived {
            let message = self.messages.get(*id).unwrap_or(&nothing);
            let begun = |head: u64| message.started.iter().filter(|position| **position <= head).count();
            let unheralded = (1..).zip(heads).find(|(count, head)| begun(**head) < *count);
            Invariant::Effects.holds(unheralded.is_none(), || {
                format!("{id} arrived with the log at {heads:?}, begun at {:?}", message.started)
            })?;
            Invariant::Effects.holds(heads.len() + message.refused <= message.started.len(), || {
                format!("{id} arrived {} times, of {message:?}", heads.len())
            })?;
        }
        for (id, message) in &self.messages {
            let count = arrived.get(id.as_str()).map_or(0, Vec::len);
            Invariant::Effects.holds(message.succeeded <= count, || format!("{id} never arrived: {message:?}"))?;
        }
        Ok(())
    }
}

impl Reminder {
    fn planned(event: &Recorded, ticket: Uuid, cause: Uuid) -> Option<Self> {
        let ticket::Event::Notifier(NotifierEvent::ReminderPlanned { recipient, media, send_at, answer_by, .. }) =
            &event.event
        else {
            return None;
        };
        let person = match recipient {
            Recipient::Person(subject) => Some(subject.clone()),
            Recipient::Customer(_) => None,
        };
        Some(Self { answer_by: *answer_by, ..Self::new(event, (ticket, cause, person), media.clone(), *send_at) })
    }

    fn digest(event: &Recorded, id: Uuid, (recipient, medium, send_at): (&str, Medium, Micros)) -> Self {
        Self::new(event, (id, event.request, Some(recipient.to_owned())), vec![medium], send_at)
    }

    fn new(
        event: &Recorded,
        (ticket, cause, person): (Uuid, Uuid, Option<String>),
        media: Vec<Medium>,
        send_at: Micros,
    ) -> Self {
        Self {
            tenant: event.tenant.clone(),
            ticket,
            person,
            planned: event.position,
            cause,
            media,
            send_at,
            answer_by: None,
            tries: BTreeMap::new(),
            message_ids: BTreeMap::new(),
            read: false,
            snoozed: 0,
            came: 0,
            rounds: BTreeMap::new(),
            within: None,
            shared: BTreeMap::new(),
            ended: false,
        }
    }

    /// Takes an event in, if it may happen to this reminder.
    fn take(&mut self, event: &NotifierEvent) -> Option<()> {
        match event {
            NotifierEvent::AttemptStarted { attempt, medium, .. } => {
                let may = match self.last(*medium) {
                    None => self.media.contains(medium) && *attempt == 1,
                    Some((number, Stage::Failed(Then::Retry { .. }))) => *attempt == number + 1,
                    // What was wanted again later goes out again by whatever it had arrived by, once each time.
                    Some((number, Stage::Arrived | Stage::Failed(_))) => {
                        *attempt == number + 1 && self.came > self.round(*medium) && self.arrived_by(*medium)
                    }
                    Some((_, Stage::Started)) => false,
                };
                self.begun(*medium, *attempt);
                return (may && !self.ended).then_some(());
            }
            NotifierEvent::AttemptSucceeded { attempt, medium, .. } => self.end(*medium, *attempt, Stage::Arrived)?,
            NotifierEvent::AttemptFailed { attempt, medium, then, .. } => {
                self.end(*medium, *attempt, Stage::Failed(*then))?;
                if let Then::FallThrough { medium } = then {
                    self.media.push(*medium);
                }
            }
            NotifierEvent::MediumAdded { medium, .. } => self.media.push(*medium),
            NotifierEvent::ReminderDeferred { until, .. } => self.send_at = self.send_at.max(*until),
            NotifierEvent::ReminderGathered { digest, .. } => {
                let first = self.within.replace(*digest).is_none() && self.tries.is_empty();
                return (first && !self.ended).then_some(());
            }
            NotifierEvent::ReminderRepeated { .. } => (self.came, self.snoozed) = (self.came + 1, self.came + 1),
            NotifierEvent::ReminderSnoozed { until, .. } => {
                self.within = None;
                (self.send_at, self.snoozed) = (self.send_at.max(*until), self.came + 1);
            }
            NotifierEvent::ReminderResumed { .. } => self.came = self.snoozed,
            NotifierEvent::ReminderRead { .. } => self.read = true,
            // Late answers are answers too.
            NotifierEvent::ReminderAcknowledged { .. } => self.ended = true,
            NotifierEvent::ReminderRecalled { .. } | NotifierEvent::ReminderUnanswered { .. } => {
                return (!std::mem::replace(&mut self.ended, true)).then_some(());
            }
            _ => {}
        }
        Some(())
    }

    fn begun(&mut self, medium: Medium, attempt: u32) {
        self.tries.insert((medium, attempt), Stage::Started);
        let round = self.rounds.entry(medium).or_insert((self.came, attempt));
        if round.0 != self.came {
            *round = (self.came, attempt);
        }
    }

    /// A digest's tries are those of what it tells.
    fn told_in(&mut self, digest: Uuid, event: &NotifierEvent) {
        match event {
            NotifierEvent::AttemptStarted { attempt, medium, .. }
                if self.within == Some(digest) && !self.ended && !self.read =>
            {
                self.shared.insert((*medium, *attempt), digest);
                self.begun(*medium, *attempt);
            }
            NotifierEvent::AttemptSucceeded { attempt, medium, .. }
            | NotifierEvent::AttemptFailed { attempt, medium, .. }
                if self.shared.get(&(*medium, *attempt)) == Some(&digest) =>
            {
                self.take(event);
            }
            _ => {}
        }
    }

    /// How often it had come when it was last tried by a medium.
    fn round(&self, medium: Medium) -> u32 {
        self.rounds.get(&medium).map_or(0, |(came, _)| *came)
    }

    /// Whether it arrived by a medium since it came last.
    fn arrived_again(&self, medium: Medium) -> bool {
        let first = self.rounds.get(&medium).map_or(0, |(_, first)| *first);
        self.tries.range((medium, first)..=(medium, u32::MAX)).any(|(_, stage)| matches!(stage, Stage::Arrived))
    }

    fn arrived_by(&self, medium: Medium) -> bool {
        self.tries.iter().any(|((by, _), stage)| *by == medium && matches!(stage, Stage::Arrived))
    }

    /// The last attempt by a medium.
    fn last(&self, medium: Medium) -> Option<(u32, Stage)> {
        self.tries.range((medium, 0)..=(medium, u32::MAX)).next_back().map(|((_, number), stage)| (*number, *stage))
    }

    /// Ends an attempt: once, but that what was thought to have failed may turn out to have arrived.
    fn end(&mut self, medium: Medium, number: u32, to: Stage) -> Option<()> {
        let stage = self.tries.get_mut(&(medium, number))?;
        let may = match (*stage, to) {
            (Stage::Started, _) | (Stage::Failed(_), Stage::Arrived) => true,
            (Stage::Failed(_) | Stage::Arrived, _) => false,
        };
        *stage = to;
        may.then_some(())
    }

    /// What is left undone of it once everybody has come to rest.
    fn undone(&self, now: Micros, carrier: Option<&Self>) -> Option<&'static str> {
        if self.tries.values().any(|stage| matches!(stage, Stage::Started)) {
            return Some("has an attempt whose end nobody recorded");
        }
        if self.ended {
            return None;
        }
        if self.answer_by.is_some_and(|answer_by| answer_by < now) {
            return Some("was not answered, and nobody else was told");
        }
        if self.read {
            return None;
        }
        if let Some(digest) = carrier {
            return digest.undone(now, None);
        }
        let (mut over, mut arrived) = (true, false);
        for medium in &self.media {
            match self.last(*medium).map(|(_, stage)| stage) {
                _ if *medium == Medium::InApp => (over, arrived) = (false, true),
                None if self.send_at < now => return Some("was never sent"),
                // What turned out to have arrived is not sent again, however a later attempt ended.
                Some(Stage::Failed(_)) if self.arrived_again(*medium) => arrived = true,
                Some(Stage::Failed(Then::Retry { at })) if at.max(self.send_at) < now => {
                    return Some("is not tried again");
                }
                Some(Stage::Failed(Then::GiveUp | Then::FallThrough { .. })) => {}
                Some(Stage::Arrived) => arrived = true,
                None | Some(Stage::Started | Stage::Failed(Then::Retry { .. })) => over = false,
            }
        }
        (over && !arrived).then_some("did not arrive, and nobody else was told")
    }
}

impl Truth {
    /// Once everybody has come to rest: what was intended arrived, or is ahead, or went to somebody else.
    pub(crate) fn check_reminders(&self, now: Micros) -> Holds {
        for (id, reminder) in &self.reminders.all {
            let broken = |what: &str| -> Broken {
                Invariant::Effects.broken(format!("reminder {id} {what}, and it is {now}: {reminder:?}"))
            };
            let within = |one: &Reminder| one.within == Some(*id) && !one.ended && !one.read;
            if reminder.ticket == *id && !self.reminders.all.values().any(within) {
                // Nothing is left that it would have to tell.
                continue;
            }
            let carrier = reminder.within.and_then(|digest| self.reminders.all.get(&digest));
            if let Some(what) = reminder.undone(now, carrier) {
                return Err(broken(what));
            }
            let over = self.tickets.get(&reminder.ticket).and_then(|known| known.ended);
            if over.is_some_and(|position| reminder.planned < position) && reminder.person.is_some() && !reminder.ended
            {
                return Err(broken("outlives its ticket"));
            }
        }
        Ok(())
    }
}
