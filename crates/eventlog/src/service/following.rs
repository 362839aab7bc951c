//! How a service follows the log: page by page when it is close behind, in one scan when it is far.

use std::collections::BTreeMap;

use decider::Core;
use ticket::Event;

use super::{PAGE, Service};
use crate::append::Committed;
use crate::fold::Folded;
use crate::snapshot;
use crate::store::{Row, Select, StoreError};
use crate::{bus, fold};

/// Rows behind the head from which on a scan is worth its connection.
const FAR_ROWS: i64 = 4 * PAGE;
/// Own appends kept until what comes before them is folded.
const MAX_EARLY: usize = 1_024;

/// Own appends whose callers came to fold them before those of earlier ones, by the position of their first row.
pub(super) type Early = BTreeMap<u64, Vec<Row>>;

impl<C: Core<Event = Event>> Service<C> {
    /// Resolves once everything up to `position` is folded.
    pub async fn reach(&self, position: u64) -> Result<(), StoreError> {
        if self.position() < position {
            self.take_at_hand().await?;
        }
        if self.position() < position {
            self.catch_up_unless(|folded| folded.position >= position).await?;
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
        self.take_at_hand().await?;
        self.catch_up_unless(|folded| folded.position > before).await
    }

    async fn take_at_hand(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.folding.lock().await;
        while let Some(rows) = self.log.at_hand(Some(&self.wanted), self.after(), PAGE) {
            let Some(next) = rows.first() else { break };
            self.read().is_followed_by(next)?;
            self.fold(&rows)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Folds to the head as the store has it.
    pub async fn catch_up(&self) -> Result<u64, StoreError> {
        self.catch_up_unless(|_| false).await?;
        Ok(self.position())
    }

    /// Folds to the head, unless what it is done for is known by then: of many who miss the same, one asks the store.
    pub(super) async fn catch_up_unless(&self, known: impl Fn(&Folded<C>) -> bool) -> Result<(), StoreError> {
        let _one_at_a_time = self.folding.lock().await;
        if known(&self.read()) { Ok(()) } else { self.to_head().await }
    }

    async fn to_head(&self) -> Result<(), StoreError> {
        loop {
            let rows = self.log.read(&Select::All, Some(&self.wanted), self.after(), PAGE).await?;
            let Some(next) = rows.first() else { return Ok(()) };
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

    /// Folds what was just written, once what comes before it is folded; if that is another's, the next catching up finds
    /// both.
    pub(super) async fn fold_own(&self, committed: &Committed) -> Result<(), StoreError> {
        let Committed::Written(rows) = committed else { return Ok(()) };
        let Some(first) = rows.first().map(|row| row.position.unsigned_abs()) else { return Ok(()) };
        let mut early = self.folding.lock().await;
        if first == self.position() + 1 {
            self.fold_next(rows)?;
        } else if first > self.position() && early.len() < MAX_EARLY {
            early.insert(first, rows.clone());
        }
        while let Some(next) = early.first_entry().filter(|next| *next.key() <= self.position() + 1) {
            let (first, rows) = next.remove_entry();
            if first == self.position() + 1 {
                self.fold_next(&rows)?;
            }
        }
        Ok(())
    }

    fn fold_next(&self, rows: &[Row]) -> Result<(), StoreError> {
        if let Some(row) = rows.first() {
            self.read().is_followed_by(row)?;
        }
        self.fold(rows)
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
