//! One letter from its fence to its outcome.

use std::sync::Arc;

use eventlog::service::{Ask, Done, Failure};
use eventlog::{Rejected, Service, StoreError};
use ticket::Personal;
use uuid::Uuid;

use super::Trouble;
use super::post::{Letter, Post, permanent};
use super::window::AT_ONCE;
use crate::command::{Attempt, Command, Notifier};
use crate::outbox::{self, Draft, Owed, Whereto};
use crate::refusal::Refusal;
use crate::retry::Outcome;

/// Times an outcome is offered to the log, of as many letters as are under way at once.
const MAX_ASKS: usize = AT_ONCE;

/// What one letter needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) notifier: Arc<Service<Notifier>>,
    pub(super) post: Arc<dyn Post>,
}

impl Desk {
    /// One attempt: the fence, the effect, the outcome.
    pub(super) async fn deliver(self, owed: Owed) -> Result<(), StoreError> {
        if cfg!(feature = "effect-first") {
            return self.deliver_unfenced(owed).await;
        }
        let claim = claim(&owed, "attempt");
        let Some(done) = self.ask(&owed, claim, &Command::Start(owed.attempt.clone())).await? else { return Ok(()) };
        if done.events.is_empty() {
            let Attempt { ticket, reminder, .. } = owed.attempt;
            let claim = claim_of(&owed, &format!("defer/{}", owed.since));
            self.ask(&owed, claim, &Command::Defer { ticket, reminder }).await?;
            return Ok(());
        }
        if !done.written {
            return Ok(());
        }
        let outcome = self.effect(&owed).await?;
        self.finish(&owed, "outcome", outcome).await
    }

    /// The effect before its fence, as it must not be.
    async fn deliver_unfenced(self, owed: Owed) -> Result<(), StoreError> {
        let outcome = self.effect(&owed).await?;
        self.ask(&owed, claim(&owed, "attempt"), &Command::Start(owed.attempt.clone())).await?;
        self.finish(&owed, "outcome", outcome).await
    }

    /// Sends the letter, if there is one; how that ended.
    async fn effect(&self, owed: &Owed) -> Result<Outcome, StoreError> {
        let sent = match self.letter(owed).await? {
            Ok(letter) => self.post.send(&letter).await.map(|receipt| receipt.0),
            Err(trouble) => Err(trouble),
        };
        Ok(sent.map_or_else(Outcome::Failed, Outcome::Arrived))
    }

    /// Records that nobody knows how an attempt ended.
    pub(super) async fn lost(&self, owed: &Owed) -> Result<(), StoreError> {
        self.finish(owed, "lost", Outcome::Lost).await
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
