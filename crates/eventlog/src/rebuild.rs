//! A service's fold built from nothing: to prove its snapshot, or to keep one before the service starts.

use decider::Core;
use ticket::Event;

use crate::fold::{Folded, wanted};
use crate::log::Log;
use crate::snapshot;
use crate::store::StoreError;

/// What became of proving a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The fold from nothing is the snapshot byte for byte, and stays the same from there to the head.
    Same {
        /// Where the snapshot was taken.
        snapshot: u64,
        /// The head at which both were compared again.
        head: u64,
    },
    /// There is no snapshot of this fold's version.
    None,
    /// They differ.
    Differs {
        /// Where they were compared.
        position: u64,
    },
}

/// Folds the log from nothing beside the snapshot and compares both, where it was taken and at the head. Holds two states
/// and their bytes in memory.
pub async fn check<C: Core<Event = Event>>(log: &Log) -> Result<Proof, StoreError> {
    let head = log.head().await?.position;
    let Some((kept, last)) = snapshot::kept(log, C::NAME, C::FOLD).await? else { return Ok(Proof::None) };
    let position = kept.position.unsigned_abs();
    let mut fresh = Folded::<C>::default();
    take_up_to(&mut [&mut fresh], log, kept.position).await?;
    let resumed: Option<Folded<C>> = snapshot::decode(&kept.bytes);
    let Some(resumed) = resumed.filter(|_| snapshot::encode(&fresh).is_ok_and(|bytes| bytes == kept.bytes)) else {
        return Ok(Proof::Differs { position });
    };
    drop(kept);
    let mut resumed = resumed.resumed(last);
    take_up_to(&mut [&mut fresh, &mut resumed], log, head).await?;
    if snapshot::encode(&fresh)? == snapshot::encode(&resumed)? {
        Ok(Proof::Same { snapshot: position, head: fresh.position })
    } else {
        Ok(Proof::Differs { position: fresh.position })
    }
}

/// Folds the log from nothing to its head and keeps that as the snapshot, from which this program's version of the service
/// then starts; answers the position.
pub async fn keep<C: Core<Event = Event>>(log: &Log) -> Result<u64, StoreError> {
    let mut fresh = Folded::<C>::default();
    take_up_to(&mut [&mut fresh], log, log.head().await?.position).await?;
    if fresh.undecidable() > 0 {
        return Err(StoreError::Damaged(format!("{} streams cannot be read by this program", fresh.undecidable())));
    }
    let bytes = snapshot::encode(&fresh)?;
    snapshot::save(log, (C::NAME, C::FOLD), (fresh.position, fresh.hash), bytes).await?;
    Ok(fresh.position)
}

/// Takes what lies between folds that stand at one position and another position.
async fn take_up_to<C: Core<Event = Event>>(
    folds: &mut [&mut Folded<C>],
    log: &Log,
    to: i64,
) -> Result<(), StoreError> {
    let wanted = wanted::<C>();
    let mut after = folds.first().map_or(to, |fold| i64::try_from(fold.position).unwrap_or(i64::MAX));
    let mut scan = log.scan(after, to, Some(&wanted));
    while after < to {
        let rows = scan.next().await?;
        let Some(last) = rows.last() else {
            return Err(StoreError::Damaged(format!("position {} is missing", after + 1)));
        };
        after = last.position;
        for fold in &mut *folds {
            fold.take_all(&rows, &wanted)?;
        }
    }
    Ok(())
}
