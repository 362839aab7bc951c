//! The subscribers' durable consumers: made as the file says, made again where the broker lost them, after the last
//! acknowledgement that was saved beside the log.
//!
//! Any number of processes may keep them at once: everything here repeats without harm.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, Info, pull};
use async_nats::jetstream::stream::{ConsumerCreateStrictErrorKind, Stream};
use tokio_stream::StreamExt;

use super::saved::Saved;
use super::subscribers::{From, Outsiders, Subscriber};
use super::{STREAM, SUBJECTS, unavailable};
use crate::bus::{Bus, BusError, envelope, stream};
use crate::log::Log;

/// Where a consumer says whose events it was made for, and which beginning.
const MADE_FOR: &str = "made-for";
/// Deliveries that may wait for their acknowledgement; the subscriber gets no more until it answers.
const MAX_UNANSWERED: i64 = 1_000;
/// Requests for messages that may wait.
const MAX_WAITING: i64 = 16;

/// How long an answer is waited for, and what follows if none comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From each delivery to the next, if it is not answered. The broker takes the first as its general wait.
    pub again_after: Vec<Duration>,
    /// Deliveries in all; then the message is parked.
    pub deliveries: i64,
}

/// An answer is waited for 30 s; then it goes on 1 s, 5 s, 30 s and 2 min later.
impl Default for Patience {
    fn default() -> Self {
        Self { again_after: [31, 35, 60, 150].map(Duration::from_secs).to_vec(), deliveries: 5 }
    }
}

/// The durables of one log's subscribers.
#[derive(Debug)]
pub(super) struct Durables {
    outsiders: Outsiders,
    patience: Patience,
    saved: Saved,
}

impl Durables {
    pub(super) fn new(outsiders: Outsiders, patience: Patience) -> Self {
        Self { outsiders, patience, saved: Saved::default() }
    }

    pub(super) fn be_patient(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// Sees once to all of them: makes, mends, removes, saves what had been acknowledged when they were looked at.
    pub(super) async fn tend(&mut self, log: &Log, mut seen: Seen) -> Result<(), BusError> {
        self.saved.begin(log).await?;
        let stream = &seen.stream;
        for (name, subscriber) in &self.outsiders.subscribers {
            let one = One { log, stream, name, subscriber, patience: &self.patience };
            one.tend(seen.consumers.remove(name), &mut self.saved).await?;
        }
        for name in seen.consumers.into_keys() {
            tracing::info!(subscriber = name, "no longer named: its consumer is removed");
            stream.delete_consumer(&name).await.map_err(unavailable)?;
        }
        Ok(())
    }
}

/// The stream as it was before its consumers were looked at, and these.
pub(super) struct Seen {
    stream: Stream,
    consumers: BTreeMap<String, Info>,
}

/// Looks at stream and consumers; nothing where the relay has not made the stream yet.
pub(super) async fn look(bus: &Bus) -> Result<Option<Seen>, BusError> {
    let Some(stream) = stream::find(bus, STREAM).await? else { return Ok(None) };
    let mut consumers = BTreeMap::new();
    let mut infos = stream.consumers();
    while let Some(info) = infos.next().await {
        let info = info.map_err(unavailable)?;
        consumers.insert(info.name.clone(), info);
    }
    Ok(Some(Seen { stream, consumers }))
}

/// Up to where everything was answered, or parked; `last` is the stream's last position from before `info` was asked for.
fn settled(info: &Info, last: u64) -> i64 {
    let settled = match (info.num_ack_pending, info.num_pending) {
        (0, 0) => last.max(info.delivered.stream_sequence),
        // A parked message holds the floor down for ever.
        (0, _) => info.delivered.stream_sequence,
        _ => info.ack_floor.stream_sequence,
    };
    i64::try_from(settled).unwrap_or(i64::MAX)
}

/// One subscriber's durable.
struct One<'a> {
    log: &'a Log,
    stream: &'a Stream,
    name: &'a str,
    subscriber: &'a Subscriber,
    patience: &'a Patience,
}

impl One<'_> {
    async fn tend(&self, found: Option<Info>, saved: &mut Saved) -> Result<(), BusError> {
        let key = format!("outside/{}/{}", self.name, self.made_for());
        let floor = match saved.get(self.log, &key).await? {
            Some(floor) => floor,
            None => saved.keep(self.log, &key, self.beginning(saved.head())).await?,
        };
        match found {
            None => self.make(floor).await,
            Some(info) if self.is_ours(&info) => {
                self.mend(&info).await?;
                let settled = settled(&info, self.stream.cached_info().state.last_sequence);
                if settled > floor {
                    saved.keep(self.log, &key, settled).await?;
                }
                Ok(())
            }
            Some(_) => {
                self.stream.delete_consumer(self.name).await.map_err(unavailable)?;
                self.make(floor).await
            }
        }
    }

    async fn mend(&self, info: &Info) -> Result<(), BusError> {
        let (wanted, found) = (self.config(info.config.deliver_policy), &info.config);
        let same = wanted.filter_subjects == found.filter_subjects
            && wanted.max_deliver == found.max_deliver
            && wanted.backoff == found.backoff
            && wanted.max_ack_pending == found.max_ack_pending;
        if !same {
            tracing::info!(subscriber = self.name, "its consumer is brought to what the file says");
            self.stream.update_consumer(wanted).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// The last position it does not get, the first time.
    fn beginning(&self, head: i64) -> i64 {
        match self.subscriber.from {
            From::Start => 0,
            From::New => head,
            From::Position(position) => position - 1,
        }
    }

    /// A consumer made for another beginning, or for another tenant, is another one.
    fn is_ours(&self, info: &Info) -> bool {
        info.config.metadata.get(MADE_FOR) == Some(&self.made_for())
    }

    /// Whose events it gets, from where on.
    fn made_for(&self) -> String {
        format!("{}/{}", envelope::token(self.subscriber.tenant.as_str()), self.subscriber.from)
    }

    /// Makes it to go on after `floor`, once the stream has come so far: before, the broker would begin elsewhere.
    async fn make(&self, floor: i64) -> Result<(), BusError> {
        let state = &self.stream.cached_info().state;
        let (first, floor) = (state.first_sequence, floor.unsigned_abs());
        if state.last_sequence < floor {
            return Ok(());
        }
        if floor > 0 && floor + 1 < first {
            tracing::warn!(
                subscriber = self.name,
                floor,
                first,
                "events before `first` are older than the stream keeps"
            );
        }
        let config = self.config(DeliverPolicy::ByStartSequence { start_sequence: floor + 1 });
        match self.stream.create_consumer_strict(config).await {
            // Another process may have been first.
            Err(error) if error.kind() != ConsumerCreateStrictErrorKind::AlreadyExists => Err(unavailable(error)),
            _ => {
                tracing::info!(subscriber = self.name, after = floor, "its consumer was made");
                Ok(())
            }
        }
    }

    fn config(&self, deliver_policy: DeliverPolicy) -> pull::Config {
        let tenant = envelope::token(self.subscriber.tenant.as_str());
        let filter_subjects = match &self.subscriber.kinds {
            None => vec![format!("{SUBJECTS}.{tenant}.>")],
            Some(kinds) => {
                kinds.iter().map(|kind| format!("{SUBJECTS}.{tenant}.{}.{kind}", envelope::family(kind))).collect()
            }
        };
        pull::Config {
            durable_name: Some(self.name.to_owned()),
            deliver_policy,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.patience.again_after.first().copied().unwrap_or_default(),
            max_deliver: self.patience.deliveries,
            backoff: self.patience.again_after.clone(),
            filter_subjects,
            max_ack_pending: MAX_UNANSWERED,
            max_waiting: MAX_WAITING,
            metadata: HashMap::from([(MADE_FOR.to_owned(), self.made_for())]),
            ..pull::Config::default()
        }
    }
}
