//! What dispatch has folded: each tenant's board, and what falls due next.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::board::Board;
use crate::work::visit_of;

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
            self.renew(&event.tenant, ticket, visit);
        }
    }

    /// Notes when a visit falls due now: its answer, a dispatcher's word, the next try, or setting out.
    fn renew(&mut self, tenant: &Tenant, ticket: Uuid, visit: Uuid) {
        let key = (tenant.clone(), visit);
        let due = |at| Due { at, tenant: tenant.clone(), ticket, visit };
        if let Some(at) = self.due_at.remove(&key) {
            self.ahead.remove(&due(at));
        }
        let found = self.boards.get(tenant).and_then(|board| board.visit(ticket, visit));
        if let Some(at) = found.and_then(|(_, visit)| visit.due_at()) {
            self.ahead.insert(due(at));
            self.due_at.insert(key, at);
        }
    }
}
