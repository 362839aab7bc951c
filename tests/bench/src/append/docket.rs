//! Ours: `eventlog::Log` over PostgreSQL; each command guards the stream it writes, as a service's does.

use std::sync::Arc;

use decider::{Guards, Micros, Stream, Tenant};
use eventlog::clock::machine_now;
use eventlog::{Append, Committed, Keys, Log, NewEvent, Postgres};
use ticket::{Event, codec, stream};
use tokio::time::Instant;
use uuid::Uuid;

use super::event::comment;
use crate::load::{self, Load};

/// Makes the log in an empty database.
pub(crate) async fn prepare(url: &str) -> anyhow::Result<()> {
    Postgres::migrate(url).await?;
    Ok(Keys::migrate_postgres(url).await?)
}

/// Opens the log as a process does.
pub(crate) async fn open(url: &str) -> anyhow::Result<Arc<Log>> {
    Ok(Log::open(Arc::new(Postgres::open(url).await?), Keys::postgres(url).await?))
}

/// Writes events as one request of the bench's, recorded at this instant.
pub(crate) async fn write(log: &Log, events: Vec<(Stream, Event)>, now: Micros) -> anyhow::Result<()> {
    let request = Uuid::new_v4();
    let mut encoded = Vec::new();
    for (stream, event) in events {
        let (kind, body) = codec::encode(&event)?;
        encoded.push(NewEvent { stream, kind, body });
    }
    let append = Append {
        tenant: Tenant::new("bench"),
        actor: "user/bench".into(),
        request,
        content: request.as_bytes().to_vec(),
        causation: None,
        trace: String::new(),
        now,
        occurred_at: now,
        holds_until: None,
        guards: Guards::new(),
        events: encoded,
    };
    log.append(append).await?;
    Ok(())
}

/// So many commands at any time.
pub(crate) async fn run(url: &str, writers: usize) -> anyhow::Result<Load> {
    let log = open(url).await?;
    load::drive((0..writers).map(|_| Writer::of(&log, "bench")).collect(), Instant::now()).await
}

/// Somebody who works on one ticket.
#[derive(Debug)]
pub(crate) struct Writer {
    log: Arc<Log>,
    tenant: Tenant,
    ticket: Uuid,
    stream: Stream,
    version: u64,
}

impl Writer {
    /// One who works on a new ticket.
    pub(crate) fn of(log: &Arc<Log>, tenant: &str) -> Self {
        let ticket = Uuid::new_v4();
        let (log, tenant, stream) = (Arc::clone(log), Tenant::new(tenant), stream::ticket(ticket));
        Self { log, tenant, ticket, stream, version: 0 }
    }
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        let now = machine_now();
        let request = Uuid::new_v4();
        let (kind, body) = comment(self.ticket)?;
        let append = Append {
            tenant: self.tenant.clone(),
            actor: "user/bench".into(),
            request,
            content: request.as_bytes().to_vec(),
            causation: None,
            trace: String::new(),
            now,
            occurred_at: now,
            holds_until: None,
            guards: [(self.stream.clone(), self.version)].into(),
            events: vec![NewEvent { stream: self.stream.clone(), kind, body }],
        };
        match self.log.append(append).await? {
            Committed::Written(rows) => self.version += u64::try_from(rows.len())?,
            Committed::Repeated(_) => anyhow::bail!("a new request was answered as an old one"),
        }
        Ok(1)
    }
}
