//! One letter from its fence to its outcome.

use std::sync::Arc;

use decider::Core;
use eventlog::service::{Ask, Done, Failure};
use eventlog::{Rejected, Service, StoreError};
use ticket::Personal;
use tokio::time::Instant;
use uuid::Uuid;

use super::hear::{self, Report};
use super::list::{Item, listed};
use super::post::{Letter, Post, permanent};
use super::window::AT_ONCE;
use super::{SKEW, Trouble};
use crate::command::{Attempt, Command, Notifier};
use crate::digest::{Listed, Listing};
use crate::link::{Deed, Links};
use crate::outbox::{self, Draft, Owed, Whereto};
use crate::refusal::Refusal;
use crate::retry::Outcome;
use crate::state::State;

/// Times an outcome is offered to the log, of as many letters as are under way at once.
const MAX_ASKS: usize = AT_ONCE;

/// What one letter needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) notifier: Arc<Service<Notifier>>,
    pub(super) post: Arc<dyn Post>,
    pub(super) links: Option<Arc<Links>>,
}

impl Desk {
    /// One attempt that was to begin at this instant: the fence, the effect, the outcome.
    pub(super) async fn deliver(self, owed: Owed, begin_at: Instant) -> Result<(), StoreError> {
        if cfg!(feature = "effect-first") {
            return self.deliver_unfenced(owed, begin_at).await;
        }
        let begin = Command::Start(owed.attempt.clone());
        let Some(done) = self.ask(&owed, claim(&owed, "attempt"), &begin).await? else { return Ok(()) };
        if done.events.is_empty() {
            let Attempt { ticket, reminder, .. } = owed.attempt;
            let claim = claim_of(&owed, &format!("defer/{}", owed.since));
            self.ask(&owed, claim, &Command::Defer { ticket, reminder }).await?;
            return Ok(());
        }
        if !done.written {
            return Ok(());
        }
        let Some(outcome) = self.effect(&owed, begin_at).await? else { return Ok(()) };
        let gone = match &outcome {
            Outcome::Failed(trouble) if trouble.gone => self.gone(&owed, &trouble.kind),
            _ => None,
        };
        self.finish(&owed, "outcome", outcome).await?;
        if let Some(command) = gone {
            self.ask(&owed, claim(&owed, "gone"), &command).await?;
        }
        Ok(())
    }

    /// Ends the use of the address that a letter went to.
    fn gone(&self, owed: &Owed, error: &str) -> Option<Command> {
        let draft = self.notifier.view(|state| outbox::draft(state, owed))?;
        let (Whereto::Way(way), Some(subject)) = (draft.to, draft.subject) else { return None };
        Some(Command::EndAddress { subject, medium: way.medium, digest: way.digest, error: error.to_owned() })
    }

    /// Records what another side tells of a letter it took.
    pub(super) async fn hear(self, report: Report) {
        let Report { medium, reference, fate, recorded } = report;
        let find = |state: &State| outbox::by_reference(state, medium, &reference);
        match hear::record(&self.notifier, find, &fate).await {
            Ok(known) => {
                if !known {
                    tracing::info!("a report of a letter that nobody knows, or knew of already");
                }
                // Whoever told it may be gone by now.
                recorded.send(()).ok();
            }
            Err(error) => tracing::error!(%error, "a report of a letter is not recorded"),
        }
    }

    /// The effect before its fence, as it must not be.
    async fn deliver_unfenced(self, owed: Owed, begin_at: Instant) -> Result<(), StoreError> {
        let Some(outcome) = self.effect(&owed, begin_at).await? else { return Ok(()) };
        self.ask(&owed, claim(&owed, "attempt"), &Command::Start(owed.attempt.clone())).await?;
        self.finish(&owed, "outcome", outcome).await
    }

    /// Sends the letter, if there is one; how that ended. Nothing where it would leave too late: the fence was written
    /// after `begin_at`, and whoever counts from it may have recorded by now that nobody knows how the attempt ended, and
    /// sent the letter again. What is not recorded here is settled as that.
    async fn effect(&self, owed: &Owed, begin_at: Instant) -> Result<Option<Outcome>, StoreError> {
        let letter = match self.letter(owed).await? {
            Ok(letter) => letter,
            Err(trouble) => return Ok(Some(Outcome::Failed(trouble))),
        };
        // The last thing before the letter leaves: whatever comes before it may have taken long.
        if begin_at.elapsed() > SKEW {
            tracing::warn!(reminder = %owed.attempt.reminder, "a letter is not sent: its time to begin is long past");
            return Ok(None);
        }
        let sent = self.post.send(&letter).await;
        Ok(Some(sent.map_or_else(Outcome::Failed, Outcome::Arrived)))
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
        let ask = Ask::by_itself(Notifier::NAME, owed.tenant.clone(), request);
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
        if draft.listing.as_ref().is_some_and(|listing| listing.items.is_empty()) {
            return Ok(Err(permanent("not needed")));
        }
        let (address, secret) = match self.address(owed, &draft).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let Draft { message_id, language, urgent, kind, words, subject, offer, listing, .. } = draft;
        let Attempt { ticket, reminder, medium, .. } = owed.attempt;
        let (tenant, at) = (owed.tenant.clone(), self.notifier.clock().now());
        // A customer answers for nothing here.
        let for_ours = self.links.as_ref().filter(|_| subject.is_some());
        let links_of =
            |attempt: &Attempt, offer| for_ours.map(|links| links.of(&tenant, attempt, offer, at)).unwrap_or_default();
        // Of a digest each item has its own.
        let links = if listing.is_some() { Vec::new() } else { links_of(&owed.attempt, offer) };
        let Listing { items, more } = listing.unwrap_or_default();
        let item = |Listed { heading, ticket, reminder, words, offer }: Listed| {
            let attempt = Attempt { ticket, reminder, ..owed.attempt.clone() };
            Item {
                heading,
                ticket,
                reminder,
                subject: words.subject,
                body: words.body,
                links: links_of(&attempt, offer),
            }
        };
        let items: Vec<_> = items.into_iter().map(item).collect();
        let for_ours = for_ours.filter(|_| items.is_empty());
        let answer_url = for_ours.map(|links| links.for_deed(&tenant, &owed.attempt, Deed::Answer, at));
        let status_url = self.links.as_ref().map(|links| links.for_deed(&tenant, &owed.attempt, Deed::Status, at));
        let listed = || listed(&items, (more, &language), |_| String::new());
        let (subject, body) = (words.subject, if items.is_empty() { words.body } else { listed() });
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
            links,
            items,
            more,
            status_url,
            answer_url,
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use decider::{Guards, Micros, Stream, Tenant};
    use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent};
    use serde_json::json;
    use ticket::intake::{Accountable, Attention, Contact, IntakeEvent};
    use ticket::notifier::NotifierEvent;
    use ticket::{Event, codec, stream};

    use super::super::Taken;
    use super::super::post::Posting;
    use super::*;

    const TICKET: Uuid = Uuid::from_u128(1);
    const NOW: Micros = 1_000_000;

    /// A post office that counts.
    #[derive(Default)]
    struct Office(Mutex<usize>);

    impl Post for Office {
        fn send<'a>(&'a self, _: &'a Letter) -> Posting<'a> {
            *self.0.lock().unwrap() += 1;
            Box::pin(async { Ok(Taken::of("250 ok")) })
        }

        fn longest(&self) -> Duration {
            Duration::ZERO
        }
    }

    async fn happened(log: &Log, (stream, event): (Stream, Event)) {
        let (kind, body) = codec::encode(&event).unwrap();
        let append = Append {
            tenant: Tenant::new("acme"),
            actor: "user/test".into(),
            request: Uuid::new_v5(&TICKET, kind.as_bytes()),
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: NOW,
            occurred_at: NOW,
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream, kind, body }],
        };
        log.append(append).await.unwrap();
    }

    /// A desk that owes a customer a mail.
    async fn owing() -> (Desk, Arc<Office>, Owed) {
        let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
        let personal = |value: serde_json::Value| json!({"personal": {"subject": TICKET, "value": value}});
        let contact = Contact { name: "Doe".into(), phone: "7".into(), email: "doe@example.org".into() };
        let contact = Personal::new(TICKET, contact);
        let request = json!({"ticket_type": "repair", "type_version": 1, "channel": "phone",
            "title": personal(json!("Printer")), "description": personal(json!("It burns")),
            "impact": "person", "urgency": "medium", "priority": "high", "queue": "desk"});
        let next = Attention { accountable: Accountable::Queue("desk".into()), attend_by: NOW };
        let request = Box::new(serde_json::from_value(request).unwrap());
        happened(&log, (stream::ticket(TICKET), Event::Intake(IntakeEvent::Received { request, next }))).await;
        let planned = json!({"ReminderPlanned": {"reminder": Uuid::from_u128(2), "rule": {"name": "new", "version": 1},
            "text": {"name": "plain", "version": 1}, "recipient": {"customer": contact}, "language": "en",
            "media": ["email"], "urgent": false, "step": 0, "send_at": NOW}});
        let planned: NotifierEvent = serde_json::from_value(planned).unwrap();
        happened(&log, (stream::reminder(TICKET), Event::Notifier(planned))).await;
        let notifier = Service::<Notifier>::start(log, Clock::by_hand(NOW)).await.unwrap();
        notifier.catch_up().await.unwrap();
        let owed = notifier.view(|state| outbox::owed(state, NOW, 1)).remove(0);
        let office = Arc::new(Office::default());
        (Desk { notifier, post: Arc::clone(&office) as Arc<dyn Post>, links: None }, office, owed)
    }

    /// Proves part of: N5, N7
    #[tokio::test]
    async fn whoever_wakes_too_late_after_the_fence_sends_nothing_and_leaves_the_attempt_open() {
        let second = Duration::from_secs(1);
        for (late, sent, open) in [(SKEW.checked_sub(second), 1, 0), (SKEW.checked_add(second), 0, 1)] {
            let (desk, office, owed) = owing().await;
            let begin_at = Instant::now().checked_sub(late.unwrap()).unwrap();
            desk.clone().deliver(owed.clone(), begin_at).await.unwrap();
            assert_eq!(*office.0.lock().unwrap(), sent);
            let begun = desk.notifier.view(outbox::in_flight);
            assert_eq!(begun.len(), open, "{begun:?}");
            desk.lost(&owed).await.unwrap();
            assert!(desk.notifier.view(outbox::in_flight).is_empty(), "it is settled as lost");
            assert_eq!(desk.notifier.view(|state| outbox::owed(state, NOW, 1)).len(), open, "and tried again");
        }
    }
}
