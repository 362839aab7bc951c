//! Snapshots of folds: disposable, bound to the history they were taken of, never trusted over the log.
//!
//! Each version of a service's fold has its own, so that the next version's is built while the present one's serves.

use decider::Core;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ticket::Event;

use crate::bus;
use crate::fold::Folded;
use crate::log::Log;
use crate::store::{Row, SnapshotRow, StoreError};

/// Versions of a service's fold whose snapshots are kept: the newest.
const MAX_FOLDS: usize = 2;
/// A snapshot from this size on is large.
const LARGE_BYTES: usize = 1 << 20;

/// A folded state as a snapshot's bytes.
pub fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(state).map_err(|error| StoreError::Damaged(format!("a state that does not serialise: {error}")))
}

/// Keeps the encoded state of this service's fold as of a position and the hash there, replacing the one before; snapshots
/// of all but the service's two newest folds are thrown away. Of nothing, none is kept.
pub async fn save(
    log: &Log,
    (service, fold): (&str, u32),
    (position, hash): (u64, Vec<u8>),
    bytes: Vec<u8>,
) -> Result<(), StoreError> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    if position == 0 {
        return Ok(());
    }
    let epoch = log.head().await?.epoch;
    log.keep(SnapshotRow { name: name(service, fold), position, epoch, hash, bytes }).await?;
    for obsolete in obsolete(service, log.snapshots().await?) {
        log.forget(&obsolete).await?;
    }
    Ok(())
}

/// The names of this service's snapshots that no fold worth keeping is named by.
fn obsolete(service: &str, names: Vec<String>) -> Vec<String> {
    let fold = |name: &str| name.strip_prefix(service)?.strip_prefix('/')?.parse::<u32>().ok();
    let mut folds: Vec<_> = names.into_iter().filter_map(|name| Some((fold(&name)?, name))).collect();
    folds.sort_unstable_by(|a, b| b.cmp(a));
    folds.into_iter().skip(MAX_FOLDS).map(|(_, name)| name).collect()
}

/// The latest state this version of the fold kept; `None` if there is none, or if it is of another history of the log.
pub async fn load<T>(log: &Log, service: &str, fold: u32) -> Result<Option<T>, StoreError>
where
    T: DeserializeOwned + Send + 'static,
{
    let Some((kept, _)) = kept(log, service, fold).await? else { return Ok(None) };
    decoded(service, kept).await
}

/// Decodes a snapshot, which takes seconds if it is large: then not on a thread that others wait for. A small one is
/// decoded in its turn, so that a simulation goes the same way each time.
async fn decoded<T>(service: &str, kept: SnapshotRow) -> Result<Option<T>, StoreError>
where
    T: DeserializeOwned + Send + 'static,
{
    let position = kept.position;
    let state = if kept.bytes.len() < LARGE_BYTES {
        decode(&kept.bytes)
    } else {
        let decoding = tokio::task::spawn_blocking(move || decode(&kept.bytes));
        decoding.await.map_err(|error| StoreError::Damaged(format!("a snapshot: {error}")))?
    };
    if state.is_none() {
        tracing::warn!(service, position, "unreadable snapshot ignored");
    }
    Ok(state)
}

/// A state from its bytes; bytes that are left over are of another form, too.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(state, _)| state)
}

/// Where a service's fold goes on from: its latest snapshot, or nothing.
pub(crate) async fn resume<C: Core<Event = Event>>(log: &Log) -> Result<Folded<C>, StoreError> {
    let Some((kept, last)) = kept(log, C::NAME, C::FOLD).await? else { return Ok(Folded::default()) };
    let folded: Option<Folded<C>> = decoded(C::NAME, kept).await?;
    Ok(folded.map(|folded| folded.resumed(last)).unwrap_or_default())
}

/// The latest snapshot of this version of the fold and the row it was taken at, if it is of this history of the log.
pub(crate) async fn kept(log: &Log, service: &str, fold: u32) -> Result<Option<(SnapshotRow, Row)>, StoreError> {
    let Some(snapshot) = log.snapshot(&name(service, fold)).await? else { return Ok(None) };
    let position = snapshot.position;
    if let Some(last) = bus::row_at(log, position).await?
        && last.hash == snapshot.hash
        && snapshot.epoch == log.head().await?.epoch
    {
        return Ok(Some((snapshot, last)));
    }
    tracing::warn!(service, fold, position, "snapshot of another history ignored");
    Ok(None)
}

fn name(service: &str, fold: u32) -> String {
    format!("{service}/{fold}")
}
