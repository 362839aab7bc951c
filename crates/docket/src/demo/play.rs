//! Plays the plan through the public API: each ticket is a task that waits for its next minute and sends it.
//!
//! Request ids derive from seed, ticket and step: a day that was broken off is simply played again from its start, and
//! what was acknowledged before is answered the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use eventlog::Clock;
use prost_types::Timestamp;
use proto::intake::v1 as api;
use tokio::sync::{Mutex, Semaphore};
use tonic::{Code, Status};
use uuid::Uuid;

use super::plan::{Opening, Step, Story, What};
use crate::client::{Client, explain};

/// Calls under way at once.
const MAX_CALLS: usize = 32;
/// How often a call is repeated that the server asks to repeat.
const MAX_TRIES: u32 = 8;
/// Longest wait between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What has been played.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) waits: AtomicU64,
    pub(crate) reopens: AtomicU64,
    pub(crate) late_facts: AtomicU64,
    pub(crate) closed: AtomicU64,
}

/// The people of the day, each with a connection of their own.
pub(crate) struct Cast {
    pub(crate) people: BTreeMap<&'static str, Client>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) counts: Counts,
    pub(crate) acks: Option<Mutex<File>>,
}

/// Plays every story to its end; the first call that is refused ends the play.
pub(crate) async fn play(cast: Arc<Cast>, stories: Vec<Story>) -> anyhow::Result<()> {
    let calls = Arc::new(Semaphore::new(MAX_CALLS));
    let mut tasks = tokio::task::JoinSet::new();
    for (n, story) in stories.into_iter().enumerate() {
        let (cast, calls) = (Arc::clone(&cast), Arc::clone(&calls));
        tasks.spawn(async move { cast.tell(n, &story, &calls).await.with_context(|| format!("ticket no. {n}")) });
    }
    while let Some(told) = tasks.join_next().await {
        told??;
    }
    Ok(())
}

impl Cast {
    async fn tell(&self, n: usize, story: &Story, calls: &Semaphore) -> anyhow::Result<()> {
        let mut name = String::new();
        for (m, step) in story.iter().enumerate() {
            while self.clock.now() < step.at {
                tokio::time::sleep(self.clock.wait(step.at, LOOK_EVERY)).await;
            }
            let _call = calls.acquire().await?;
            let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("demo/{}/{n}/{m}", self.seed).as_bytes());
            let (ticket, position) = self.insist(step, &name, request).await.with_context(|| format!("{step:?}"))?;
            name = ticket.name;
            self.acknowledged(request, &position, &name).await?;
            self.count(step);
        }
        Ok(())
    }

    /// Sends a step until it is answered; only what the server asks to repeat is repeated.
    async fn insist(&self, step: &Step, name: &str, request: Uuid) -> anyhow::Result<(api::Ticket, String)> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.send(step, name, request).await {
                Ok((ticket, position)) => return Ok((ticket.context("the answer holds no ticket")?, position)),
                Err(status) if tries < MAX_TRIES && matches!(status.code(), Code::Unavailable | Code::Aborted) => {
                    tokio::time::sleep(Duration::from_millis(50 << tries)).await;
                }
                Err(status) => return Err(explain(&status)),
            }
        }
    }

    /// Keeps what was acknowledged where a crash of this process cannot take it back.
    async fn acknowledged(&self, request: Uuid, position: &str, name: &str) -> anyhow::Result<()> {
        if let Some(acks) = &self.acks {
            let mut file = acks.lock().await;
            file.write_all(format!("{request}\t{position}\t{name}\n").as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }

    fn count(&self, step: &Step) {
        let counts = &self.counts;
        let mut counted = vec![&counts.sent];
        match step.what {
            What::Open(_) => counted.push(&counts.opened),
            What::Hold(_) => counted.push(&counts.waits),
            What::Reject | What::Reopen => counted.push(&counts.reopens),
            What::Close => counted.push(&counts.closed),
            _ => {}
        }
        if step.occurred_at.is_some() {
            counted.push(&counts.late_facts);
        }
        for count in counted {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn send(&self, step: &Step, name: &str, request: Uuid) -> Result<(Option<api::Ticket>, String), Status> {
        let client = self.people.get(step.by).ok_or_else(|| Status::internal("nobody of that name plays"))?;
        let mut intake = client.intake();
        let (name, etag, request_id) = (name.to_owned(), String::new(), request.to_string());
        let occur_time = step.occurred_at.map(timestamp);
        macro_rules! call {
            ($method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
                let asked = api::$request { name, etag, request_id, occur_time, $($field: $value),* };
                let answer = intake.$method(asked).await?.into_inner();
                Ok((answer.ticket, answer.log_position))
            }};
        }
        let text = |text: &str| text.to_owned();
        match &step.what {
            What::Open(opening) => {
                // The call came at its minute, however long the line was: what happens next lies after it.
                let occur_time = Some(timestamp(step.at));
                let asked = api::OpenTicketRequest { ticket: Some(ticket(opening)), occur_time, request_id };
                let answer = intake.open_ticket(asked).await?.into_inner();
                Ok((answer.ticket, answer.log_position))
            }
            What::Take => call!(take_ticket, TakeTicketRequest {}),
            What::Reply => {
                let author = api::Author::Agent.into();
                call!(add_comment, AddCommentRequest { text: text("We are on it."), internal: false, author: author })
            }
            What::CustomerWrites => {
                let author = api::Author::Customer.into();
                call!(
                    add_comment,
                    AddCommentRequest { text: text("Here is what you asked for."), internal: false, author: author }
                )
            }
            What::Call => call!(
                log_contact,
                LogContactRequest {
                    channel: api::Channel::Phone.into(),
                    inbound: false,
                    reached: true,
                    summary: text("Told them that the part is on its way."),
                }
            ),
            What::Hold(reason) => {
                call!(hold_ticket, HoldTicketRequest { reasons: vec![(*reason).into()], look_again_time: None })
            }
            What::Resume => call!(resume_ticket, ResumeTicketRequest { reasons: Vec::new() }),
            What::Resolve => call!(
                resolve_ticket,
                ResolveTicketRequest {
                    solution: text("Repaired and tried together."),
                    evidence: vec![text("photo:after.jpg")],
                }
            ),
            What::Confirm => call!(confirm_ticket, ConfirmTicketRequest {}),
            What::Reject => call!(reject_ticket, RejectTicketRequest { reason: text("It does the same again.") }),
            What::Close => call!(close_ticket, CloseTicketRequest { review: text("Complete.") }),
            What::Reopen => call!(reopen_ticket, ReopenTicketRequest { reason: text("It is back.") }),
            What::Cancel => call!(cancel_ticket, CancelTicketRequest { reason: text("Opened by mistake.") }),
            What::Raise => call!(
                set_priority,
                SetPriorityRequest {
                    impact: 0,
                    urgency: 0,
                    priority: api::Priority::Critical.into(),
                    reason: text("More people are touched than it looked."),
                }
            ),
        }
    }
}

fn ticket(opening: &Opening) -> api::Ticket {
    use api::field_value::Value;
    let field = |name: &str, value: Value| (name.to_owned(), api::FieldValue { value: Some(value) });
    let fields = if opening.repair {
        [field("asset", Value::Text("PRN-17".into())), field("address", Value::Text("12 Harbour Street".into()))].into()
    } else {
        [field("service", Value::Text(opening.service.into()))].into()
    };
    api::Ticket {
        ticket_type: if opening.repair { "repair" } else { "incident" }.into(),
        channel: api::Channel::Phone.into(),
        title: opening.title.clone(),
        description: "As told on the telephone.".into(),
        customer: opening.customer.clone(),
        contact: Some(api::Contact { name: "Reception".into(), phone: "+49 30 0000000".into(), email: String::new() }),
        fields,
        impact: opening.impact.into(),
        urgency: opening.urgency.into(),
        ..api::Ticket::default()
    }
}

fn timestamp(at: decider::Micros) -> Timestamp {
    Timestamp { seconds: at.div_euclid(1_000_000), nanos: i32::try_from(at.rem_euclid(1_000_000) * 1_000).unwrap_or(0) }
}
