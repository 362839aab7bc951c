//! The crate disintegrate-postgres: each writer decides over a ticket of its own.

use disintegrate::serde::json::Json;
use disintegrate::{Event, EventStore, query};
use disintegrate_postgres::{Error, PgEventStore};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::event::comment;
use super::lanes;
use crate::load::{self, Load};

/// How often an append that lost to another is tried before the case counts as failed.
const MAX_TRIES: u32 = 10_000;

#[derive(Clone, Debug, Event, Serialize, Deserialize)]
enum Happened {
    Commented {
        #[id]
        ticket_id: String,
        body: String,
    },
}

type Store = PgEventStore<Happened, Json<Happened>>;

/// Makes its schema.
pub(crate) async fn prepare(url: &str) -> anyhow::Result<()> {
    lanes::make(url, include_str!("disintegrate.sql")).await
}

/// A ticket for each writer.
pub(crate) async fn run(url: &str, writers: usize) -> anyhow::Result<Load> {
    let pool = lanes::pool(url, writers).await?;
    let store = Store::new_uninitialized(pool.clone(), Json::default());
    let writer = |_| Writer { store: store.clone(), ticket: Uuid::new_v4(), last: 0 };
    let load = load::drive((0..writers).map(writer).collect(), Instant::now()).await;
    pool.close().await;
    load
}

struct Writer {
    store: Store,
    ticket: Uuid,
    /// The last event of this ticket.
    last: i64,
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        let (_, body) = comment(self.ticket)?;
        let ticket_id = self.ticket.to_string();
        let event = Happened::Commented { ticket_id: ticket_id.clone(), body: String::from_utf8(body)? };
        for _ in 0..MAX_TRIES {
            let of_ticket = query!(Happened; ticket_id == ticket_id.clone());
            match self.store.append(vec![event.clone()], of_ticket, self.last).await {
                Ok(written) => {
                    self.last = written.last().map_or(self.last, disintegrate::PersistedEvent::id);
                    return Ok(1);
                }
                Err(error) if lost(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::bail!("an append lost {MAX_TRIES} times")
    }
}

/// Whether another's transaction won, of whatever ticket: serialization failures come from any statement.
fn lost(error: &Error) -> bool {
    match error {
        Error::Concurrency => true,
        Error::Database(error) => {
            error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == "40001"))
        }
        _ => false,
    }
}
