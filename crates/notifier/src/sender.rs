//! What touches the world: letters are sent after the event that says so, and their outcome is an event again.
//!
//! The append of `AttemptStarted` is the fence: whoever wrote it sends, and nobody else. Whoever dies in between leaves an
//! attempt without an outcome; the next sender records that nobody knows how it ended and tries once more, under the same
//! message id, so that the receiver can tell.

mod mail;
mod post;
mod webhook;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use decider::Micros;
use eventlog::service::{Ask, Done, Failure};
use eventlog::{Rejected, Service, StoreError};
use ticket::Personal;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::command::{Attempt, Command, Notifier};
use crate::outbox::{self, Draft, Owed, Whereto};
use crate::refusal::Refusal;
use crate::retry::Outcome;
pub use crate::retry::Trouble;
use post::permanent;
pub use post::{ConfigError, Letter, Outside, Post, Posting, Receipt, SenderConfig};

/// Letters under way at once.
const AT_ONCE: usize = 8;
/// Attempts taken up between two looks at what is owed.
const BATCH: usize = 64;
/// Batches within one step.
const MAX_BATCHES: usize = 64;
/// Times an outcome is offered to the log, of as many letters as are under way at once.
const MAX_ASKS: usize = AT_ONCE;
/// Longest wait without a look at what is owed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Wait after a failure of the log.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends what is owed, for a running core.
pub struct Sender {
    desk: Desk,
    held: bool,
    /// Whether what others left in flight was settled.
    settled: AtomicBool,
}

/// What one letter needs.
#[derive(Clone)]
struct Desk {
    notifier: Arc<Service<Notifier>>,
    post: Arc<dyn Post>,
}

impl Sender {
    /// A sender; one that is `held` sends nothing: its log was copied or restored, and its letters may have been sent.
    pub fn new(notifier: Arc<Service<Notifier>>, post: Arc<dyn Post>, held: bool) -> Self {
        Self { desk: Desk { notifier, post }, held, settled: AtomicBool::new(false) }
    }

    /// Sends what is owed until told to stop; letters under way are waited for.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.turn().await {
                Ok(next) => next.map_or(LOOK_EVERY, |at| self.desk.notifier.clock().wait(at, LOOK_EVERY)),
                Err(error) => {
                    tracing::error!(%error, "letters cannot be sent now");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what is owed, if this replica holds the service's lease; whoever takes it up settles what others began.
    async fn turn(&self) -> Result<Option<Micros>, StoreError> {
        if self.desk.notifier.leads() {
            return self.step().await;
        }
        self.settled.store(false, Ordering::SeqCst);
        Ok(None)
    }

    /// Sends everything that is owed now; says when the next is. An error leaves attempts without an outcome, which the
    /// next step settles.
    pub async fn step(&self) -> Result<Option<Micros>, StoreError> {
        if self.held {
            return Ok(None);
        }
        self.desk.notifier.catch_up().await?;
        if !self.settled.load(Ordering::SeqCst) {
            for lost in self.desk.notifier.view(outbox::in_flight) {
                self.desk.finish(&lost, "lost", Outcome::Lost).await?;
            }
            self.settled.store(true, Ordering::SeqCst);
        }
        let sent = self.send().await;
        if sent.is_err() {
            self.settled.store(false, Ordering::SeqCst);
        }
        sent.map(|()| self.desk.notifier.view(outbox::next_owed))
    }

    async fn send(&self) -> Result<(), StoreError> {
        let mut tried = BTreeSet::new();
        for _ in 0..MAX_BATCHES {
            let now = self.desk.notifier.clock().now();
            let mut owed = self.desk.notifier.view(|state| outbox::owed(state, now, BATCH));
            owed.retain(|one| tried.insert((one.tenant.clone(), one.attempt.clone(), one.since)));
            if owed.is_empty() {
                return Ok(());
            }
            for chunk in owed.chunks(AT_ONCE) {
                for outcome in together(chunk.iter().map(|one| self.desk.deliver(one))).await {
                    outcome?;
                }
            }
        }
        Ok(())
    }
}

/// Brings all to their end at once, within this task: whoever drops it drops them all.
async fn together<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    poll_fn(|context| {
        for (one, outcome) in &mut all {
            if outcome.is_none()
                && let Poll::Ready(done) = one.as_mut().poll(context)
            {
                *outcome = Some(done);
            }
        }
        if all.iter().all(|(_, outcome)| outcome.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

impl Desk {
    /// One attempt: the fence, the effect, the outcome.
    async fn deliver(&self, owed: &Owed) -> Result<(), StoreError> {
        let claim = claim(owed, "attempt");
        let Some(done) = self.ask(owed, claim, &Command::Start(owed.attempt.clone())).await? else { return Ok(()) };
        if done.events.is_empty() {
            let Attempt { ticket, reminder, .. } = owed.attempt;
            let claim = claim_of(owed, &format!("defer/{}", owed.since));
            self.ask(owed, claim, &Command::Defer { ticket, reminder }).await?;
            return Ok(());
        }
        if !done.written {
            return Ok(());
        }
        let outcome = match self.letter(owed).await? {
            Ok(letter) => self.post.send(&letter).await.map(|receipt| receipt.0),
            Err(trouble) => Err(trouble),
        };
        self.finish(owed, "outcome", outcome.map_or_else(Outcome::Failed, Outcome::Arrived)).await
    }

    /// Records an outcome. Letters of one ticket contend for its stream: where that cannot be recorded now, the next step
    /// settles the attempt as one that nobody knows the end of.
    async fn finish(&self, owed: &Owed, what: &str, outcome: Outcome) -> Result<(), StoreError> {
        let command = Command::Finish(owed.attempt.clone(), outcome);
        for _ in 0..MAX_ASKS {
            if self.ask(owed, claim(owed, what), &command).await?.is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("the end of an attempt cannot be recorded now".into()))
    }

    /// Asks as the service itself; nothing where it could not be decided now.
    async fn ask(&self, owed: &Owed, request: Uuid, command: &Command) -> Result<Option<Done>, StoreError> {
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
            Err(failure) => {
                let failure: Failure<Refusal> = failure;
                tracing::info!(reminder = %owed.attempt.reminder, %failure, "an attempt waits");
                Ok(None)
            }
        }
    }

    /// The letter of an attempt that was begun, or why there is none.
    async fn letter(&self, owed: &Owed) -> Result<Result<Letter, Trouble>, StoreError> {
        let Some(draft) = self.notifier.view(|state| outbox::draft(state, owed)) else {
            return Ok(Err(permanent("not found")));
        };
        let (address, secret) = match self.address(owed, &draft).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let Draft { message_id, language, urgent, kind, words, .. } = draft;
        let Attempt { ticket, reminder, medium, .. } = owed.attempt;
        let (tenant, at) = (owed.tenant.clone(), self.notifier.clock().now());
        let (subject, body) = (words.subject, words.body);
        let about = Letter {
            tenant,
            ticket,
            reminder,
            medium,
            message_id,
            address,
            secret,
            kind,
            language,
            subject,
            body,
            urgent,
            at,
        };
        Ok(Ok(about))
    }

    /// The address and the secret, opened; they are nowhere else.
    async fn address(
        &self,
        owed: &Owed,
        draft: &Draft,
    ) -> Result<Result<(String, Option<String>), Trouble>, StoreError> {
        let log = self.notifier.log();
        let erased = || permanent("erased");
        let open = async |sealed: &Personal<String>| log.reveal_text(&owed.tenant, sealed).await;
        Ok(match &draft.to {
            Whereto::Nowhere => Err(permanent("no address")),
            Whereto::Contact(contact) => match log.reveal_text(&owed.tenant, contact).await? {
                None => Err(erased()),
                Some(contact) if contact.email.is_empty() => Err(permanent("no address")),
                Some(contact) => Ok((contact.email, None)),
            },
            Whereto::Way(way) => match (open(&way.address).await?, &way.secret) {
                (None, _) => Err(erased()),
                (Some(address), None) => Ok((address, None)),
                (Some(address), Some(secret)) => match open(secret).await? {
                    None => Err(erased()),
                    secret => Ok((address, secret)),
                },
            },
        })
    }
}

/// The claim of one step of an attempt.
fn claim(owed: &Owed, what: &str) -> Uuid {
    let Attempt { number, medium, .. } = owed.attempt;
    claim_of(owed, &format!("{what}/{number}/{medium:?}"))
}

fn claim_of(owed: &Owed, what: &str) -> Uuid {
    let name = format!("{}\0notifier\0{}/{what}", owed.tenant, owed.attempt.reminder);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}
