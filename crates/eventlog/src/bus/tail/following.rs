//! Following the stream: a consumer that is made anew whenever it breaks, stalls, or tells what does not fit.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::push::{Config, Messages};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

use super::Tail;
use crate::bus::envelope::Source;
use crate::bus::ring::{MAX_ROWS, Offered};
use crate::bus::stream::{self, Shape};
use crate::bus::{Bus, BusError, doubling, hash_at};
use crate::log::Log;
use crate::release::Hold;
use crate::store::Head;

/// First and longest wait before the stream is looked at again; each is twice the one before.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The log's head is looked at this often, and a consumer that has messages but delivered none so long is made anew.
const LOOK: Duration = Duration::from_secs(1);
/// The broker says this often that a consumer still stands; after two that did not come it is made anew.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The broker forgets a consumer nobody has listened to for so long.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// A stream doubted for so long is an alarm: until then, the relay or the log may only be slower than the looks at them.
const PATIENCE: Duration = Duration::from_secs(3);
/// A bus that cannot be reached for so long holds effects no longer: reminders go out by the log's own word.
const UNREACHED: Duration = Duration::from_secs(30);
/// So many messages of one consumer that do not fit are no accident.
const MAX_UNFIT: u32 = 3;

/// Why a consumer is given up.
enum Lost {
    /// It, or the bus, or the log failed.
    Failed(BusError),
    /// The stream tells what the log does not know.
    Doubted(String),
}

impl<E: Into<BusError>> From<E> for Lost {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A doubt about the stream, since when, and the effects held for it.
struct Doubt {
    since: Instant,
    hold: Option<Hold>,
}

/// One consumer, and what it has told.
struct Follower<'a> {
    log: &'a Log,
    source: Source,
    consumer: Consumer<Config>,
    messages: Messages,
    delivered: bool,
    unfit: u32,
}

impl Tail {
    /// Follows the stream from the head of `log`, the one this tail was given to, until told to stop.
    pub async fn follow(&self, log: &Log, bus: &Bus, shape: &Shape, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            _never = self.keep_following(log, bus, shape) => {}
        }
    }

    async fn keep_following(&self, log: &Log, bus: &Bus, shape: &Shape) -> Infallible {
        let (mut attempts, mut doubt, began) = (0, None, Instant::now());
        loop {
            let reached = self.report.borrow().position;
            let Err(lost) = self.consume((log, bus, shape), &mut doubt).await;
            attempts = if self.report.borrow().position > reached { 0 } else { attempts + 1 };
            match lost {
                // Harmless, and the connection has said it if it was that: the log is read meanwhile.
                Lost::Failed(error) => {
                    tracing::debug!(stream = shape.name, %error, "the tail begins again");
                    if doubt.is_none() && began.elapsed() >= UNREACHED {
                        *self.first() = None;
                    }
                }
                Lost::Doubted(reason) => self.doubt(log, reason, &mut doubt),
            }
            sleep(doubling(AGAIN, attempts)).await;
        }
    }

    /// Nothing of a doubted stream is at hand; if the doubt lasts, effects are held.
    fn doubt(&self, log: &Log, reason: String, doubt: &mut Option<Doubt>) {
        self.cut();
        let doubt = doubt.get_or_insert_with(|| Doubt { since: Instant::now(), hold: None });
        if doubt.hold.is_none() && doubt.since.elapsed() >= PATIENCE {
            tracing::error!(reason, "THE STREAM IS NOT BELIEVED; effects are held until it is settled");
            doubt.hold = Some(log.hold(reason.as_str()));
            self.report.send_modify(|report| report.distrusted = Some(reason));
        }
    }

    /// Takes in what one consumer delivers, for as long as it does.
    async fn consume(
        &self,
        (log, bus, shape): (&Log, &Bus, &Shape),
        doubt: &mut Option<Doubt>,
    ) -> Result<Infallible, Lost> {
        let mut link = bus.link().await?;
        let found = stream::look(bus, shape).await?;
        let found = found.ok_or_else(|| BusError::Unavailable(format!("there is no stream {} yet", shape.name)))?;
        // The head is read after the stream: whatever that holds was committed before.
        let head = log.head().await?;
        if let Some(reason) = found.doubt(&head, shape) {
            return Err(Lost::Doubted(reason));
        }
        *self.first() = None;
        let last = self.anchor(log, &head).await?;
        let mut follower = Follower::begin((log, bus, shape), Source::of(&head), last + 1).await?;
        self.report.send_modify(|report| report.consumers += 1);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.tick().await;
        loop {
            tokio::select! {
                error = link.broken() => return Err(error.into()),
                message = follower.messages.next() => self.receive(&mut follower, message_of(message)?).await?,
                _ = look.tick() => {
                    self.look(&mut follower).await?;
                    *doubt = None;
                    self.report.send_if_modified(|report| report.distrusted.take().is_some());
                }
            }
        }
    }

    /// Where to go on: behind what is at hand if the log still says the same and it is not far, else behind its head.
    async fn anchor(&self, log: &Log, head: &Head) -> Result<i64, Lost> {
        let known = self.ring().last().map(|(position, hash)| (position, hash.to_vec()));
        if let Some((position, hash)) = known
            && usize::try_from(head.position - position).is_ok_and(|behind| behind <= MAX_ROWS)
            && hash_at(log, position).await?.is_some_and(|stored| stored == hash)
        {
            return Ok(position);
        }
        self.cut();
        self.begin(head.position, head.hash.clone());
        Ok(head.position)
    }

    async fn receive(&self, follower: &mut Follower<'_>, message: Message) -> Result<(), Lost> {
        follower.delivered = true;
        let sequence = message.info().map_err(|error| BusError::Refused(error.to_string()))?.stream_sequence;
        let none = HeaderMap::new();
        let headers = message.headers.as_ref().unwrap_or(&none);
        let mut offered = self.take(&follower.source, sequence, (headers, &message.payload));
        if let Ok(Offered::AfterGap(row)) = offered {
            let before = row.position - 1;
            let Some(hash) = hash_at(follower.log, before).await? else {
                return Err(Lost::Doubted(format!("the stream has position {}, the log does not", row.position)));
            };
            self.report.send_modify(|report| report.gaps += 1);
            self.begin(before, hash);
            offered = Ok(self.offer(*row));
        }
        match offered {
            Ok(Offered::Taken | Offered::Known) => Ok(()),
            Ok(Offered::AfterGap(_) | Offered::Unlinked) => {
                self.pass_over(follower, sequence, "it does not follow from what is before it")
            }
            Err(why) => self.pass_over(follower, sequence, &why),
        }
    }

    /// A message that is no row which fits: the log is read in its place.
    fn pass_over(&self, follower: &mut Follower<'_>, sequence: u64, why: &str) -> Result<(), Lost> {
        self.report.send_modify(|report| report.unreadable += 1);
        follower.unfit += 1;
        if follower.unfit == 1 {
            tracing::error!(sequence, why, "a message of the stream is no row of the log, which is read in its place");
        }
        self.cut();
        if follower.unfit < MAX_UNFIT { Ok(()) } else { Err(Lost::Doubted(format!("message {sequence}: {why}"))) }
    }

    /// Whether the log still is what it was, and the consumer delivers what it has.
    async fn look(&self, follower: &mut Follower<'_>) -> Result<(), Lost> {
        let last = self.ring().last().map_or(0, |(position, _)| position);
        let head = follower.log.head().await?;
        if Source::of(&head) != follower.source {
            return Err(BusError::Refused("the log's epoch was raised".into()).into());
        }
        if last > head.position {
            return Err(Lost::Doubted(format!("the stream has position {last}, the log ends at {}", head.position)));
        }
        if !std::mem::take(&mut follower.delivered) {
            let info = follower.consumer.info().await;
            let info = info.map_err(|error| BusError::Unavailable(error.to_string()))?;
            if info.num_pending > 0 {
                return Err(BusError::Unavailable("its consumer stalled".into()).into());
            }
        }
        Ok(())
    }
}

impl<'a> Follower<'a> {
    async fn begin((log, bus, shape): (&'a Log, &Bus, &Shape), source: Source, start: i64) -> Result<Self, BusError> {
        let config = Config {
            deliver_subject: bus.client().new_inbox(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: start.unsigned_abs() },
            ack_policy: AckPolicy::None,
            flow_control: true,
            idle_heartbeat: HEARTBEAT,
            inactive_threshold: FORGOTTEN,
            num_replicas: 1,
            memory_storage: true,
            ..Config::default()
        };
        let consumer = bus.jetstream().create_consumer_on_stream(config, &shape.name).await;
        let consumer = consumer.map_err(|error| BusError::Unavailable(error.to_string()))?;
        let messages = consumer.messages().await.map_err(|error| BusError::Unavailable(error.to_string()))?;
        Ok(Self { log, source, consumer, messages, delivered: false, unfit: 0 })
    }
}

fn message_of<E: std::fmt::Display>(next: Option<Result<Message, E>>) -> Result<Message, BusError> {
    match next {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(BusError::Unavailable(error.to_string())),
        None => Err(BusError::Unavailable("the connection was closed".into())),
    }
}
