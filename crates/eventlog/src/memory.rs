//! A log in memory: for tests, replays and simulations.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::{Mutex, MutexGuard, watch};
use uuid::Uuid;

use crate::chain::GENESIS;
use crate::clock::machine_now;
use crate::lease::Claim;
use crate::scan::{self, PAGE_ROWS, Scan};
use crate::store::{Found, Head, Later, Lookup, Row, Select, SnapshotRow, Store, StoreError, Transaction};
use crate::{follow, store};

/// The log of every memory store that did not adopt another's identity: simulations repeat themselves.
const LOG: Uuid = Uuid::from_u128(0x646f_636b_6574_8000_8000_0000_0000_0001);

/// A log in memory.
#[derive(Debug)]
pub struct Memory {
    kept: RwLock<Kept>,
    turn: Mutex<()>,
    moved: watch::Sender<i64>,
}

#[derive(Debug)]
struct Kept {
    head: Head,
    rows: Vec<Row>,
    ids: HashMap<Uuid, i64>,
    /// Positions by tenant and stream.
    streams: HashMap<String, HashMap<String, Vec<i64>>>,
    /// Positions by tenant and ticket.
    tickets: HashMap<String, HashMap<Uuid, Vec<i64>>>,
    snapshots: BTreeMap<String, SnapshotRow>,
    /// Holders by name, each with the end of the lease.
    leases: BTreeMap<String, (Uuid, i64)>,
    /// The log and the epoch that are released for effects.
    released: (Uuid, i64),
}

impl Default for Memory {
    fn default() -> Self {
        let head = Head { log: LOG, epoch: 1, position: 0, hash: GENESIS.to_vec(), recorded_us: 0 };
        let kept = Kept {
            head,
            rows: Vec::new(),
            ids: HashMap::new(),
            streams: HashMap::new(),
            tickets: HashMap::new(),
            snapshots: BTreeMap::new(),
            leases: BTreeMap::new(),
            released: (LOG, 1),
        };
        Self { kept: RwLock::new(kept), turn: Mutex::default(), moved: watch::Sender::new(0) }
    }
}

impl Memory {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_mut(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn row(&self, position: i64) -> Option<&Row> {
        self.rows.get(usize::try_from(position - 1).ok()?)
    }

    fn stream(&self, tenant: &str, stream: &str) -> &[i64] {
        self.streams.get(tenant).and_then(|streams| streams.get(stream)).map_or(&[], Vec::as_slice)
    }

    fn version(&self, tenant: &str, stream: &str) -> i64 {
        self.stream(tenant, stream).last().and_then(|position| self.row(*position)).map_or(0, |row| row.version)
    }

    fn read(&self, select: &Select, after: i64, limit: usize) -> Vec<&Row> {
        let listed = match select {
            Select::All => {
                let start = usize::try_from(after).unwrap_or(0).min(self.rows.len());
                return self.rows[start..].iter().take(limit).collect();
            }
            Select::Stream { tenant, stream } => self.stream(tenant, stream),
            Select::Correlation { tenant, ticket } => {
                self.tickets.get(tenant).and_then(|tickets| tickets.get(ticket)).map_or(&[][..], Vec::as_slice)
            }
        };
        let start = listed.partition_point(|position| *position <= after);
        listed[start..].iter().take(limit).filter_map(|position| self.row(*position)).collect()
    }

    fn take(&mut self, row: &Row) {
        self.ids.insert(row.id, row.position);
        let streams = self.streams.entry(row.tenant.clone()).or_default();
        streams.entry(row.stream.clone()).or_default().push(row.position);
        if let Some(ticket) = row.correlation {
            self.tickets.entry(row.tenant.clone()).or_default().entry(ticket).or_default().push(row.position);
        }
        self.rows.push(row.clone());
    }
}

impl Store for Memory {
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>> {
        Box::pin(async {
            let turn = self.turn.lock().await;
            let head = self.kept().head.clone();
            Ok(Box::new(Writing { memory: self, head, _turn: turn }) as Box<dyn Transaction>)
        })
    }

    fn head(&self) -> Later<'_, Head> {
        Box::pin(async { Ok(self.kept().head.clone()) })
    }

    fn read<'a>(
        &'a self,
        select: &'a Select,
        wanted: Option<&'a [&'a str]>,
        after: i64,
        limit: i64,
    ) -> Later<'a, Vec<Row>> {
        Box::pin(async move {
            let kept = self.kept();
            let rows = kept.read(select, after, usize::try_from(limit).unwrap_or(0)).into_iter();
            Ok(match select {
                Select::All => rows.map(|row| row.next_to(after, wanted)).collect(),
                Select::Stream { .. } | Select::Correlation { .. } => rows.map(|row| row.as_wanted(wanted)).collect(),
            })
        })
    }

    fn scan<'a>(&'a self, mut after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        Scan::at_hand(move || {
            let kept = self.kept();
            let rows = kept.read(&Select::All, after, PAGE_ROWS).into_iter().take_while(|row| row.position <= to);
            let page = scan::page(rows.map(|row| row.as_wanted(wanted)));
            after = page.last().map_or(after, |last| last.position);
            page
        })
    }

    fn find(&self, id: Uuid) -> Later<'_, Option<Row>> {
        Box::pin(async move {
            let kept = self.kept();
            Ok(kept.ids.get(&id).and_then(|position| kept.row(*position)).cloned())
        })
    }

    fn adopt(&self, log: Uuid, epoch: i64) -> Later<'_, ()> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let mut kept = self.kept_mut();
            store::adopted(u64::from(kept.head.position == 0))?;
            (kept.head.log, kept.head.epoch) = (log, epoch);
            Ok(())
        })
    }

    fn released(&self) -> Later<'_, bool> {
        Box::pin(async move {
            let kept = self.kept();
            Ok(kept.released == (kept.head.log, kept.head.epoch))
        })
    }

    fn release(&self) -> Later<'_, ()> {
        Box::pin(async move {
            let mut kept = self.kept_mut();
            kept.released = (kept.head.log, kept.head.epoch);
            Ok(())
        })
    }

    fn raise_epoch(&self) -> Later<'_, i64> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let head = &mut self.kept_mut().head;
            head.epoch += 1;
            Ok(head.epoch)
        })
    }

    fn keep(&self, snapshot: SnapshotRow) -> Later<'_, ()> {
        Box::pin(async move {
            let snapshots = &mut self.kept_mut().snapshots;
            let newer = |kept: &SnapshotRow| (kept.epoch, kept.position) > (snapshot.epoch, snapshot.position);
            if !snapshots.get(&snapshot.name).is_some_and(newer) {
                snapshots.insert(snapshot.name.clone(), snapshot);
            }
            Ok(())
        })
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>> {
        Box::pin(async move { Ok(self.kept().snapshots.get(name).cloned()) })
    }

    fn snapshots(&self) -> Later<'_, Vec<String>> {
        Box::pin(async move { Ok(self.kept().snapshots.keys().cloned().collect()) })
    }

    fn forget<'a>(&'a self, name: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            self.kept_mut().snapshots.remove(name);
            Ok(())
        })
    }

    fn lease<'a>(&'a self, claim: &'a Claim) -> Later<'a, bool> {
        Box::pin(async move {
            let now = machine_now();
            let leases = &mut self.kept_mut().leases;
            let free = leases.get(&claim.name).is_none_or(|(holder, until)| *holder == claim.holder || *until <= now);
            if free {
                leases.insert(claim.name.clone(), (claim.holder, now.saturating_add(claim.lasts_us)));
            }
            Ok(free)
        })
    }

    fn moved(&self, position: i64) -> Later<'_, ()> {
        Box::pin(follow::moved(self.moved.subscribe(), move |head| *head > position))
    }
}

struct Writing<'a> {
    memory: &'a Memory,
    head: Head,
    _turn: MutexGuard<'a, ()>,
}

impl Transaction for Writing<'_> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found> {
        Box::pin(async move {
            let kept = self.memory.kept();
            let version = |(tenant, stream): &(String, String)| kept.version(tenant, stream);
            let request = |id: &Uuid| {
                let row = kept.row(*kept.ids.get(id)?)?;
                Some((row.position, row.content.clone()))
            };
            Ok(Found {
                versions: lookup.streams.iter().map(version).collect(),
                requests: lookup.ids.iter().map(request).collect(),
            })
        })
    }

    fn commit<'a>(self: Box<Self>, rows: &'a [Row]) -> Later<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let Some(last) = rows.last() else { return Ok(()) };
            let mut kept = self.memory.kept_mut();
            if rows
                .iter()
                .any(|row| kept.ids.contains_key(&row.id) || kept.version(&row.tenant, &row.stream) >= row.version)
            {
                return Err(StoreError::Taken);
            }
            for row in rows {
                kept.take(row);
            }
            kept.head.position = last.position;
            kept.head.recorded_us = last.recorded_us;
            kept.head.hash.clone_from(&last.hash);
            drop(kept);
            self.memory.moved.send_replace(last.position);
            Ok(())
        })
    }
}
