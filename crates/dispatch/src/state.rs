//! What dispatch has folded: each tenant's board, and what falls due next.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::dispatch::DispatchEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::board::Board;
use crate::work::{VisitState, visit_of};

/// All tenants.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    boards: BTreeMap<Tenant, Board>,
    /// What falls due, soonest first.
    pub(crate) ahead: BTreeSet<Due>,
    /// When each visit falls due: the key of its place in `ahead`.
    due_at: BTreeMap<(Tenant, Uuid), Micros>,
}

/// A visit that falls due once the business clock stands past `at`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) at: Micros,
    pub(crate) tenant: Tenant,
    pub(crate) ticket: Uuid,
    pub(crate) visit: Uuid,
}

impl State {
    /// One tenant's part, if it has any.
    pub fn board(&self, tenant: &Tenant) -> Option<&Board> {
        self.boards.get(tenant)
    }

    /// How many visits nobody has, every tenant's.
    pub fn unassigned(&self) -> usize {
        self.boards.values().map(|board| board.unassigned.len()).sum()
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, event: &Recorded) {
        self.boards.entry(event.tenant.clone()).or_default().evolve(event);
        if let (Event::Dispatch(dispatch), Some(ticket)) = (&event.event, event.correlation)
            && let Some(visit) = visit_of(dispatch)
        {
            self.renew(event, dispatch, (ticket, visit));
        }
    }

    /// Notes when a visit falls due now: its answer, a dispatcher's word, the next try, or setting out.
    fn renew(&mut self, event: &Recorded, moved: &DispatchEvent, (ticket, visit): (Uuid, Uuid)) {
        let key = (event.tenant.clone(), visit);
        if let Some(at) = self.due_at.remove(&key) {
            self.ahead.remove(&Due { at, tenant: event.tenant.clone(), ticket, visit });
        }
        let board = self.boards.get(&event.tenant);
        let Some((board, (_, found))) = board.and_then(|board| Some((board, board.visit(ticket, visit)?))) else {
            return;
        };
        let at = match (found.state, moved) {
            (VisitState::Planned | VisitState::Offered, _) => found.wait_until,
            (
                VisitState::Accepted,
                DispatchEvent::OfferAccepted { slot, .. } | DispatchEvent::WorkHandedOver { slot, .. },
            ) => {
                let grace_us = board.policy(&found.job.job_type.name).1.depart_grace_us;
                Some(slot.from.max(event.occurred_at).saturating_add(grace_us))
            }
            _ => None,
        };
        if let Some(at) = at {
            self.ahead.insert(Due { at, tenant: event.tenant.clone(), ticket, visit });
            self.due_at.insert(key, at);
        }
    }

    /// When a visit falls due.
    pub(crate) fn due_at(&self, tenant: &Tenant, visit: Uuid) -> Option<Micros> {
        self.due_at.get(&(tenant.clone(), visit)).copied()
    }
}
