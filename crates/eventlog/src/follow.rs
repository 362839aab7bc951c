//! Waiting for the head to move.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::store::StoreError;

/// A follower looks at the head this often, whether it was told or not.
const POLL: Duration = Duration::from_millis(250);

/// Resolves when the watched head is past a position, at the latest after [`POLL`].
pub(crate) async fn moved<H>(mut head: watch::Receiver<H>, past: impl FnMut(&H) -> bool) -> Result<(), StoreError> {
    let _timed_out_is_worth_a_look_too = timeout(POLL, head.wait_for(past)).await;
    Ok(())
}
