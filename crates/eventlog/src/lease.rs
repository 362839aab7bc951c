//! Leases: which replica of a service reacts, fires deadlines and carries effects out. Economy, not correctness: claims
//! make a second runner harmless.

use std::time::Duration;

use uuid::Uuid;

use crate::keys::random_id;
use crate::log::Log;
use crate::store::StoreError;

/// How long a lease lasts without being renewed: a holder that died is followed after this time.
pub const LEASE: Duration = Duration::from_secs(5);
/// How often a holder renews, and a replica asks.
pub(crate) const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// What a replica asks of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The service.
    pub name: String,
    /// The replica.
    pub holder: Uuid,
    /// For how long from now, microseconds by the database's clock; nothing gives it back.
    pub lasts_us: i64,
}

/// One replica's side of a lease.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    log: &'a Log,
    claim: Claim,
}

impl<'a> Lease<'a> {
    /// A lease of this name that is not held yet.
    pub(crate) fn new(log: &'a Log, name: &str) -> Result<Self, StoreError> {
        let lasts_us = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        Ok(Self { log, claim: Claim { name: name.to_owned(), holder: random_id()?, lasts_us } })
    }

    /// Takes or renews it; false if another holds it.
    pub(crate) async fn hold(&self) -> Result<bool, StoreError> {
        self.log.lease(&self.claim).await
    }

    /// Gives it back, so that the next need not wait for its end.
    pub(crate) async fn give_back(&self) -> Result<(), StoreError> {
        let claim = Claim { lasts_us: 0, ..self.claim.clone() };
        self.log.lease(&claim).await.map(drop)
    }
}
