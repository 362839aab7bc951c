//! notifier's core run by itself over events given to it, under a clock moved by hand: the very same decisions without a
//! log, without the other services, and with a world in which every letter arrives at once.
//!
//! Whoever simulates recipients, or asks what other rules would have done, drives it: [`Alone::pass`] lets time go by,
//! [`Alone::happen`] says what happened, [`Alone::ask`] what somebody did.

use std::collections::BTreeSet;

use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Tenant, Versions};
use ticket::notifier::Medium;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::{Command, Notifier};
use crate::outbox::{self, Owed};
use crate::refusal::Refusal;
use crate::reminder::To;
use crate::retry::{Outcome, Taken, Trouble};
use crate::state::State;

/// Most reactions and letters looked at at once.
const BATCH: usize = 64;

/// A core with its past.
#[derive(Debug, Default)]
pub struct Alone {
    state: State,
    versions: Versions,
    claims: BTreeSet<Uuid>,
    now: Micros,
    /// The position of the event that was folded last; what the core itself records shares it.
    position: u64,
    asked: u64,
    recorded: Vec<Recorded<Event>>,
    /// Whose letters do not arrive, by which medium.
    broken: BTreeSet<(String, Medium)>,
}

impl Alone {
    /// What it has folded.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// From now on letters to these persons by these media do not arrive, however often they are tried.
    pub fn breaks(&mut self, broken: BTreeSet<(String, Medium)>) {
        self.broken = broken;
    }

    /// The instant its clock shows.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// What it recorded by itself since this was last asked.
    pub fn recorded(&mut self) -> Vec<Recorded<Event>> {
        std::mem::take(&mut self.recorded)
    }

    /// Folds an event; nothing follows from it.
    pub fn fold(&mut self, event: &Recorded<Event>) {
        self.versions.note(event.tenant.as_str(), event.stream.as_str(), event.version);
        self.position = self.position.max(event.position);
        self.now = self.now.max(event.recorded_at);
        Notifier::evolve(&mut self.state, event);
    }

    /// Folds an event, and does what it makes the core want.
    pub fn happen(&mut self, event: &Recorded<Event>) {
        self.fold(event);
        self.react(event);
    }

    /// Lets time go by: what falls due meanwhile is done at its own instant, what is to be sent is sent then.
    pub fn pass(&mut self, until: Micros) {
        loop {
            let done = self.due() + self.send();
            if done > 0 {
                continue;
            }
            match self.next().filter(|next| *next <= until) {
                Some(next) => self.now = next,
                None => break,
            }
        }
        self.now = self.now.max(until);
    }

    /// The next instant at which something falls due or is to be sent.
    pub fn next(&self) -> Option<Micros> {
        let due = Notifier::next_due(&self.state).filter(|at| *at > self.now);
        due.into_iter().chain(outbox::next_owed(&self.state, self.now)).min()
    }

    /// Asked by somebody now; how many events that made.
    pub fn ask(&mut self, (tenant, subject): (&Tenant, &str), command: &Command) -> Result<usize, Refusal> {
        self.asked += 1;
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.asked.to_be_bytes());
        let actor = format!("user/{subject}");
        let at = At { now: self.now, occurred_at: self.now, tenant: tenant.clone(), actor, request };
        self.decide(command, &at, None)
    }

    fn due(&mut self) -> usize {
        let due = Notifier::due(&self.state, self.now, BATCH);
        due.iter().map(|reaction| self.carry_out(reaction)).sum()
    }

    fn send(&mut self) -> usize {
        let mut done = 0;
        for owed in outbox::owed(&self.state, self.now, BATCH) {
            let claim = Uuid::new_v5(&owed.attempt.reminder, format!("{:?}{}", owed.attempt, self.now).as_bytes());
            let outcome = self.outcome(&owed);
            let mut own = |step: &[u8], command: &Command| {
                let actor = format!("service/{}", Notifier::NAME);
                let (now, tenant) = (self.now, owed.tenant.clone());
                let at = At { now, occurred_at: now, tenant, actor, request: Uuid::new_v5(&claim, step) };
                self.decide(command, &at, None).unwrap_or_default()
            };
            let (ticket, reminder) = (owed.attempt.ticket, owed.attempt.reminder);
            let begun = own(b"start", &Command::Start(owed.attempt.clone()));
            done += begun;
            done += if begun > 0 {
                own(b"finish", &Command::Finish(owed.attempt.clone(), outcome))
            } else {
                own(b"defer", &Command::Defer { ticket, reminder })
            };
        }
        done
    }

    /// How an attempt ends.
    fn outcome(&self, owed: &Owed) -> Outcome {
        let reminder = self.state.reminder(&owed.tenant, owed.attempt.ticket, owed.attempt.reminder);
        let lost = reminder.is_some_and(|(_, known)| match &known.to {
            To::Person(subject) => self.broken.contains(&(subject.clone(), owed.attempt.medium)),
            To::Customer(_) => false,
        });
        if lost {
            let kind = "unreachable".to_owned();
            return Outcome::Failed(Trouble { kind, permanent: false, retry_after_secs: None, gone: false });
        }
        Outcome::Arrived(Taken::of(""))
    }

    fn react(&mut self, cause: &Recorded<Event>) {
        for reaction in Notifier::react(&self.state, cause) {
            self.carry_out(&reaction);
        }
    }

    fn carry_out(&mut self, reaction: &Reaction<Command>) -> usize {
        let claim = reaction.claim(Notifier::NAME);
        if self.claims.contains(&claim) {
            return 0;
        }
        let (now, occurred_at, tenant) = (self.now, reaction.occurred_at, reaction.tenant.clone());
        let at = At { now, occurred_at, tenant, actor: format!("service/{}", Notifier::NAME), request: claim };
        let made = self.decide(&reaction.command, &at, reaction.causation).unwrap_or_default();
        if made > 0 {
            self.claims.insert(claim);
        }
        made
    }

    fn decide(&mut self, command: &Command, at: &At, causation: Option<Uuid>) -> Result<usize, Refusal> {
        let decided = Notifier::decide(command, &Read::new(&self.state, &self.versions, &at.tenant), at)?;
        let mut made = Vec::new();
        for (index, (stream, event)) in (0_u32..).zip(decided) {
            made.push(self.record(at, index, (stream, causation), event));
        }
        for event in &made {
            self.react(event);
        }
        let count = made.len();
        self.recorded.extend(made);
        Ok(count)
    }

    fn record(
        &mut self,
        at: &At,
        index: u32,
        (stream, causation): (Stream, Option<Uuid>),
        event: Event,
    ) -> Recorded<Event> {
        let recorded = Recorded {
            id: Uuid::new_v5(&at.request, &index.to_be_bytes()),
            tenant: at.tenant.clone(),
            version: self.versions.of(&at.tenant, &stream) + 1,
            position: self.position,
            occurred_at: at.occurred_at,
            recorded_at: self.now,
            actor: at.actor.clone(),
            request: at.request,
            causation,
            correlation: stream::correlation(&stream),
            stream,
            event,
        };
        self.fold(&recorded);
        recorded
    }
}
