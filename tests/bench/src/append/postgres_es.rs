//! The crate postgres-es: its repository as it stands, each writer an aggregate of its own.

use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::event::comment;
use super::lanes;
use crate::load::{self, Load};

/// The table its documentation gives.
const SCHEMA: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

/// Makes its table.
pub(crate) async fn prepare(url: &str) -> anyhow::Result<()> {
    lanes::make(url, SCHEMA).await
}

/// An aggregate for each writer.
pub(crate) async fn run(url: &str, writers: usize) -> anyhow::Result<Load> {
    let pool = lanes::pool(url, writers).await?;
    let repository = Arc::new(PostgresEventRepository::new(pool.clone()));
    let writer = |_| Writer { repository: Arc::clone(&repository), ticket: Uuid::new_v4(), sequence: 0 };
    let load = load::drive((0..writers).map(writer).collect(), Instant::now()).await;
    pool.close().await;
    load
}

struct Writer {
    repository: Arc<PostgresEventRepository>,
    ticket: Uuid,
    sequence: usize,
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        let (kind, body) = comment(self.ticket)?;
        self.sequence += 1;
        let event = SerializedEvent::new(
            self.ticket.to_string(),
            self.sequence,
            Ticket::TYPE.to_owned(),
            kind,
            "1".to_owned(),
            serde_json::from_slice(&body)?,
            json!({}),
        );
        self.repository.persist::<Ticket>(&[event], None).await?;
        Ok(1)
    }
}

/// What the repository wants a type for; nothing but its name is used.
#[derive(Default, Serialize, Deserialize)]
struct Ticket;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Commented(Value);

impl DomainEvent for Commented {
    fn event_type(&self) -> String {
        "Commented".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Ticket {
    const TYPE: &'static str = "ticket";
    type Command = ();
    type Event = Commented;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, _: Commented) {}
}
