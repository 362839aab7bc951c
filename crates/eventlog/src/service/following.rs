//! How a service follows the log: page by page when it is close behind, in one scan when it is far.

use decider::Core;
use ticket::Event;

use super::{PAGE, Service};
use crate::append::Committed;
use crate::snapshot;
use crate::store::{Row, Select, StoreError};
use crate::{bus, fold};

/// Rows behind the head from which on a scan is worth its connection.
const FAR_ROWS: i64 = 4 * PAGE;

impl<C: Core<Event = Event>> Service<C> {
    /// Resolves once everything up to `position` is folded.
    pub async fn reach(&self, position: u64) -> Result<(), StoreError> {
        if self.position() < position {
            self.keep_up().await?;
        }
        if self.position() < position {
            self.catch_up().await?;
        }
        let mut watch = self.watch();
        while *watch.borrow_and_update() < position {
            watch.changed().await.map_err(|_| StoreError::Unavailable("the service stopped".into()))?;
        }
        Ok(())
    }

    /// Folds what is at hand, and only where nothing is, to the head.
    pub async fn keep_up(&self) -> Result<(), StoreError> {
        let before = self.position();
        {
            let _one_at_a_time = self.folding.lock().await;
            while let Some(rows) = self.log.at_hand(Some(&self.wanted), self.after(), PAGE) {
                let Some(next) = rows.first() else { break };
                self.read().is_followed_by(next)?;
                self.fold(&rows)?;
                tokio::task::yield_now().await;
            }
        }
        if self.position() == before {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Folds to the head as the store has it.
    pub async fn catch_up(&self) -> Result<u64, StoreError> {
        let _one_at_a_time = self.folding.lock().await;
        loop {
            let rows = self.log.read(&Select::All, Some(&self.wanted), self.after(), PAGE).await?;
            let Some(next) = rows.first() else { return Ok(self.position()) };
            self.read().is_followed_by(next)?;
            self.fold(&rows)?;
            if i64::try_from(rows.len()) == Ok(PAGE) {
                self.scan().await?;
            }
        }
    }

    /// Sees to it that the log still holds what was folded, though nothing may follow it: see
    /// [`Folded::is_followed_by`](crate::fold::Folded::is_followed_by).
    pub(crate) async fn keep_to_history(&self) -> Result<(), StoreError> {
        let (position, hash) = {
            let folded = self.read();
            (folded.position, folded.hash.clone())
        };
        match bus::hash_at(&self.log, i64::try_from(position).unwrap_or(i64::MAX)).await? {
            Some(stored) if stored == hash => Ok(()),
            _ => Err(fold::lost(position)),
        }
    }

    /// Folds to the head as it stands now, if that is far.
    async fn scan(&self) -> Result<(), StoreError> {
        let head = self.log.head().await?.position;
        if head - self.after() < FAR_ROWS {
            return Ok(());
        }
        let mut scan = self.log.scan(self.after(), head, Some(&self.wanted));
        loop {
            let rows = scan.next().await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.fold(&rows)?;
            // There may always be a next page at hand: others want this thread, too.
            tokio::task::yield_now().await;
        }
    }

    fn after(&self) -> i64 {
        i64::try_from(self.position()).unwrap_or(i64::MAX)
    }

    /// Takes rows in that follow what is folded; rows already folded are passed over.
    fn fold(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut folded = self.write();
        let taken = folded.take_all(rows, &self.wanted);
        self.position.send_replace(folded.position);
        taken
    }

    /// Folds what was just written, if nobody else wrote before it; else the next catching up finds it.
    pub(super) async fn fold_own(&self, committed: &Committed) -> Result<(), StoreError> {
        let Committed::Written(rows) = committed else { return Ok(()) };
        let _one_at_a_time = self.folding.lock().await;
        match rows.first() {
            Some(row) if row.position.unsigned_abs() == self.position() + 1 => {
                self.read().is_followed_by(row)?;
                self.fold(rows)
            }
            _ => Ok(()),
        }
    }

    /// Keeps a snapshot of what is folded, unless some of it could not be read: a program that can must find it in the
    /// log.
    pub async fn snapshot(&self) -> Result<(), StoreError> {
        let (at, bytes) = {
            let folded = self.read();
            if folded.undecidable() > 0 {
                return Ok(());
            }
            ((folded.position, folded.hash.clone()), snapshot::encode(&*folded)?)
        };
        snapshot::save(&self.log, (C::NAME, C::FOLD), at, bytes).await
    }
}
