//! What subscribers acknowledged, saved beside the log as snapshots without content: thrown away, events come again.

use std::collections::BTreeMap;

use crate::bus::{Source, hash_at};
use crate::log::Log;
use crate::store::{SnapshotRow, StoreError};

/// A snapshot is made of at least one byte.
const CONTENT: &[u8] = b"-";

/// The saved positions by key, as far as they were asked for, of one history of the log.
#[derive(Debug, Default)]
pub(super) struct Saved {
    of: Option<Source>,
    head: i64,
    floors: BTreeMap<String, i64>,
}

impl Saved {
    /// Looks where the log is; what was remembered of another epoch is forgotten.
    pub(super) async fn begin(&mut self, log: &Log) -> Result<(), StoreError> {
        let head = log.head().await?;
        let source = Some(Source::of(&head));
        if self.of != source {
            *self = Self { of: source, ..Self::default() };
        }
        self.head = head.position;
        Ok(())
    }

    /// Where the log ended when it was last looked at.
    pub(super) fn head(&self) -> i64 {
        self.head
    }

    /// The position saved under this key; `None` if there is none, or if the log has another event there.
    pub(super) async fn get(&mut self, log: &Log, key: &str) -> Result<Option<i64>, StoreError> {
        if let Some(floor) = self.floors.get(key) {
            return Ok(Some(*floor));
        }
        let Some(kept) = log.snapshot(key).await? else { return Ok(None) };
        if hash_at(log, kept.position).await?.as_ref() != Some(&kept.hash) {
            tracing::warn!(key, position = kept.position, "acknowledged in another history of the log: not believed");
            return Ok(None);
        }
        self.floors.insert(key.to_owned(), kept.position);
        Ok(Some(kept.position))
    }

    /// Saves a position the log has; answers it.
    pub(super) async fn keep(&mut self, log: &Log, key: &str, floor: i64) -> Result<i64, StoreError> {
        if let (Some(hash), Some(of)) = (hash_at(log, floor).await?, self.of) {
            let (name, bytes) = (key.to_owned(), CONTENT.to_vec());
            log.keep(SnapshotRow { name, position: floor, epoch: of.epoch, hash, bytes }).await?;
            self.floors.insert(key.to_owned(), floor);
        }
        Ok(floor)
    }
}
