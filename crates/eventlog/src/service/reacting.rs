//! How a service acts on what it has folded: it reacts to what happened, fires what is due, and notes how far it came. What
//! is of one ticket is done in order; what is of different ones beside each other, so that it shares commits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use decider::{Core, Micros, Reaction, Stream, Tenant};
use futures_util::future::join_all;
use ticket::house::HouseEvent;
use ticket::{Event, Recorded, stream};
use uuid::Uuid;

use super::{PAGE, Service};
use crate::append::{Append, NewEvent, Rejected};
use crate::ask::{Ask, Failure};
use crate::fold::recorded;
use crate::store::{Select, StoreError};

/// Causes reacted to at once.
const CAUSES_BATCH: usize = 64;
/// Deadlines fired between two looks at the head.
const DUE_BATCH: usize = 256;
/// Reactions carried out at once: what a tenant may have waiting for the log is more.
const AT_ONCE: usize = 1_024;
/// Business time between two `ReactedThrough`: what a restart reacts to again is at most this old, and claimed already.
const REACTED_EVERY_US: Micros = 60_000_000;

/// Rounds of reacting and firing in one step: how far it came is noted between steps.
const MAX_ROUNDS: usize = 16;

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// Nothing is left to do now.
    ToTheEnd,
    /// So much came meanwhile that there is more to do at once.
    Far,
    /// Something must be tried again later.
    ToAStop,
}

/// How far the reactions have come.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    position: u64,
    /// Position and business time of the last `ReactedThrough` of ours.
    marked: u64,
    marked_at: Micros,
}

impl<C: Core<Event = Event>> Service<C> {
    /// Reacts to everything new and fires everything due; says when the next thing falls due, and nothing if something
    /// must be tried again later.
    pub async fn step(&self) -> Result<Option<Micros>, StoreError> {
        let mut held = self.cursor.lock().await;
        let now = self.clock.now();
        let came = self.work(&mut held).await?;
        if let (Some(cursor), Came::ToTheEnd | Came::Far) = (held.as_mut(), came) {
            self.note_reacted(cursor, now).await?;
        }
        Ok(match came {
            Came::ToTheEnd => self.view(C::next_due),
            Came::Far => Some(now),
            Came::ToAStop => None,
        })
    }

    /// As [`Service::step`], without noting how far it came: for a replay, which makes many steps and is never resumed.
    pub async fn step_unmarked(&self) -> Result<Option<Micros>, StoreError> {
        self.work(&mut *self.cursor.lock().await).await?;
        Ok(self.view(C::next_due))
    }

    /// Reacts and fires until nothing is left to do now, or for some rounds.
    async fn work(&self, held: &mut Option<Cursor>) -> Result<Came, StoreError> {
        let mut tried = BTreeSet::new();
        for _ in 0..MAX_ROUNDS {
            let now = self.clock.now();
            let is_due = || self.view(C::next_due).is_some_and(|due| due <= now);
            // The head is read after the clock: what had happened by then is folded before anything fires.
            let at_head = is_due();
            if at_head {
                self.catch_up().await?;
            } else {
                self.keep_up().await?;
            }
            let cursor = held.get_or_insert_with(|| self.taken_up());
            if !self.react(cursor).await? {
                return Ok(Came::ToAStop);
            }
            if !at_head && is_due() {
                continue;
            }
            // What stays due though it was tried must not stand before what was not.
            let due = self.view(|state| C::due(state, now, DUE_BATCH + tried.len()));
            let fresh: Vec<_> = due.into_iter().filter(|reaction| tried.insert(reaction.claim(C::NAME))).collect();
            if fresh.is_empty() && cursor.position >= self.position() {
                return Ok(Came::ToTheEnd);
            }
            // What could not be done now stays due.
            self.carry_out_all(&fresh).await?;
        }
        Ok(Came::Far)
    }

    /// Carries all of these out, in order where they are of one target; false if some must be tried again later.
    async fn carry_out_all(&self, all: &[Reaction<C::Command>]) -> Result<bool, StoreError> {
        let mut done = true;
        for some in all.chunks(AT_ONCE) {
            let lanes = lanes(some.iter(), |reaction| (&reaction.tenant, reaction.target.split('/').next()));
            let carried_out = lanes.into_iter().map(async |of_target| {
                let mut done = true;
                for reaction in of_target {
                    done &= self.carry_out(reaction).await?;
                }
                Ok(done)
            });
            done &= all_done(join_all(carried_out).await)?;
        }
        Ok(done)
    }

    /// Where reactions start for one who takes them up: behind the last position known to be settled.
    fn taken_up(&self) -> Cursor {
        let reacted = self.read().reacted;
        Cursor { position: reacted, marked: reacted, marked_at: Micros::MIN }
    }

    /// Reacts up to what is folded now; false if a reaction must be tried again later. What comes
    /// meanwhile waits for the next round: else deadlines would wait for a lull.
    async fn react(&self, cursor: &mut Cursor) -> Result<bool, StoreError> {
        let end = self.position();
        loop {
            let folded = self.position();
            if self.undecidable() > 0 {
                return Ok(false);
            }
            let (causes, through) = self.causes(cursor.position, folded).await?;
            for causes in causes.chunks(CAUSES_BATCH) {
                if !self.react_to(causes).await? {
                    return Ok(false);
                }
                cursor.position = causes.last().map_or(cursor.position, |cause| cause.position);
            }
            cursor.position = through;
            self.came.fetch_max(through, Ordering::Relaxed);
            if through >= end {
                return Ok(true);
            }
        }
    }

    /// Reacts to each of these: in order where they are of one ticket, or of one stream that is of none.
    async fn react_to(&self, causes: &[Arc<Recorded>]) -> Result<bool, StoreError> {
        let lanes = lanes(causes.iter(), |cause| (&cause.tenant, about(cause)));
        let reacted = lanes.into_iter().map(async |of_ticket| {
            for cause in of_ticket {
                let reactions = self.view(|state| C::react(state, cause));
                if cause.correlation.is_none() {
                    // It may concern all tickets there are.
                    if !self.carry_out_all(&reactions).await? {
                        return Ok(false);
                    }
                    continue;
                }
                for reaction in reactions {
                    if !self.carry_out(&reaction).await? {
                        return Ok(false);
                    }
                }
            }
            Ok(true)
        });
        all_done(join_all(reacted).await)
    }

    /// What may have to be reacted to after this position, and up to where that is all: from memory, or from the log as
    /// far as it is folded.
    async fn causes(&self, after: u64, folded: u64) -> Result<(Vec<Arc<Recorded>>, u64), StoreError> {
        if let Some(at_hand) = self.read().causes(after) {
            return Ok(at_hand);
        }
        let position = i64::try_from(after).unwrap_or(i64::MAX);
        let mut rows = self.log.read(&Select::All, Some(&self.wanted), position, PAGE).await?;
        rows.retain(|row| row.position.unsigned_abs() <= folded);
        if rows.is_empty() && after < folded {
            return Err(StoreError::Damaged(format!("position {} was folded and is missing", after + 1)));
        }
        let through = rows.last().map_or(after, |row| row.position.unsigned_abs());
        let wanted = rows.iter().filter(|row| C::wants(&row.kind));
        Ok((wanted.map(|row| recorded(row).map(Arc::new)).collect::<Result<_, _>>()?, through))
    }

    /// Carries a reaction out, or parks it; false if it must be tried again later.
    async fn carry_out(&self, reaction: &Reaction<C::Command>) -> Result<bool, StoreError> {
        let now = self.clock.now();
        if !self.view(|state| C::alone(state, reaction, now)) {
            return self.decided(reaction).await.map(|written| written.is_some());
        }
        let _one_after_the_other = self.alone.lock().await;
        let Some(written) = self.decided(reaction).await? else { return Ok(false) };
        self.reach(written).await?;
        Ok(true)
    }

    /// The position up to which a reaction wrote, if anywhere; nothing if it must be tried again later.
    async fn decided(&self, reaction: &Reaction<C::Command>) -> Result<Option<u64>, StoreError> {
        let claim = reaction.claim(C::NAME);
        match self.execute(&Ask::by_service(C::NAME, reaction), &reaction.command).await {
            Ok(committed) => Ok(Some(committed.rows().last().map_or(0, |row| row.position.unsigned_abs()))),
            Err(Failure::Aborted | Failure::Undecidable(_) | Failure::Rejected(Rejected::Busy)) => Ok(None),
            Err(Failure::Rejected(Rejected::Store(error))) => Err(error),
            Err(Failure::Rejected(other)) => self.park(reaction, claim, &other).await.map(|()| Some(0)),
            Err(Failure::Refused(refusal)) => self.park(reaction, claim, &refusal).await.map(|()| Some(0)),
        }
    }

    async fn park(
        &self,
        reaction: &Reaction<C::Command>,
        claim: Uuid,
        why: &(dyn std::error::Error + Sync),
    ) -> Result<(), StoreError> {
        tracing::warn!(service = C::NAME, rule = reaction.rule, target = reaction.target, %why, "reaction parked");
        let event = HouseEvent::ReactionParked {
            claim,
            rule: reaction.rule.to_owned(),
            cause: reaction.cause.clone(),
            target: reaction.target.clone(),
            reason: why.to_string(),
        };
        self.note(event, Uuid::new_v5(&claim, b"parked")).await
    }

    /// Says how far the reactions have come: at most once in [`REACTED_EVERY_US`], and only if something else happened.
    async fn note_reacted(&self, cursor: &mut Cursor, now: Micros) -> Result<(), StoreError> {
        cursor.marked = cursor.marked.max(self.read().reacted);
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
            holds_until: None,
            guards: decider::Guards::new(),
            events: vec![event],
        };
        match self.log.append(append).await {
            Ok(_) => Ok(()),
            Err(Rejected::Store(error)) => Err(error),
            Err(Rejected::Busy) => Err(StoreError::Unavailable(Rejected::Busy.to_string())),
            Err(other) => Err(StoreError::Damaged(other.to_string())),
        }
    }
}

/// What a cause is of: its ticket, or its stream if it is of none.
fn about(cause: &Recorded) -> (Option<Uuid>, Option<&Stream>) {
    (cause.correlation, cause.correlation.is_none().then_some(&cause.stream))
}

fn all_done(lanes: Vec<Result<bool, StoreError>>) -> Result<bool, StoreError> {
    let lanes = lanes.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(lanes.into_iter().all(|done| done))
}

/// Those of one key together, each in its order; the keys in the order in which they first came.
fn lanes<T, K: Ord>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let (mut places, mut lanes) = (BTreeMap::new(), Vec::<Vec<T>>::new());
    for one in all {
        let place = *places.entry(key(&one)).or_insert(lanes.len());
        if place == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[place].push(one);
    }
    lanes
}
