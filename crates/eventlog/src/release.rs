//! Which history effects may be carried out for: a (log, epoch) is released by its operator, outside the log, so that a
//! copy or a restored backup mails nobody until somebody says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::Log;
use crate::store::StoreError;

/// Why effects rest in this process, as long as somebody holds them.
type Reasons = Vec<Arc<str>>;

/// Everything that holds effects in this process; the same for every clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holds(Arc<Mutex<Reasons>>);

impl Holds {
    fn reasons(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Effects rest as long as this lives.
#[derive(Debug)]
#[must_use = "effects are let go when it is dropped"]
pub struct Hold {
    holds: Holds,
    reason: Arc<str>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.reasons().retain(|reason| !Arc::ptr_eq(reason, &self.reason));
    }
}

impl Log {
    /// Whether effects are released for the log and epoch it has now. A log is when it is made; a copy and a raised
    /// epoch are not.
    pub async fn released(&self) -> Result<bool, StoreError> {
        self.asked_for_release().ask(self.store().released()).await
    }

    /// Releases effects for the log and epoch it has now; repeating it is nothing.
    pub async fn release(&self) -> Result<(), StoreError> {
        self.store().release().await
    }

    /// Says that this log was restored from a backup: positions seen before mean nothing any more, effects are not
    /// released. Answers the new epoch.
    pub async fn raise_epoch(&self) -> Result<i64, StoreError> {
        self.store().raise_epoch().await
    }

    /// Holds effects in this process, whatever is released, until the answer is dropped.
    pub fn hold(&self, reason: impl Into<Arc<str>>) -> Hold {
        let reason = reason.into();
        self.holds().reasons().push(Arc::clone(&reason));
        Hold { holds: self.holds().clone(), reason }
    }

    /// Why effects are held in this process, if they are: the oldest reason.
    pub fn held(&self) -> Option<Arc<str>> {
        self.holds().reasons().first().cloned()
    }
}
