//! What a place for keys must do, and the form in which it holds them.

use uuid::Uuid;

use crate::store::{Later, StoreError};

/// A key as stored.
pub(super) type KeyBytes = [u8; 32];

/// What a vault holds for a subject.
#[derive(Clone, Copy)]
pub(super) enum Held {
    Key(KeyBytes),
    Destroyed,
}

/// A vault's entry, for copying.
pub(super) struct Entry {
    pub(super) row: i64,
    pub(super) tenant: String,
    pub(super) subject: Uuid,
    pub(super) held: Held,
}

/// A place where keys lie.
pub(super) trait Vault: Send + Sync {
    /// How many subjects were erased so far.
    fn erasures(&self) -> Later<'_, i64>;
    /// What is held for each of the subjects, in their order.
    fn get<'a>(&'a self, tenant: &'a str, subjects: &'a [Uuid]) -> Later<'a, Vec<Option<Held>>>;
    /// Keeps these where nothing is held yet.
    fn put<'a>(&'a self, tenant: &'a str, fresh: &'a [(Uuid, Held)]) -> Later<'a, ()>;
    /// Overwrites the subject's key by a tombstone and counts the erasure, once.
    fn destroy<'a>(&'a self, tenant: &'a str, subject: Uuid) -> Later<'a, ()>;
    /// Entries after `row`, in order.
    fn page(&self, after: i64, limit: i64) -> Later<'_, Vec<Entry>>;
}

impl Held {
    /// The columns `key` and `destroyed` of both databases.
    pub(super) fn columns(self) -> (KeyBytes, i64) {
        match self {
            Self::Key(key) => (key, 0),
            Self::Destroyed => ([0; 32], 1),
        }
    }

    /// From the columns `key` and `destroyed`.
    pub(super) fn stored(bytes: &[u8], destroyed: i64) -> Result<Self, StoreError> {
        if destroyed == 0 { key(bytes).map(Self::Key) } else { Ok(Self::Destroyed) }
    }

    /// From the columns of an outer join.
    pub(super) fn joined(row: (Option<Vec<u8>>, Option<i64>)) -> Result<Option<Self>, StoreError> {
        let (Some(bytes), Some(destroyed)) = row else { return Ok(None) };
        Self::stored(&bytes, destroyed).map(Some)
    }
}

impl Entry {
    /// From the columns `n`, `tenant`, `subject`, `key` and `destroyed`.
    pub(super) fn stored(row: (i64, String, Uuid, Vec<u8>, i64)) -> Result<Self, StoreError> {
        let (row, tenant, subject, bytes, destroyed) = row;
        Ok(Self { row, tenant, subject, held: Held::stored(&bytes, destroyed)? })
    }
}

/// A key from a column.
pub(super) fn key(bytes: &[u8]) -> Result<KeyBytes, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("a stored key has not the length of a key".into()))
}
