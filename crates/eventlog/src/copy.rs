//! A log copied as it is: positions, hashes and sealed bodies, under the same identity and epoch.

use crate::scan::Scan;
use crate::store::{Row, Store, StoreError};

/// Events written in one transaction: many, since each writes most pages of the random indexes anew.
const BATCH: usize = 50_000;
/// Bytes of bodies after which a transaction is full.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// Copies every event up to the head `from` has now into an empty store, and answers how many that were. The keys are
/// copied apart, with [`Keys::export_to`](crate::keys::Keys::export_to). A copy that was broken off cannot be resumed.
pub async fn copy(from: &dyn Store, to: &dyn Store) -> Result<i64, StoreError> {
    let head = from.head().await?;
    to.adopt(head.log, head.epoch).await?;
    let mut scan = from.scan(0, head.position, None);
    let mut batch = gather(&mut scan, 0, head.position).await?;
    while let Some(last) = batch.last() {
        // The next batch is read while this one is written.
        let (next, written) = tokio::join!(gather(&mut scan, last.position, head.position), write(to, &batch));
        written?;
        batch = next?;
    }
    Ok(head.position)
}

async fn write(to: &dyn Store, batch: &[Row]) -> Result<(), StoreError> {
    to.begin().await?.commit(batch).await
}

/// The next batch after this position; empty at the end.
async fn gather(scan: &mut Scan<'_>, mut after: i64, end: i64) -> Result<Vec<Row>, StoreError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES && after < end {
        let rows = scan.next().await?;
        match (rows.first(), rows.last()) {
            (Some(first), Some(last)) if first.position == after + 1 => after = last.position,
            _ => return Err(StoreError::Damaged(format!("position {} is missing", after + 1))),
        }
        bytes += rows.iter().map(|row| row.body.len()).sum::<usize>();
        batch.extend(rows);
    }
    Ok(batch)
}
