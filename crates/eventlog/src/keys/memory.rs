//! Keys in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::vault::{Entry, Held, Vault};
use crate::store::Later;

#[derive(Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    erasures: i64,
    held: BTreeMap<(String, Uuid), Held>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault for Memory {
    fn erasures(&self) -> Later<'_, i64> {
        Box::pin(async { Ok(self.lock().erasures) })
    }

    fn get<'a>(&'a self, tenant: &'a str, subjects: &'a [Uuid]) -> Later<'a, Vec<Option<Held>>> {
        Box::pin(async move {
            let kept = self.lock();
            Ok(subjects.iter().map(|subject| kept.held.get(&(tenant.to_owned(), *subject)).copied()).collect())
        })
    }

    fn put<'a>(&'a self, tenant: &'a str, fresh: &'a [(Uuid, Held)]) -> Later<'a, ()> {
        Box::pin(async move {
            let mut kept = self.lock();
            for (subject, held) in fresh {
                kept.held.entry((tenant.to_owned(), *subject)).or_insert(*held);
            }
            Ok(())
        })
    }

    fn destroy<'a>(&'a self, tenant: &'a str, subject: Uuid) -> Later<'a, ()> {
        Box::pin(async move {
            let mut kept = self.lock();
            if !matches!(kept.held.insert((tenant.to_owned(), subject), Held::Destroyed), Some(Held::Destroyed)) {
                kept.erasures += 1;
            }
            Ok(())
        })
    }

    fn page(&self, after: i64, limit: i64) -> Later<'_, Vec<Entry>> {
        Box::pin(async move {
            let kept = self.lock();
            let entries = (1..).zip(&kept.held).map(|(row, ((tenant, subject), held))| Entry {
                row,
                tenant: tenant.clone(),
                subject: *subject,
                held: *held,
            });
            Ok(entries.skip_while(|entry| entry.row <= after).take(usize::try_from(limit).unwrap_or(0)).collect())
        })
    }
}
