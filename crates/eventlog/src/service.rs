//! The one loop in which every service runs: fold the log, decide what is asked, react to what others did, and do
//! what falls due. The simulator runs this same loop under a clock moved by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use decider::{At, Core, Read};
use ticket::Event;
use tokio::sync::{Mutex, watch};

use crate::append::{Append, Committed, NewEvent, Rejected};
pub use crate::ask::{Ask, Done, Failure};
use crate::clock::Clock;
pub use crate::fold::recorded;
use crate::fold::{self, Folded};
use crate::log::Log;
use crate::snapshot;
use crate::store::StoreError;

mod following;
mod reacting;

use following::Early;
use reacting::Cursor;

/// Rows read at once.
const PAGE: i64 = 1_000;
/// How often a decision is repeated over newer state before it is given up.
const MAX_RETRIES: u32 = 5;
/// Where the log is later than a decision by more machine time than this, it is decided again: what it promises may be past.
const HOLDS: Duration = Duration::from_secs(10);

/// What a decision asks of the log; a refusal asks only that its guards still hold.
type Decision<R> = (Append, Option<R>);

/// A core, run over a log.
pub struct Service<C: Core<Event = Event>> {
    log: Arc<Log>,
    clock: Clock,
    wanted: Vec<&'static str>,
    folded: RwLock<Folded<C>>,
    /// Held while something is folded.
    folding: Mutex<Early>,
    cursor: Mutex<Option<Cursor>>,
    /// Held while something is decided that depends on more than it guards.
    alone: Mutex<()>,
    /// How far this replica itself has reacted.
    came: AtomicU64,
    position: watch::Sender<u64>,
    /// Where the log ended when this service was opened.
    goal: u64,
    leads: watch::Sender<bool>,
}

impl<C: Core<Event = Event>> Service<C> {
    /// Opens the service and folds to the head.
    pub async fn start(log: Arc<Log>, clock: Clock) -> Result<Arc<Self>, StoreError> {
        let service = Self::open(log, clock).await?;
        service.catch_up().await?;
        Ok(service)
    }

    /// Opens the service as of its latest snapshot: what came after, the first catching up folds, which may take its
    /// time; until then the service is not [`Service::ready`].
    pub async fn open(log: Arc<Log>, clock: Clock) -> Result<Arc<Self>, StoreError> {
        let goal = log.head().await?.position.unsigned_abs();
        let folded: Folded<C> = snapshot::resume(&log).await?;
        Ok(Arc::new(Self {
            wanted: fold::wanted::<C>(),
            position: watch::Sender::new(folded.position),
            folded: RwLock::new(folded),
            folding: Mutex::default(),
            cursor: Mutex::new(None),
            alone: Mutex::new(()),
            came: AtomicU64::new(0),
            goal,
            leads: watch::Sender::new(false),
            log,
            clock,
        }))
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

    /// Looks at the state part by part until nothing is left to look at; what happens meanwhile is folded in between, and
    /// others have their turn.
    pub async fn view_by_parts(&self, mut look: impl FnMut(&C::State) -> bool) {
        while self.view(&mut look) {
            tokio::task::yield_now().await;
        }
    }

    /// The last position folded.
    pub fn position(&self) -> u64 {
        *self.position.borrow()
    }

    /// Where the log ended when this service was opened: who asks before it is folded gets old answers.
    pub fn goal(&self) -> u64 {
        self.goal
    }

    /// Whether everything is folded that the log held when this service was opened.
    pub fn ready(&self) -> bool {
        self.position() >= self.goal
    }

    /// How many streams hold events this program cannot read, at most 1,000, which stands for all streams: nothing is
    /// decided on them, and while there are any, this replica lays its lease down.
    pub fn undecidable(&self) -> usize {
        self.read().undecidable()
    }

    /// The last position up to which every cause is settled or parked, as far as this replica knows: the one that leads
    /// knows it at once, the others from what is noted in the log now and then.
    pub fn reacted(&self) -> u64 {
        self.read().reacted.max(self.came.load(Ordering::Relaxed))
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

    /// Decides a command and appends what comes of it; the same request again is answered the same again.
    pub async fn ask(&self, ask: &Ask, command: &C::Command) -> Result<Done, Failure<C::Refusal>> {
        let committed = self.execute(ask, command).await?;
        let written = matches!(&committed, Committed::Written(rows) if !rows.is_empty());
        let events = committed.rows().iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        let position = events.last().map_or_else(|| self.position(), |event| event.position);
        self.reach(position).await?;
        Ok(Done { events, written, position })
    }

    fn read(&self) -> RwLockReadGuard<'_, Folded<C>> {
        self.folded.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Folded<C>> {
        self.folded.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, ask: &Ask, command: &C::Command) -> Result<Decision<C::Refusal>, Failure<C::Refusal>> {
        let folded = self.read();
        // The log will record it no earlier than what it holds: another replica's clock may be ahead of this one's.
        let now = self.clock.now().max(folded.recorded_us);
        let occurred_at = ask.occurred_at.unwrap_or(now);
        let (tenant, actor, request) = (ask.tenant.clone(), ask.actor.clone(), ask.request);
        let mut at = At { now, occurred_at, tenant, actor, request };
        let read = Read::new(&folded.state, &folded.versions, &ask.tenant);
        let decided = C::decide(command, &read, &at);
        at.occurred_at = read.takes_effect(occurred_at);
        let guards = read.into_guards();
        if let Some(stream) = guards.keys().find(|stream| folded.blind(&ask.tenant, stream)) {
            return Err(Failure::Undecidable(stream.clone()));
        }
        let (events, refusal) = match decided {
            Ok(events) => (events, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let written = events.into_iter().map(|(stream, event)| NewEvent::of(C::NAME, stream, &event));
        let written = written.collect::<Result<_, _>>()?;
        let holds_until = self.clock.after(now, HOLDS);
        Ok((ask.append(at, holds_until, guards, written), refusal))
    }

    /// Carries a command out: what it wrote, now or when it was asked before, or nothing where its goal held.
    async fn execute(&self, ask: &Ask, command: &C::Command) -> Result<Committed, Failure<C::Refusal>> {
        for _ in 0..=MAX_RETRIES {
            let (append, refusal) = match self.decide(ask, command) {
                Ok(decided) => decided,
                // What is decided is checked against the request's id by the append; what is not, here.
                Err(failure) => return self.before(ask, failure).await,
            };
            match (self.log.append(append).await, refusal) {
                (Ok(Committed::Written(_)), Some(refusal)) => return Err(Failure::Refused(refusal)),
                // Refused or not: what another attempt of this request wrote meanwhile is its answer.
                (Ok(committed), _) => {
                    self.fold_own(&committed).await?;
                    return Ok(committed);
                }
                (Err(Rejected::Moved { stream, expected, .. }), _) => {
                    let moved = |folded: &Folded<C>| folded.versions.of(&ask.tenant, &stream) != expected;
                    self.catch_up_unless(moved).await?;
                }
                (Err(Rejected::Overtaken { recorded, .. }), _) => {
                    self.catch_up_unless(|folded| folded.recorded_us >= recorded).await?;
                }
                (Err(other), _) => return Err(Failure::Rejected(other)),
            }
        }
        Err(Failure::Aborted)
    }

    /// What this request wrote before, if it did; else why nothing is decided now.
    async fn before(&self, ask: &Ask, failure: Failure<C::Refusal>) -> Result<Committed, Failure<C::Refusal>> {
        let rows = self.log.request(ask.request, &ask.content).await.map_err(Failure::Rejected)?;
        rows.map(Committed::Repeated).ok_or(failure)
    }
}
