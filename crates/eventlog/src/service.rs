//! The one loop in which every service runs: fold the log, decide what is asked, react to what others did, and do
//! what falls due. The simulator runs this same loop under a clock moved by hand.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use decider::{At, Core, Micros, Reaction, Read, Stream, Tenant};
use ticket::house::HouseEvent;
use ticket::{Event, Recorded, codec, stream};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::append::{Append, Committed, NewEvent, Rejected};
pub use crate::ask::{Ask, Done, Failure};
use crate::clock::Clock;
use crate::fold::Folded;
pub use crate::fold::recorded;
use crate::log::Log;
use crate::snapshot;
use crate::store::{Row, Select, StoreError};

/// Rows read at once.
const PAGE: i64 = 1_000;
/// How often a decision is repeated over newer state before it is given up.
const MAX_RETRIES: u32 = 5;
/// Deadlines fired between two looks at the head.
const DUE_BATCH: usize = 256;
/// Business time between two `ReactedThrough`: what a restart reacts to again is at most this old, and claimed already.
const REACTED_EVERY_US: Micros = 60_000_000;

/// What a decision asks of the log; a refusal asks only that its guards still hold.
type Decision<R> = (Append, Option<R>);

/// How far the reactions have come.
#[derive(Debug, Default)]
struct Cursor {
    position: u64,
    /// Position and business time of the last `ReactedThrough` of ours.
    marked: u64,
    marked_at: Micros,
}

/// A core, run over a log.
pub struct Service<C: Core<Event = Event>> {
    log: Arc<Log>,
    clock: Clock,
    wanted: Vec<&'static str>,
    folded: RwLock<Folded<C>>,
    folding: Mutex<()>,
    cursor: Mutex<Option<Cursor>>,
    position: watch::Sender<u64>,
    leads: watch::Sender<bool>,
}

impl<C: Core<Event = Event>> Service<C> {
    /// Starts from the latest snapshot and folds to the head.
    pub async fn start(log: Arc<Log>, clock: Clock) -> Result<Arc<Self>, StoreError> {
        let folded: Option<Folded<C>> = snapshot::load(&log, C::NAME, C::FOLD).await?;
        let folded = folded.map(Folded::resumed).unwrap_or_default();
        let own = |kind: &&'static str| C::wants(kind) || *kind == "ReactedThrough";
        let service = Self {
            wanted: codec::KINDS.keys().copied().filter(own).collect(),
            position: watch::Sender::new(folded.position),
            folded: RwLock::new(folded),
            folding: Mutex::new(()),
            cursor: Mutex::new(None),
            leads: watch::Sender::new(false),
            log,
            clock,
        };
        service.catch_up().await?;
        Ok(Arc::new(service))
    }

    /// The log it runs over.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// The business clock it runs by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Looks at the state as folded.
    pub fn view<T>(&self, look: impl FnOnce(&C::State) -> T) -> T {
        look(&self.read().state)
    }

    /// The last position folded.
    pub fn position(&self) -> u64 {
        self.read().position
    }

    /// The last position before which every cause is settled or parked.
    pub fn reacted(&self) -> u64 {
        self.read().reacted
    }

    /// Tells when more has been folded.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    /// Whether this replica holds the service's lease: only then does it react, fire deadlines and carry effects out.
    pub fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Takes the lease up or lays it down. Whoever takes it up begins behind the last position known to be settled.
    pub(crate) async fn set_leads(&self, leads: bool) {
        if self.leads.send_replace(leads) && !leads {
            *self.cursor.lock().await = None;
        }
    }

    /// Resolves once everything up to `position` is folded.
    pub async fn reach(&self, position: u64) -> Result<(), StoreError> {
        if self.position() < position {
            self.catch_up().await?;
        }
        let mut watch = self.watch();
        while *watch.borrow_and_update() < position {
            watch.changed().await.map_err(|_| StoreError::Unavailable("the service stopped".into()))?;
        }
        Ok(())
    }

    /// Folds to the head.
    pub async fn catch_up(&self) -> Result<u64, StoreError> {
        let _one_at_a_time = self.folding.lock().await;
        loop {
            let position = self.position();
            let after = i64::try_from(position).unwrap_or(i64::MAX);
            let rows = self.log.read(&Select::All, Some(&self.wanted), after, PAGE).await?;
            if rows.is_empty() {
                return Ok(position);
            }
            self.fold(&rows)?;
        }
    }

    /// Keeps a snapshot of what is folded.
    pub async fn snapshot(&self) -> Result<(), StoreError> {
        let (position, bytes) = {
            let folded = self.read();
            (folded.position, snapshot::encode(&*folded)?)
        };
        snapshot::save(&self.log, C::NAME, C::FOLD, position, bytes).await
    }

    /// Decides a command and appends what comes of it; the same request again is answered the same again.
    pub async fn ask(&self, ask: &Ask, command: &C::Command) -> Result<Done, Failure<C::Refusal>> {
        let committed = self.execute(ask, command).await?;
        let written = matches!(&committed, Committed::Written(rows) if !rows.is_empty());
        let events = committed.rows().iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        let position = events.last().map_or_else(|| self.position(), |event| event.position);
        self.reach(position).await?;
        Ok(Done { events, written, position })
    }

    /// Reacts to everything new and fires everything due; says when the next thing falls due.
    pub async fn step(&self) -> Result<Option<Micros>, StoreError> {
        let mut held = self.cursor.lock().await;
        let now = self.clock.now();
        if self.work(&mut held).await?
            && let Some(cursor) = held.as_mut()
        {
            self.note_reacted(cursor, now).await?;
        }
        Ok(self.view(C::next_due))
    }

    /// As [`Service::step`], without noting how far it came: for a replay, which makes many steps and is never resumed.
    pub async fn step_unmarked(&self) -> Result<Option<Micros>, StoreError> {
        self.work(&mut *self.cursor.lock().await).await?;
        Ok(self.view(C::next_due))
    }

    /// Reacts and fires until nothing is left to do now; false if something must be tried again later.
    async fn work(&self, held: &mut Option<Cursor>) -> Result<bool, StoreError> {
        let mut tried = BTreeSet::new();
        loop {
            // The head is read after the clock: what had happened by then is folded before anything fires.
            let now = self.clock.now();
            self.catch_up().await?;
            let cursor = held.get_or_insert_with(|| self.taken_up());
            if !self.read().undecidable.is_empty() || !self.react(cursor).await? {
                return Ok(false);
            }
            let due = self.view(|state| C::due(state, now, DUE_BATCH));
            let fresh: Vec<_> = due.into_iter().filter(|reaction| tried.insert(reaction.claim(C::NAME))).collect();
            if fresh.is_empty() {
                return Ok(true);
            }
            for reaction in &fresh {
                self.carry_out(reaction).await?;
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Folded<C>> {
        self.folded.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Folded<C>> {
        self.folded.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where reactions start for one who takes them up: behind the last position known to be settled.
    fn taken_up(&self) -> Cursor {
        let reacted = self.read().reacted;
        Cursor { position: reacted, marked: reacted, marked_at: Micros::MIN }
    }

    /// Takes rows in that follow what is folded; rows already folded are passed over.
    fn fold(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut folded = self.write();
        for row in rows {
            let position = row.position.unsigned_abs();
            if position <= folded.position {
                continue;
            }
            if position != folded.position + 1 {
                return Err(StoreError::Damaged(format!("position {position} follows {}", folded.position)));
            }
            folded.take(row, &self.wanted)?;
        }
        self.position.send_replace(folded.position);
        Ok(())
    }

    fn decide(&self, ask: &Ask, command: &C::Command) -> Result<Decision<C::Refusal>, Failure<C::Refusal>> {
        let now = self.clock.now();
        let occurred_at = ask.occurred_at.unwrap_or(now);
        let (tenant, actor, request) = (ask.tenant.clone(), ask.actor.clone(), ask.request);
        let at = At { now, occurred_at, tenant, actor, request };
        let folded = self.read();
        let read = Read::new(&folded.state, &folded.versions, &ask.tenant);
        let decided = C::decide(command, &read, &at);
        let guards = read.into_guards();
        let blind = |stream: &&Stream| folded.undecidable.contains(&(ask.tenant.clone(), (*stream).clone()));
        if !folded.undecidable.is_empty()
            && let Some(stream) = guards.keys().find(blind)
        {
            return Err(Failure::Undecidable(stream.clone()));
        }
        let (events, refusal) = match decided {
            Ok(events) => (events, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let written = events.into_iter().map(|(stream, event)| NewEvent::of(C::NAME, stream, &event));
        let written = written.collect::<Result<_, _>>()?;
        Ok((ask.append(at, guards, written), refusal))
    }

    /// Carries a command out: what it wrote, now or when it was asked before, or nothing where its goal held.
    async fn execute(&self, ask: &Ask, command: &C::Command) -> Result<Committed, Failure<C::Refusal>> {
        if let Some(rows) = self.log.request(ask.request, &ask.content).await.map_err(Failure::Rejected)? {
            return Ok(Committed::Repeated(rows));
        }
        for _ in 0..=MAX_RETRIES {
            let (append, refusal) = self.decide(ask, command)?;
            match (self.log.append(append).await, refusal) {
                (Ok(Committed::Written(_)), Some(refusal)) => return Err(Failure::Refused(refusal)),
                // Refused or not: what another attempt of this request wrote meanwhile is its answer.
                (Ok(committed), _) => {
                    self.fold_own(&committed).await?;
                    return Ok(committed);
                }
                (Err(Rejected::Moved { .. }), _) => {
                    self.catch_up().await?;
                }
                (Err(other), _) => return Err(Failure::Rejected(other)),
            }
        }
        Err(Failure::Aborted)
    }

    /// Folds what was just written, if nobody else wrote before it; else the next catching up finds it.
    async fn fold_own(&self, committed: &Committed) -> Result<(), StoreError> {
        let Committed::Written(rows) = committed else { return Ok(()) };
        let _one_at_a_time = self.folding.lock().await;
        match rows.first() {
            Some(row) if row.position.unsigned_abs() == self.position() + 1 => self.fold(rows),
            _ => Ok(()),
        }
    }

    /// Reacts cause by cause up to what is folded; false if a reaction must be tried again later.
    async fn react(&self, cursor: &mut Cursor) -> Result<bool, StoreError> {
        loop {
            let (causes, through) = self.causes(cursor.position).await?;
            for cause in causes {
                for reaction in self.view(|state| C::react(state, &cause)) {
                    if !self.carry_out(&reaction).await? {
                        return Ok(false);
                    }
                }
                cursor.position = cause.position;
            }
            cursor.position = through;
            if through >= self.position() {
                return Ok(true);
            }
        }
    }

    /// What may have to be reacted to after this position, and up to where that is all: from memory, or from the log.
    async fn causes(&self, after: u64) -> Result<(Vec<Arc<Recorded>>, u64), StoreError> {
        if let Some(at_hand) = self.read().causes(after) {
            return Ok(at_hand);
        }
        let rows =
            self.log.read(&Select::All, Some(&self.wanted), i64::try_from(after).unwrap_or(i64::MAX), PAGE).await?;
        let through = rows.last().map_or(after, |row| row.position.unsigned_abs());
        self.reach(through).await?;
        let wanted = rows.iter().filter(|row| C::wants(&row.kind));
        Ok((wanted.map(|row| recorded(row).map(Arc::new)).collect::<Result<_, _>>()?, through))
    }

    /// Carries a reaction out, or parks it; false if it must be tried again later.
    async fn carry_out(&self, reaction: &Reaction<C::Command>) -> Result<bool, StoreError> {
        let claim = reaction.claim(C::NAME);
        match self.execute(&Ask::by_service(C::NAME, reaction), &reaction.command).await {
            Ok(_) => Ok(true),
            Err(Failure::Aborted | Failure::Undecidable(_)) => Ok(false),
            Err(Failure::Rejected(Rejected::Store(error))) => Err(error),
            Err(Failure::Rejected(other)) => self.park(reaction, claim, &other).await,
            Err(Failure::Refused(refusal)) => self.park(reaction, claim, &refusal).await,
        }
    }

    async fn park(
        &self,
        reaction: &Reaction<C::Command>,
        claim: Uuid,
        why: &(dyn std::error::Error + Sync),
    ) -> Result<bool, StoreError> {
        tracing::warn!(service = C::NAME, rule = reaction.rule, target = reaction.target, %why, "reaction parked");
        let event = HouseEvent::ReactionParked {
            claim,
            rule: reaction.rule.to_owned(),
            cause: reaction.cause.clone(),
            target: reaction.target.clone(),
            reason: why.to_string(),
        };
        self.note(event, Uuid::new_v5(&claim, b"parked")).await?;
        Ok(true)
    }

    /// Says how far the reactions have come: at most once in [`REACTED_EVERY_US`], and only if something else happened.
    async fn note_reacted(&self, cursor: &mut Cursor, now: Micros) -> Result<(), StoreError> {
        cursor.marked = cursor.marked.max(self.reacted());
        if cursor.position <= cursor.marked || now < cursor.marked_at.saturating_add(REACTED_EVERY_US) {
            return Ok(());
        }
        let position = cursor.position;
        let after = i64::try_from(cursor.marked).unwrap_or(i64::MAX);
        let since = self.log.read(&Select::All, Some(&[]), after, PAGE).await?;
        if since.iter().all(|row| row.kind == "ReactedThrough") {
            cursor.marked = position;
            return Ok(());
        }
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/reacted/{position}", C::NAME).as_bytes());
        self.note(HouseEvent::ReactedThrough { position }, request).await?;
        (cursor.marked, cursor.marked_at) = (position, now);
        Ok(())
    }

    /// Writes into the service's own stream.
    async fn note(&self, event: HouseEvent, request: Uuid) -> Result<(), StoreError> {
        let event = NewEvent::of(C::NAME, stream::service(C::NAME), &Event::House(event))?;
        let now = self.clock.now();
        let append = Append {
            tenant: Tenant::system(),
            actor: format!("service/{}", C::NAME),
            request,
            content: request.as_bytes().to_vec(),
            causation: None,
            trace: String::new(),
            now,
            occurred_at: now,
            guards: decider::Guards::new(),
            events: vec![event],
        };
        match self.log.append(append).await {
            Ok(_) => Ok(()),
            Err(Rejected::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Damaged(other.to_string())),
        }
    }
}
