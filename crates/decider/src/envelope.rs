//! What the log says of every event, whatever the event says itself.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// The reserved tenant of `service/*` streams.
pub const SYSTEM: &str = "_system";

/// An isolated customer of the installation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// A tenant by its name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The reserved tenant of the services themselves.
    pub fn system() -> Self {
        Self::new(SYSTEM)
    }

    /// The tenant's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a stream, `<family>/<key>`; one service alone appends to it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stream(Arc<str>);

impl Stream {
    /// The stream of `family` with this key.
    pub fn new(family: &str, key: impl fmt::Display) -> Self {
        Self(format!("{family}/{key}").into())
    }

    /// A stream by the whole name under which it was stored.
    pub fn stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before the first slash.
    pub fn family(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(family, _)| family)
    }

    /// What comes after the first slash.
    pub fn key(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, key)| key)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event as the log holds it.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// `UUIDv5(request, index)`.
    pub id: Uuid,
    /// Whose data this is.
    pub tenant: Tenant,
    /// The stream it belongs to.
    pub stream: Stream,
    /// Its place in the stream, from 1.
    pub version: u64,
    /// Its place in the log, from 1, dense.
    pub position: u64,
    /// When it happened.
    pub occurred_at: Micros,
    /// When the log took it in; never decreases along the log.
    pub recorded_at: Micros,
    /// Who did it.
    pub actor: String,
    /// The claim of the request that made it.
    pub request: Uuid,
    /// The event that caused it, if one did.
    pub causation: Option<Uuid>,
    /// The ticket it belongs to, if it belongs to one.
    pub correlation: Option<Uuid>,
    /// What happened.
    pub event: E,
}

impl<E> Recorded<E> {
    /// Order of a ticket's facts: by when they happened, then by when they became known.
    pub fn order(&self) -> (Micros, u64) {
        (self.occurred_at, self.position)
    }
}
