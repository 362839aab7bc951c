//! Proof that a log is whole: order, density, versions, ids, times and the hash chain, row by row.
//!
//! The chain shows every change by whoever cannot rewrite all that follows; against one who can, compare position and
//! hash of the [`Report`] with those noted elsewhere.

use std::collections::{HashMap, HashSet};

use decider::Stream;
use uuid::Uuid;

use crate::append::MAX_BODY_BYTES;
use crate::chain;
use crate::log::Log;
use crate::store::{Head, Row, StoreError};

/// What a whole log amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Log, epoch, last position and hash.
    pub head: Head,
    /// How many streams it has.
    pub streams: usize,
    /// Bytes of all bodies.
    pub body_bytes: u64,
}

/// Why a log could not be shown to be whole.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// The first position at which something is wrong, and what.
    #[error("position {position}: {what}")]
    Damaged {
        /// Where.
        position: i64,
        /// What is wrong there.
        what: String,
    },
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the whole log up to the head it has now. Holds a few dozen bytes per stream and request.
pub async fn verify(log: &Log) -> Result<Report, Unproven> {
    let head = log.head().await?;
    let mut proof = Proof::default();
    let mut scan = log.scan(0, head.position, None);
    while proof.position < head.position {
        let rows = scan.next().await?;
        if rows.is_empty() {
            return Err(damaged(proof.position + 1, format!("missing, though the head stands at {}", head.position)));
        }
        for row in &rows {
            proof.take(row).map_err(|what| damaged(row.position.min(proof.position + 1), what))?;
        }
    }
    if (proof.position, proof.recorded_us) != (head.position, head.recorded_us) || proof.hash != head.hash {
        return Err(damaged(head.position, "the head does not match the last event".into()));
    }
    let streams = proof.versions.values().map(HashMap::len).sum();
    Ok(Report { head, streams, body_bytes: proof.body_bytes })
}

fn damaged(position: i64, what: String) -> Unproven {
    Unproven::Damaged { position, what }
}

/// What has been shown so far.
struct Proof {
    position: i64,
    recorded_us: i64,
    hash: Vec<u8>,
    /// Versions by tenant and stream.
    versions: HashMap<String, HashMap<String, i64>>,
    requests: HashSet<Uuid>,
    request: Uuid,
    index: u32,
    body_bytes: u64,
}

impl Default for Proof {
    fn default() -> Self {
        Self {
            position: 0,
            recorded_us: 0,
            hash: chain::GENESIS.to_vec(),
            versions: HashMap::new(),
            requests: HashSet::new(),
            request: Uuid::nil(),
            index: 0,
            body_bytes: 0,
        }
    }
}

impl Proof {
    fn take(&mut self, row: &Row) -> Result<(), String> {
        if row.position != self.position + 1 {
            return Err(format!("missing, the next is {}", row.position));
        }
        if row.hash != chain::link(&self.hash, row) {
            return Err("its content or its predecessor was changed: the hash does not match".into());
        }
        if row.recorded_us < self.recorded_us {
            return Err("recorded before its predecessor".into());
        }
        if row.body.len() > MAX_BODY_BYTES {
            return Err(format!("a body of {} bytes", row.body.len()));
        }
        if row.correlation != ticket::stream::correlation(&Stream::stored(&row.stream)) {
            return Err(format!("the correlation is not that of stream {}", row.stream));
        }
        self.take_id(row)?;
        self.take_version(row)?;
        self.body_bytes += row.body.len() as u64;
        (self.position, self.recorded_us) = (row.position, row.recorded_us);
        self.hash.clone_from(&row.hash);
        Ok(())
    }

    /// A request's events lie together and are numbered from 0; no request comes twice.
    fn take_id(&mut self, row: &Row) -> Result<(), String> {
        if self.position > 0 && row.request == self.request {
            self.index += 1;
        } else if self.requests.insert(row.request) {
            (self.request, self.index) = (row.request, 0);
        } else {
            return Err(format!("request {} was written before", row.request));
        }
        if row.id != chain::event_id(row.request, self.index) {
            return Err(format!("the id is not that of event {} of its request", self.index));
        }
        Ok(())
    }

    fn take_version(&mut self, row: &Row) -> Result<(), String> {
        let streams = self.versions.entry(row.tenant.clone()).or_default();
        let version = streams.entry(row.stream.clone()).or_insert(0);
        *version += 1;
        if row.version == *version {
            Ok(())
        } else {
            Err(format!("version {} of stream {}, expected {version}", row.version, row.stream))
        }
    }
}
