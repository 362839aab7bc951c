//! Messages no subscriber's program could handle: kept by the broker as its advisories, told once each, never dropped.

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, StorageType};
use serde::Deserialize;
use tokio_stream::StreamExt;

use super::{STREAM, unavailable};
use crate::bus::stream::KEPT;
use crate::bus::{Bus, BusError};

/// The stream of the advisories.
const PARKED: &str = "DOCKET_PARKED";
/// The durable by which each is told once, whichever process does it.
const TELLER: &str = "teller";
/// Advisories told at once.
const PAGE: usize = 100;

/// The broker's advisory that a message was delivered as often as it may.
#[derive(Deserialize)]
struct Advisory {
    consumer: String,
    stream_seq: u64,
    deliveries: u64,
}

/// Tells of what was parked since; answers how many messages are parked.
pub(super) async fn tell(bus: &Bus, replicas: usize) -> Result<u64, BusError> {
    let config = Config {
        name: PARKED.to_owned(),
        subjects: vec![format!("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{STREAM}.*")],
        storage: StorageType::File,
        max_age: KEPT,
        num_replicas: replicas,
        ..Config::default()
    };
    let stream = bus.jetstream().get_or_create_stream(config).await.map_err(unavailable)?;
    let config = pull::Config {
        durable_name: Some(TELLER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let teller = stream.get_or_create_consumer(TELLER, config).await.map_err(unavailable)?;
    let mut page = teller.fetch().max_messages(PAGE).messages().await.map_err(unavailable)?;
    while let Some(message) = page.next().await {
        let message = message.map_err(unavailable)?;
        match serde_json::from_slice::<Advisory>(&message.payload) {
            Ok(Advisory { consumer, stream_seq, deliveries }) => {
                tracing::error!(subscriber = consumer, position = stream_seq, deliveries, "PARKED: never acknowledged");
            }
            Err(error) => tracing::error!(%error, "PARKED: an advisory that cannot be read"),
        }
        message.ack().await.map_err(unavailable)?;
    }
    Ok(stream.cached_info().state.messages)
}
