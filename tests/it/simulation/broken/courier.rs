//! A sender in few lines, careful or not, for any notifier.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use eventlog::service::{Ask, Done, Failure};
use eventlog::{Rejected, Service, StoreError};
use notifier::Notifier;
use notifier::command::Command;
use notifier::outbox::{self, Owed};
use notifier::retry::Outcome;
use notifier::sender::Taken;
use simulator::faults::{Carrier, Like, Outside};
use ticket::Event;
use ticket::notifier::NotifierEvent;
use uuid::Uuid;

/// Attempts carried out in one step.
const BATCH: usize = 64;

/// When a sender sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Once the attempt it began is in the log.
    Begun,
    /// Once an attempt is in the log, whoever began it.
    Anyhow,
    /// Before the attempt is in the log.
    First,
}

/// How a sender behaves.
pub(super) trait Manner: 'static {
    const SENDS: When;
}

/// As it should.
pub(super) struct Careful;

impl Manner for Careful {
    const SENDS: When = When::Begun;
}

/// Does not mind that somebody else began.
pub(super) struct Rash;

impl Manner for Rash {
    const SENDS: When = When::Anyhow;
}

/// Does not wait for the log.
pub(super) struct Hasty;

impl Manner for Hasty {
    const SENDS: When = When::First;
}

/// A sender of some manner.
pub(super) struct Courier<M, N: Like<Notifier> = Notifier> {
    notifier: Arc<Service<N>>,
    outside: Arc<Outside>,
    settled: Cell<bool>,
    manner: PhantomData<M>,
}

impl<M: Manner, N: Like<Notifier>> Carrier<N> for Courier<M, N> {
    fn begin(notifier: &Arc<Service<N>>, outside: &Arc<Outside>) -> Self {
        let (notifier, outside) = (Arc::clone(notifier), Arc::clone(outside));
        Self { notifier, outside, settled: Cell::new(false), manner: PhantomData }
    }

    async fn step(&self) -> Result<(), StoreError> {
        self.notifier.catch_up().await?;
        if !self.settled.get() {
            for lost in self.notifier.view(outbox::in_flight) {
                self.finish(&lost, Outcome::Lost).await?;
            }
        }
        self.settled.set(false);
        let now = self.notifier.clock().now();
        for owed in self.notifier.view(|state| outbox::owed(state, now, BATCH)) {
            self.deliver(&owed).await?;
        }
        self.settled.set(true);
        Ok(())
    }
}

impl<M: Manner, N: Like<Notifier>> Courier<M, N> {
    async fn deliver(&self, owed: &Owed) -> Result<(), StoreError> {
        let early = match M::SENDS {
            When::First => Some(self.outside.take(&message_id(owed)).await),
            When::Begun | When::Anyhow => None,
        };
        let Some(done) = self.ask(owed, "start", &Command::Start(owed.attempt.clone())).await? else { return Ok(()) };
        let begun = done
            .events
            .iter()
            .any(|event| matches!(&event.event, Event::Notifier(NotifierEvent::AttemptStarted { .. })));
        if !begun || !(done.written || M::SENDS == When::Anyhow) {
            return Ok(());
        }
        let answer = match early {
            Some(answer) => answer,
            None => self.outside.take(&message_id(owed)).await,
        };
        self.finish(owed, answer.map_or_else(Outcome::Failed, |said| Outcome::Arrived(Taken::of(said)))).await
    }

    async fn finish(&self, owed: &Owed, outcome: Outcome) -> Result<(), StoreError> {
        let what = if outcome == Outcome::Lost { "lost" } else { "outcome" };
        self.ask(owed, what, &Command::Finish(owed.attempt.clone(), outcome)).await.map(drop)
    }

    async fn ask(&self, owed: &Owed, what: &str, command: &Command) -> Result<Option<Done>, StoreError> {
        let name = format!("{}/{}/{}/{what}", owed.tenant, message_id(owed), owed.attempt.number);
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let ask = Ask {
            tenant: owed.tenant.clone(),
            actor: "service/notifier".to_owned(),
            request,
            content: request.as_bytes().to_vec(),
            occurred_at: None,
            causation: None,
            trace: String::new(),
        };
        match self.notifier.ask(&ask, command).await {
            Ok(done) => Ok(Some(done)),
            Err(Failure::Rejected(Rejected::Store(error))) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// What the receiver de-duplicates by.
fn message_id(owed: &Owed) -> String {
    format!("{}.{:?}", owed.attempt.reminder, owed.attempt.medium).to_lowercase()
}
