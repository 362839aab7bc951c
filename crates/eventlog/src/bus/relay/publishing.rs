//! Publishing: a bounded window of messages on their way, each chained to the one before, acknowledged in order.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_nats::header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{Client, Message, Subscriber};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::{Stream, StreamExt};
use uuid::Uuid;

use super::{Page, Relay, Rendering};
use crate::bus::{BusError, Outgoing};

/// Most messages on their way.
const MAX_SENT: usize = 1_000;
/// Most bytes on their way; a single larger message goes alone.
const MAX_SENT_BYTES: usize = 8 * 1024 * 1024;
/// A message not acknowledged so long after it was sent counts as lost, and with it all after it.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);

/// A message that is to go at its position.
struct Ready {
    position: i64,
    id: Uuid,
    recorded_us: i64,
    message: Outgoing,
}

/// A message whose acknowledgement is awaited.
struct Sent {
    position: i64,
    recorded_us: i64,
    bytes: usize,
    until: Instant,
}

/// What is on its way. Dropped, its answers are not heard any more.
struct Window {
    client: Client,
    inbox: String,
    answers: Subscriber,
    sent: VecDeque<Sent>,
    bytes: usize,
}

impl<R: Rendering> Relay<R> {
    /// Publishes page after page; ends with the first thing that is not as it must be, the whole window given up.
    pub(super) async fn publish(&self, mut pages: mpsc::Receiver<Page>) -> Result<Infallible, BusError> {
        let mut window = Window::open(self.bus.client()).await?;
        let mut ready = VecDeque::new();
        loop {
            while window.has_room()
                && let Some(next) = ready.pop_front()
            {
                window.send(next).await?;
            }
            let (waits, deadline) = (!window.sent.is_empty(), window.deadline());
            tokio::select! {
                answer = window.answers.next() => {
                    let mut position = window.acknowledge(answer)?;
                    while let Some(answer) = window.at_hand() {
                        position = window.acknowledge(Some(answer))?;
                    }
                    let oldest_us = window.oldest_us().or(ready.front().map(|next: &Ready| next.recorded_us));
                    self.report.send_modify(|report| (report.position, report.oldest_us) = (position, oldest_us));
                }
                () = sleep_until(deadline), if waits => {
                    return Err(BusError::Unavailable("a message was not acknowledged in time".into()));
                }
                Some(page) = pages.recv(), if ready.is_empty() => ready = page.into_ready()?,
            }
        }
    }
}

impl Page {
    fn into_ready(self) -> Result<VecDeque<Ready>, BusError> {
        if self.rows.len() != self.messages.len() {
            let (rows, messages) = (self.rows.len(), self.messages.len());
            return Err(BusError::Refused(format!("{messages} messages were made of {rows} rows")));
        }
        let together = self.rows.into_iter().zip(self.messages);
        Ok(together
            .map(|(row, message)| Ready { position: row.position, id: row.id, recorded_us: row.recorded_us, message })
            .collect())
    }
}

impl Window {
    async fn open(client: Client) -> Result<Self, BusError> {
        let inbox = client.new_inbox();
        let answers =
            client.subscribe(inbox.clone()).await.map_err(|error| BusError::Unavailable(error.to_string()))?;
        Ok(Self { client, inbox, answers, sent: VecDeque::new(), bytes: 0 })
    }

    fn has_room(&self) -> bool {
        self.sent.len() < MAX_SENT && self.bytes < MAX_SENT_BYTES
    }

    fn deadline(&self) -> Instant {
        self.sent.front().map_or_else(Instant::now, |sent| sent.until)
    }

    fn oldest_us(&self) -> Option<i64> {
        self.sent.front().map(|sent| sent.recorded_us)
    }

    async fn send(&mut self, ready: Ready) -> Result<(), BusError> {
        let Outgoing { subject, mut headers, body } = ready.message;
        headers.insert(NATS_MESSAGE_ID, ready.id.to_string());
        if !cfg!(feature = "unfenced") {
            headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (ready.position - 1).to_string());
        }
        let bytes = body.len();
        let sent = self.client.publish_with_reply_and_headers(subject, self.inbox.clone(), headers, body.into());
        sent.await.map_err(|error| BusError::Unavailable(error.to_string()))?;
        let until = Instant::now() + ACKNOWLEDGE;
        self.sent.push_back(Sent { position: ready.position, recorded_us: ready.recorded_us, bytes, until });
        self.bytes += bytes;
        Ok(())
    }

    /// The next answer, if it came already: telling of many at once costs as much as telling of one. What has not come is
    /// waited for elsewhere.
    fn at_hand(&mut self) -> Option<Message> {
        let mut nobody = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.answers).poll_next(&mut nobody) {
            Poll::Ready(answer) => answer,
            Poll::Pending => None,
        }
    }

    /// Takes the next answer, which must acknowledge the oldest message at its own position and as new: a broker may
    /// remember the id of a message that its stream has lost.
    fn acknowledge(&mut self, answer: Option<Message>) -> Result<i64, BusError> {
        let answer = answer.ok_or_else(|| BusError::Unavailable("the connection was closed".into()))?;
        let Some(sent) = self.sent.pop_front() else {
            return Err(BusError::Refused("it acknowledged what was not sent".into()));
        };
        self.bytes -= sent.bytes;
        if answer.status.is_some() {
            return Err(BusError::Unavailable("no stream takes the message in".into()));
        }
        match serde_json::from_slice(&answer.payload) {
            Ok(Response::Ok(PublishAck { sequence, duplicate: false, .. }))
                if i64::try_from(sequence) == Ok(sent.position) =>
            {
                Ok(sent.position)
            }
            Ok(Response::Ok(other)) => Err(BusError::Refused(format!(
                "position {} was acknowledged as {}{}",
                sent.position,
                other.sequence,
                if other.duplicate { ", sent before" } else { "" }
            ))),
            Ok(Response::Err { error }) => Err(BusError::Refused(format!("position {}: {error}", sent.position))),
            Err(error) => Err(BusError::Refused(format!("an answer that is none: {error}"))),
        }
    }
}
