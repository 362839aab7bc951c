//! The keys of personal data: one per tenant and subject, made on first use, kept outside the log and its backups.
//!
//! Destroying a key erases what was sealed under it, wherever copies of the log lie; a tombstone stays, so that nothing
//! is sealed for the subject again. Before keys are used, the store's count of erasures is read: cached keys serve only
//! while it stands still, so that an erasure by another process holds from its commit on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{hmac, rand};
use decider::Tenant;
use uuid::Uuid;

use crate::append::Rejected;
use crate::seal::SubjectKey;
use crate::store::StoreError;
use crate::together::Together;

mod memory;
mod postgres;
mod sqlite;
mod vault;

use vault::{Held, KeyBytes, Vault};

/// Keys held in memory; at the bound all are dropped and read anew.
const MAX_CACHED: usize = 65_536;
/// Keys read at once when all are copied.
const COPY_PAGE: i64 = 10_000;

/// The keys of the subjects asked for that still have one.
pub(crate) type Ring = BTreeMap<Uuid, Arc<SubjectKey>>;

#[derive(Default)]
struct Cache {
    erasures: i64,
    keys: HashMap<(Tenant, Uuid), Arc<SubjectKey>>,
}

/// The log's secrets: its own, and the keys of the people its events are about.
pub struct Keys {
    vault: Box<dyn Vault>,
    secret: KeyBytes,
    content: hmac::Key,
    pseudonym: hmac::Key,
    /// Keys derive from this in memory, so that a simulation repeats itself; else they are random.
    seed: Option<hmac::Key>,
    cache: Mutex<Cache>,
    /// The store's count of erasures.
    erasures: Together<i64>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Keys in memory that derive from a seed: for tests and simulations, never for people's data.
    pub fn memory(seed: u64) -> Self {
        let seed = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        let secret = derive(&seed, &[b"secret"]);
        Self { seed: Some(seed), ..Self::new(Box::new(memory::Memory::default()), secret) }
    }

    /// Keys in a SQLite file of their own, which only its owner may read; made with a fresh secret if it is not there.
    pub async fn sqlite(path: &Path) -> Result<Self, StoreError> {
        Self::in_file(path, random()?).await
    }

    /// Keys in a PostgreSQL database, in a schema of their own; [`Keys::migrate_postgres`] comes first.
    ///
    /// A key that was destroyed is gone for every reader at once, but its bytes lie in the table until `VACUUM`
    /// reuses their place, in the write-ahead log until its segments are recycled, and in backups of this database
    /// until those are thrown away: keep it apart from the log's, and its backups short.
    pub async fn postgres(url: &str) -> Result<Self, StoreError> {
        let (vault, secret) = postgres::Postgres::open(url).await?;
        Ok(Self::new(Box::new(vault), secret))
    }

    /// Makes the schema, with a fresh secret where there is none.
    pub async fn migrate_postgres(url: &str) -> Result<(), StoreError> {
        postgres::migrate(url, &random()?).await
    }

    /// Copies secret, keys and tombstones into a SQLite file that is not there yet.
    pub async fn export_to(&self, path: &Path) -> Result<(), StoreError> {
        if path.exists() {
            return Err(StoreError::Unavailable(format!("{} exists", path.display())));
        }
        self.export(&Self::in_file(path, self.secret).await?).await
    }

    /// Copies secret, keys and tombstones into a migrated PostgreSQL database that holds no keys yet.
    pub async fn export_to_postgres(&self, url: &str) -> Result<(), StoreError> {
        postgres::adopt(url, &self.secret).await?;
        self.export(&Self::postgres(url).await?).await
    }

    async fn export(&self, target: &Self) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let page = self.vault.page(after, COPY_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.row;
            for of_tenant in page.chunk_by(|a, b| a.tenant == b.tenant) {
                let fresh: Vec<_> = of_tenant.iter().map(|entry| (entry.subject, entry.held)).collect();
                target.vault.put(&of_tenant[0].tenant, &fresh).await?;
            }
        }
    }

    async fn in_file(path: &Path, fresh_secret: KeyBytes) -> Result<Self, StoreError> {
        let (vault, secret) = sqlite::Sqlite::create_or_open(path, &fresh_secret).await?;
        Ok(Self::new(Box::new(vault), secret))
    }

    fn new(vault: Box<dyn Vault>, secret: KeyBytes) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let own = |name: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, &[name]));
        let (content, pseudonym) = (own(b"content"), own(b"pseudonym"));
        Self { vault, secret, content, pseudonym, seed: None, cache: Mutex::default(), erasures: Together::default() }
    }

    /// HMAC-SHA256 of a request's content.
    pub(crate) fn content(&self, content: &[u8]) -> Vec<u8> {
        hmac::sign(&self.content, content).as_ref().to_vec()
    }

    /// HMAC-SHA256 of a value that names somebody or something, as a `UUIDv8`.
    pub(crate) fn pseudonym(&self, tenant: &Tenant, kind: &str, value: &str) -> Uuid {
        let mut id = [0; 16];
        let name = [tenant.as_str().as_bytes(), kind.as_bytes(), value.as_bytes()];
        id.copy_from_slice(&derive(&self.pseudonym, &name)[..16]);
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    /// A key for each of the subjects, made where there is none yet.
    pub(crate) async fn for_sealing(&self, tenant: &Tenant, subjects: &BTreeSet<Uuid>) -> Result<Ring, Rejected> {
        let (erasures, mut ring, missing) = self.cached(tenant, subjects).await?;
        let mut held = self.vault.get(tenant.as_str(), &missing).await?;
        if held.iter().any(Option::is_none) {
            let absent = missing.iter().zip(&held).filter(|(_, held)| held.is_none());
            let fresh = absent
                .map(|(subject, _)| Ok((*subject, Held::Key(self.fresh(tenant, *subject)?))))
                .collect::<Result<Vec<_>, StoreError>>()?;
            self.vault.put(tenant.as_str(), &fresh).await?;
            // Another process may have been first: what the vault holds now is the key.
            held = self.vault.get(tenant.as_str(), &missing).await?;
        }
        for (subject, held) in missing.iter().zip(held) {
            let Some(Held::Key(bytes)) = held else { return Err(Rejected::Erased(*subject)) };
            ring.insert(*subject, self.remember(erasures, tenant, *subject, &bytes)?);
        }
        Ok(ring)
    }

    /// The keys of those subjects that have one.
    pub(crate) async fn for_opening(&self, tenant: &Tenant, subjects: &BTreeSet<Uuid>) -> Result<Ring, StoreError> {
        let (erasures, mut ring, missing) = self.cached(tenant, subjects).await?;
        for (subject, held) in missing.iter().zip(self.vault.get(tenant.as_str(), &missing).await?) {
            let bytes = match (held, &self.seed) {
                (Some(Held::Key(bytes)), _) => bytes,
                (None, Some(_)) => self.fresh(tenant, *subject)?,
                (Some(Held::Destroyed), _) | (None, None) => continue,
            };
            ring.insert(*subject, self.remember(erasures, tenant, *subject, &bytes)?);
        }
        Ok(ring)
    }

    /// Destroys the subject's key; repeating it is nothing.
    pub(crate) async fn destroy(&self, tenant: &Tenant, subject: Uuid) -> Result<(), StoreError> {
        self.vault.destroy(tenant.as_str(), subject).await
    }

    /// The count of erasures, the keys cached since the last one, and the subjects whose keys are not.
    async fn cached(&self, tenant: &Tenant, subjects: &BTreeSet<Uuid>) -> Result<(i64, Ring, Vec<Uuid>), StoreError> {
        let erasures = self.erasures.ask(self.vault.erasures()).await?;
        let mut cache = self.lock();
        if cache.erasures != erasures {
            *cache = Cache { erasures, keys: HashMap::new() };
        }
        let (mut ring, mut missing) = (Ring::new(), Vec::new());
        for subject in subjects {
            match cache.keys.get(&(tenant.clone(), *subject)) {
                Some(key) => drop(ring.insert(*subject, Arc::clone(key))),
                None => missing.push(*subject),
            }
        }
        Ok((erasures, ring, missing))
    }

    /// Caches a key read after `erasures` was, unless something was erased since.
    fn remember(
        &self,
        erasures: i64,
        tenant: &Tenant,
        subject: Uuid,
        bytes: &KeyBytes,
    ) -> Result<Arc<SubjectKey>, StoreError> {
        let key = Arc::new(SubjectKey::new(bytes)?);
        let mut cache = self.lock();
        if cache.keys.len() >= MAX_CACHED {
            cache.keys.clear();
        }
        if cache.erasures == erasures {
            cache.keys.insert((tenant.clone(), subject), Arc::clone(&key));
        }
        Ok(key)
    }

    fn fresh(&self, tenant: &Tenant, subject: Uuid) -> Result<KeyBytes, StoreError> {
        match &self.seed {
            Some(seed) => Ok(derive(seed, &[b"subject", tenant.as_str().as_bytes(), subject.as_bytes()])),
            None => random(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// HMAC-SHA256 of the parts, each preceded by its length as a big-endian `u64`.
fn derive(key: &hmac::Key, parts: &[&[u8]]) -> KeyBytes {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut derived = [0; 32];
    derived.copy_from_slice(context.sign().as_ref());
    derived
}

fn random() -> Result<KeyBytes, StoreError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| StoreError::Unavailable("the machine's random numbers".into()))?;
    Ok(bytes)
}

/// A random id, for a new log.
pub(crate) fn random_id() -> Result<Uuid, StoreError> {
    let mut id = [0; 16];
    id.copy_from_slice(&random()?[..16]);
    Ok(uuid::Builder::from_random_bytes(id).into_uuid())
}
