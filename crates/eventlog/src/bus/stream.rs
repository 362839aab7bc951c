//! A stream as the cache of a log: made, looked at, judged, thrown away.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, LastRawMessageErrorKind, StorageType, Stream};
use decider::Micros;

use super::envelope::Source;
use super::{Bus, BusError};
use crate::store::Head;

/// For how long a stream keeps its messages; what is older comes from the log.
pub(crate) const KEPT: Duration = Duration::from_hours(30 * 24);
/// For how long the broker recognises a message sent twice.
const DUPLICATES: Duration = Duration::from_secs(5);
/// How far the broker's clock and the machine's may differ, microseconds.
const CLOCKS_DIFFER_US: Micros = 3_600_000_000;
/// Where a stream says whose cache it is.
const LOG: &str = "log";
const EPOCH: &str = "epoch";

/// What a stream is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// The subjects it takes in.
    pub subject: String,
    /// How many copies the brokers keep.
    pub replicas: usize,
    /// For how long it keeps a message.
    pub max_age: Duration,
    /// For how long the broker recognises a message sent twice.
    pub duplicate_window: Duration,
}

impl Shape {
    /// The stream of our own services.
    pub fn docket(replicas: usize) -> Self {
        Self::of("DOCKET", "docket.v1.>", replicas)
    }

    /// Another stream of the same sequence.
    pub fn of(name: &str, subject: &str, replicas: usize) -> Self {
        let (name, subject) = (name.to_owned(), subject.to_owned());
        Self { name, subject, replicas, max_age: KEPT, duplicate_window: DUPLICATES }
    }

    /// Nothing but age makes it lose a message: where there is no room, the broker refuses the new one.
    fn config(&self, source: &Source, first: i64) -> Config {
        let named = |key: &str, value: String| (key.to_owned(), value);
        Config {
            name: self.name.clone(),
            subjects: vec![self.subject.clone()],
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            num_replicas: self.replicas,
            max_age: self.max_age,
            duplicate_window: self.duplicate_window,
            allow_direct: true,
            deny_delete: true,
            deny_purge: true,
            first_sequence: Some(first.unsigned_abs()),
            metadata: HashMap::from([named(LOG, source.log.to_string()), named(EPOCH, source.epoch.to_string())]),
            ..Config::default()
        }
    }

    /// What of an existing stream is not as it should be.
    fn differences(&self, found: &Config) -> Vec<&'static str> {
        let wanted = self.config(&Source { log: uuid::Uuid::nil(), epoch: 0 }, 1);
        let checks = [
            ("subjects", found.subjects == wanted.subjects),
            ("storage", found.storage == wanted.storage),
            ("discard", found.discard == wanted.discard),
            ("num_replicas", found.num_replicas == wanted.num_replicas),
            ("max_age", found.max_age == wanted.max_age),
            ("max_msgs", found.max_messages <= 0),
            ("max_bytes", found.max_bytes <= 0),
            ("max_msgs_per_subject", found.max_messages_per_subject <= 0),
            ("duplicate_window", found.duplicate_window == wanted.duplicate_window),
            ("allow_direct", found.allow_direct),
            ("deny_delete", found.deny_delete),
            ("deny_purge", found.deny_purge),
        ];
        checks.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

/// A stream as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Whose cache it says it is.
    pub(crate) source: Option<Source>,
    /// The first position it holds, or would.
    pub(crate) first: i64,
    /// The last position it holds, or held.
    pub(crate) last: i64,
    /// How many messages it holds.
    pub(crate) messages: u64,
    /// Whether messages between the first and the last are missing.
    pub(crate) holed: bool,
    /// When its first message came, or, without any, when it was made: none that came later has expired.
    pub(crate) since_us: Micros,
    config: Config,
}

/// What is to be done about a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It can go on from its last position.
    GoOn,
    /// It is no cache of this log, and may be thrown away and filled anew.
    Refill(String),
    /// It may know more than the log: nothing may be touched until a human decided.
    Halt(String),
}

impl Found {
    fn of(info: Info) -> Self {
        let metadata = |key: &str| info.config.metadata.get(key);
        let source = metadata(LOG).and_then(|log| log.parse().ok());
        let source = source.zip(metadata(EPOCH).and_then(|epoch| epoch.parse().ok()));
        let position = |sequence: u64| i64::try_from(sequence).unwrap_or(i64::MAX);
        let since = if info.state.messages > 0 { info.state.first_timestamp } else { info.created };
        Self {
            source: source.map(|(log, epoch)| Source { log, epoch }),
            first: position(info.state.first_sequence),
            last: position(info.state.last_sequence),
            messages: info.state.messages,
            holed: info.state.deleted_count.is_some_and(|deleted| deleted > 0),
            since_us: Micros::try_from(since.unix_timestamp_nanos() / 1_000).unwrap_or(Micros::MAX),
            config: info.config,
        }
    }

    /// Why this stream may know more than the log that ends at `head`, read after it, if it may.
    pub(crate) fn doubt(&self, head: &Head, shape: &Shape) -> Option<String> {
        let name = &shape.name;
        let Some(source) = self.source else { return Some(format!("stream {name} does not say whose cache it is")) };
        if source.log != head.log {
            return Some(format!("stream {name} belongs to log {}, not to {}", source.log, head.log));
        }
        let (theirs, ours) = ((source.epoch, self.last), (head.epoch, head.position));
        if theirs.0 > ours.0 {
            return Some(format!("stream {name} is of epoch {}, the log of {}: an older backup", theirs.0, ours.0));
        }
        (theirs.0 == ours.0 && theirs.1 > ours.1)
            .then(|| format!("stream {name} has position {}, the log ends at {}: an older backup", theirs.1, ours.1))
    }

    /// Judges by position and epoch; `kept` is the oldest position a stream of this shape must hold.
    pub(crate) fn judge(&self, head: &Head, kept: i64, now_us: Micros, shape: &Shape) -> Verdict {
        let max_age_us = Micros::try_from(shape.max_age.as_micros()).unwrap_or(Micros::MAX);
        let nothing_expired = self.since_us > now_us.saturating_sub(max_age_us).saturating_add(CLOCKS_DIFFER_US);
        if let Some(reason) = self.doubt(head, shape) {
            Verdict::Halt(reason)
        } else if self.source != Some(Source::of(head)) {
            Verdict::Refill("it is of an earlier epoch".into())
        } else if self.holed {
            Verdict::Refill("messages are missing from its middle".into())
        } else if self.last + 1 < kept {
            Verdict::Refill(format!("it ends at {}, before everything that is kept", self.last))
        } else if self.first > kept && nothing_expired {
            Verdict::Refill(format!("its beginning is missing: it starts at {}, should at {kept}", self.first))
        } else {
            Verdict::GoOn
        }
    }
}

/// The stream as it is now, if there is one.
pub(crate) async fn look(bus: &Bus, shape: &Shape) -> Result<Option<Found>, BusError> {
    let found = find(bus, &shape.name).await?;
    Ok(found.map(|stream| Found::of(stream.cached_info().clone())))
}

/// The stream of this name, if there is one.
pub(crate) async fn find(bus: &Bus, name: &str) -> Result<Option<Stream>, BusError> {
    match bus.jetstream().get_stream(name).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(why) if why.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            GetStreamErrorKind::JetStream(why) => Err(BusError::Refused(why.to_string())),
            _ => Err(BusError::Unavailable(error.to_string())),
        },
    }
}

/// Makes the stream, empty, with `first` as its first position.
pub(crate) async fn make(bus: &Bus, shape: &Shape, source: &Source, first: i64) -> Result<(), BusError> {
    let made = bus.jetstream().create_stream(shape.config(source, first)).await;
    made.map(drop).map_err(|error| BusError::Refused(format!("stream {} was not made: {error}", shape.name)))
}

/// Throws the stream away.
pub(crate) async fn discard(bus: &Bus, shape: &Shape) -> Result<(), BusError> {
    let gone = bus.jetstream().delete_stream(&shape.name).await;
    gone.map(drop).map_err(|error| BusError::Refused(format!("stream {} was not deleted: {error}", shape.name)))
}

/// Brings an existing stream to its shape, saying what differed.
pub(crate) async fn mend(bus: &Bus, shape: &Shape, found: &Found) -> Result<(), BusError> {
    let differences = shape.differences(&found.config);
    if differences.is_empty() {
        return Ok(());
    }
    tracing::warn!(stream = shape.name, ?differences, "the stream is not as configured and is mended");
    let config = Config {
        metadata: found.config.metadata.clone(),
        first_sequence: found.config.first_sequence,
        ..shape.config(&Source { log: uuid::Uuid::nil(), epoch: 0 }, 1)
    };
    let mended = bus.jetstream().update_stream(config).await;
    mended.map(drop).map_err(|error| BusError::Refused(format!("{differences:?} of stream {}: {error}", shape.name)))
}

/// The message at this position, if the stream still has it.
pub(crate) async fn at(bus: &Bus, shape: &Shape, position: i64) -> Result<Option<StreamMessage>, BusError> {
    let stream = bus.jetstream().get_stream_no_info(&shape.name).await;
    let stream = stream.map_err(|error| BusError::Unavailable(error.to_string()))?;
    match stream.get_raw_message(position.unsigned_abs()).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(BusError::Unavailable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DAY_US: Micros = 86_400_000_000;
    const NOW_US: Micros = 1_000 * DAY_US;
    const OURS: Source = Source { log: Uuid::from_u128(7), epoch: 2 };

    fn head(position: i64) -> Head {
        Head { log: OURS.log, epoch: OURS.epoch, position, hash: vec![0; 32], recorded_us: 0 }
    }

    /// A stream that holds positions 11 to 20 and was made yesterday.
    fn found() -> Found {
        let config = Shape::docket(1).config(&OURS, 1);
        Found { source: Some(OURS), first: 11, last: 20, messages: 10, holed: false, since_us: NOW_US - DAY_US, config }
    }

    #[test]
    fn what_only_the_stream_knows_is_never_thrown_away() {
        let halts =
            |found: Found, head: &Head| matches!(found.judge(head, 11, NOW_US, &Shape::docket(1)), Verdict::Halt(_));
        assert!(halts(found(), &head(19)), "ahead of the log");
        assert!(halts(Found { messages: 0, ..found() }, &head(19)), "ahead, though empty");
        assert!(halts(Found { holed: true, ..found() }, &head(19)), "ahead, though damaged");
        assert!(halts(Found { source: None, ..found() }, &head(20)), "of nobody");
        assert!(halts(Found { source: Some(Source { epoch: 3, ..OURS }), ..found() }, &head(20)), "of a later epoch");
        let other = Source { log: Uuid::from_u128(8), epoch: 1 };
        assert!(halts(Found { source: Some(other), ..found() }, &head(20)), "of another log, whatever its epoch");
    }

    #[test]
    fn what_the_log_knows_better_is_filled_anew() {
        let judge = |found: Found, kept| found.judge(&head(30), kept, NOW_US, &Shape::docket(1));
        let refilled = |found: Found, kept| matches!(judge(found, kept), Verdict::Refill(_));
        assert_eq!(judge(found(), 11), Verdict::GoOn);
        assert_eq!(judge(found(), 21), Verdict::GoOn, "all it has is too old, what follows is not");
        assert!(refilled(found(), 22), "what follows is too old");
        assert!(refilled(found(), 10), "its beginning is missing");
        assert_eq!(judge(Found { since_us: NOW_US - 30 * DAY_US, ..found() }, 10), Verdict::GoOn, "it has expired");
        assert!(refilled(Found { holed: true, ..found() }, 11));
        let earlier = Source { epoch: 1, ..OURS };
        assert!(
            refilled(Found { source: Some(earlier), last: 99, ..found() }, 11),
            "of an earlier epoch, however long"
        );
        assert_eq!(
            judge(Found { first: 21, messages: 0, since_us: 0, ..found() }, 11),
            Verdict::GoOn,
            "all has expired"
        );
    }

    #[test]
    fn a_stream_is_as_it_was_made() {
        let shape = Shape::docket(3);
        let made = shape.config(&OURS, 5);
        assert!(shape.differences(&made).is_empty());
        let other = Config { max_messages: 10, deny_purge: false, num_replicas: 1, ..made };
        assert_eq!(shape.differences(&other), ["num_replicas", "max_msgs", "deny_purge"]);
    }
}
