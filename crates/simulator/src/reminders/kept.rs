//! A house's story kept as a log, for whoever wants to look at it with the command.

use std::path::Path;
use std::sync::Arc;

use decider::{Guards, Recorded};
use eventlog::{Append, Keys, Log, Memory, NewEvent, Sqlite};
use ticket::{Event, codec};

/// Writes these events into the files of a data directory, which must not hold a log yet.
pub(super) async fn keep(events: &[Recorded<Event>], data: &Path) -> anyhow::Result<()> {
    let log = Log::open(Arc::new(Memory::new()), Keys::sqlite(&data.join("keys.db")).await?);
    for event in events {
        let (kind, body) = codec::encode(&event.event)?;
        log.append(Append {
            tenant: event.tenant.clone(),
            actor: event.actor.clone(),
            request: event.id,
            content: event.id.as_bytes().to_vec(),
            causation: None,
            trace: String::new(),
            now: event.recorded_at,
            occurred_at: event.occurred_at,
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream: event.stream.clone(), kind, body }],
        })
        .await?;
    }
    let kept = Sqlite::create_or_open(&data.join("log.db")).await?;
    eventlog::copy::copy(log.store().as_ref(), &kept).await?;
    kept.close().await;
    Ok(())
}
