//! Snapshots of folds: disposable, bound to the history they were taken of.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::log::Log;
use crate::store::{Select, SnapshotRow, StoreError};

/// A folded state as a snapshot's bytes.
pub fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(state).map_err(|error| StoreError::Damaged(format!("a state that does not serialise: {error}")))
}

/// Keeps the encoded state of this service's fold as of `position`, replacing the one before.
pub async fn save(log: &Log, service: &str, fold: u32, position: u64, bytes: Vec<u8>) -> Result<(), StoreError> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let Some(hash) = hash_at(log, position).await? else { return Ok(()) };
    let epoch = log.head().await?.epoch;
    log.keep(SnapshotRow { name: name(service, fold), position, epoch, hash, bytes }).await
}

/// The latest state this version of the fold kept; `None` if there is none, or if it is of another history of the log.
pub async fn load<T: DeserializeOwned>(log: &Log, service: &str, fold: u32) -> Result<Option<T>, StoreError> {
    let Some(snapshot) = log.snapshot(&name(service, fold)).await? else { return Ok(None) };
    let ours = snapshot.epoch == log.head().await?.epoch
        && hash_at(log, snapshot.position).await?.is_some_and(|hash| hash == snapshot.hash);
    if !ours {
        tracing::warn!(service, fold, position = snapshot.position, "snapshot of another history ignored");
        return Ok(None);
    }
    // Bytes that are left over are of another form, too.
    let state = postcard::take_from_bytes(&snapshot.bytes).ok().filter(|(_, rest)| rest.is_empty());
    if state.is_none() {
        tracing::warn!(service, fold, position = snapshot.position, "unreadable snapshot ignored");
    }
    Ok(state.map(|(state, _)| state))
}

fn name(service: &str, fold: u32) -> String {
    format!("{service}/{fold}")
}

/// The hash of the event at this position; `None` before the first and after the last.
async fn hash_at(log: &Log, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
    if position < 1 {
        return Ok(None);
    }
    Ok(log.read(&Select::All, Some(&[]), position - 1, 1).await?.pop().map(|row| row.hash))
}
