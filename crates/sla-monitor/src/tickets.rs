//! A tenant's tickets by id, each at a place that never changes: what falls due of it is known by that place.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::record::Ticket;

/// Tickets, in order of id. None is ever taken away.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tickets {
    places: BTreeMap<Uuid, u32>,
    all: Vec<(Uuid, Ticket)>,
}

impl Tickets {
    /// The ticket of this id.
    pub(crate) fn get(&self, id: &Uuid) -> Option<&Ticket> {
        self.at(self.place(id)?).map(|(_, ticket)| ticket)
    }

    /// The ticket of this id.
    pub(crate) fn get_mut(&mut self, id: &Uuid) -> Option<&mut Ticket> {
        let place = usize::try_from(self.place(id)?).ok()?;
        self.all.get_mut(place).map(|(_, ticket)| ticket)
    }

    /// Where a ticket is.
    pub(crate) fn place(&self, id: &Uuid) -> Option<u32> {
        self.places.get(id).copied()
    }

    /// The ticket at a place.
    pub(crate) fn at(&self, place: u32) -> Option<(Uuid, &Ticket)> {
        self.all.get(usize::try_from(place).ok()?).map(|(id, ticket)| (*id, ticket))
    }

    /// Adds a ticket that is not there yet.
    pub(crate) fn add(&mut self, id: Uuid, ticket: Ticket) {
        self.places.insert(id, u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push((id, ticket));
    }

    /// Every ticket, in order of id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Uuid, &Ticket)> {
        self.places.values().filter_map(|place| self.at(*place))
    }

    /// The position at which the first ticket became known of which this holds; it holds of all that became known later.
    pub(crate) fn first_born(&self, holds: impl Fn(&Ticket) -> bool) -> u64 {
        let place = self.all.partition_point(|(_, ticket)| !holds(ticket));
        self.all.get(place).map_or(u64::MAX, |(_, ticket)| ticket.born)
    }

    /// The tickets behind one, in order of id.
    pub(crate) fn after(&self, id: Option<Uuid>) -> impl Iterator<Item = (Uuid, &Ticket)> {
        let behind = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.places.range((behind, Bound::Unbounded)).filter_map(|(_, place)| self.at(*place))
    }

    /// Every ticket with its place, in the order in which they became known.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (u32, &Ticket)> {
        (0..).zip(self.all.iter().map(|(_, ticket)| ticket))
    }
}
