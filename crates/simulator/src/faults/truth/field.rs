//! Field work as the log has it: what each ticket needs, the visits it got, and engineers' time, which no two visits
//! share.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use ticket::Recorded;
use ticket::dispatch::{Chooser, Decision, DispatchEvent, Slot, StopReason};
use ticket::intake::{Accountable, IntakeEvent, WaitReason};
use uuid::Uuid;

use super::known::{Known, done};
use super::visits::{Stage, Visit, visit_of};
use super::{Truth, fitness};
use crate::faults::Invariant;
use crate::faults::config::FIELD_TYPE;
use crate::faults::law::Holds;

/// All field work.
#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) visits: BTreeMap<Uuid, Visit>,
    /// Time held, by engineer.
    held: BTreeMap<(Tenant, String), BTreeMap<Uuid, Slot>>,
    /// Tickets that need a visit and have none, with the position that says so.
    wanting: BTreeMap<Uuid, u64>,
    /// Tickets whose visit was completed and that stand where they stood, with the position of the completion.
    unresolved: BTreeMap<Uuid, u64>,
}

impl Field {
    /// Whether a visit of the ticket is still to come, or under way.
    pub(crate) fn open_visit(&self, ticket: Uuid) -> bool {
        self.visits.values().any(|visit| visit.ticket == ticket && visit.open())
    }

    /// What a ticket needs of the field after an event of intake's.
    pub(super) fn ticket_moved(&mut self, id: Uuid, known: &Known, position: u64, event: &IntakeEvent) {
        if done(&known.course.phase) {
            self.wanting.remove(&id);
            self.unresolved.remove(&id);
            return;
        }
        let wants = match event {
            IntakeEvent::Received { .. } | IntakeEvent::Reopened { .. } | IntakeEvent::ConfirmationRejected { .. } => {
                true
            }
            IntakeEvent::WaitEnded { reasons, remaining, .. } => {
                reasons.contains(&WaitReason::Parts) && remaining.is_empty()
            }
            _ => false,
        };
        if wants && known.ticket_type == FIELD_TYPE && !known.imported && !self.open_visit(id) {
            self.wanting.insert(id, position);
        }
    }

    /// Holds and frees an engineer's time.
    fn time(&mut self, event: &Recorded, dispatch: &DispatchEvent) -> Holds {
        let held = self.held.entry((event.tenant.clone(), event.stream.key().to_owned())).or_default();
        match dispatch {
            DispatchEvent::SlotHeld { visit, slot, .. } => {
                let clash = held.iter().find(|(_, other)| other.from < slot.to && slot.from < other.to);
                Invariant::Booking
                    .holds(clash.is_none() && slot.from <= slot.arrive && slot.arrive < slot.to, || {
                        format!("position {}: {} holds {slot:?}, and {clash:?}", event.position, event.stream)
                    })?;
                let before = held.insert(*visit, *slot);
                Invariant::Booking.holds(before.is_none(), || format!("position {}: held twice", event.position))
            }
            DispatchEvent::SlotReleased { visit, .. } => {
                let before = held.remove(visit);
                Invariant::Booking.holds(before.is_some(), || format!("position {}: was not held", event.position))
            }
            _ => Ok(()),
        }
    }

    /// Between two appends: time is held for exactly those visits that somebody was asked for or has.
    pub(crate) fn check_time(&self) -> Holds {
        let held = self.held.iter().flat_map(|((tenant, engineer), slots)| {
            slots.iter().map(move |(visit, slot)| (*visit, (tenant, engineer, *slot)))
        });
        let held: BTreeMap<_, _> = held.collect();
        let taking = self.visits.iter().filter(|(_, visit)| visit.holds_time());
        let taken: BTreeMap<_, _> = taking
            .filter_map(|(id, visit)| {
                let (engineer, slot) = visit.taken.as_ref()?;
                Some((*id, (&visit.tenant, engineer, *slot)))
            })
            .collect();
        let odd = held.iter().find(|(id, what)| taken.get(id) != Some(what));
        Invariant::Booking.holds(held == taken, || {
            let lacks = taken.iter().find(|(id, what)| held.get(id) != Some(what));
            format!("held without need: {odd:?}; taken without time: {lacks:?}")
        })
    }
}

impl Truth {
    pub(super) fn worked(&mut self, event: &Recorded, dispatch: &DispatchEvent) -> Holds {
        if event.stream.family() == "engineer" {
            self.duty.take(&event.tenant, event.stream.key(), dispatch);
            return self.field.time(event, dispatch);
        }
        let (Some(ticket), Some(visit)) = (event.correlation, visit_of(dispatch)) else { return Ok(()) };
        let Some(known) = self.tickets.get_mut(&ticket).filter(|known| known.tenant == event.tenant) else {
            return Err(Invariant::Tenants.broken(format!("position {}: {dispatch:?} of no ticket", event.position)));
        };
        known.learn(event);
        let binding = matches!(
            dispatch,
            DispatchEvent::Offered { .. } | DispatchEvent::OfferAccepted { .. } | DispatchEvent::Arrived { .. }
        );
        let course = &known.course;
        Invariant::Booking.holds(!binding || !course.phase.ended(), || {
            format!("position {}: {dispatch:?}, but the ticket has ended: {:?}", event.position, course.phase)
        })?;
        self.visited(event, (ticket, visit), dispatch)?;
        if let DispatchEvent::Offered { engineer, slot, decision, .. } = dispatch {
            return self.fits(event, visit, (engineer, slot), decision);
        }
        Ok(())
    }

    /// Moves a visit along.
    fn visited(&mut self, event: &Recorded, of: (Uuid, Uuid), dispatch: &DispatchEvent) -> Holds {
        let (ticket, id) = of;
        let done = self.tickets.get(&ticket).is_none_or(|known| done(&known.course.phase));
        let field = &mut self.field;
        if let DispatchEvent::VisitPlanned { number, job, .. } = dispatch {
            let before = field.visits.values().filter(|visit| visit.ticket == ticket).count();
            let counts_on = usize::try_from(*number).is_ok_and(|number| number == before + 1);
            Invariant::Booking.holds(counts_on && !field.open_visit(ticket), || {
                format!("position {}: visit {number} of {ticket}, which had {before}", event.position)
            })?;
            field.wanting.remove(&ticket);
            field.visits.insert(id, Visit::planned(&event.tenant, ticket, job));
            return Ok(());
        }
        let visit = field.visits.get_mut(&id).filter(|visit| visit.ticket == ticket);
        let Some(visit) = visit else {
            return Err(Invariant::Booking.broken(format!("position {}: visit {id} is unknown", event.position)));
        };
        let (stage, taken) = (visit.stage, visit.taken.clone());
        Invariant::Booking.holds(visit.take(dispatch, event.occurred_at).is_some(), || {
            format!("position {}: {dispatch:?} of a visit that is {stage:?} with {taken:?}", event.position)
        })?;
        match dispatch {
            DispatchEvent::VisitCompleted { .. } if !done => drop(field.unresolved.insert(ticket, event.position)),
            DispatchEvent::VisitStopped { why, .. } if *why != StopReason::Parts && !done => {
                field.wanting.insert(ticket, event.position);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whoever is asked, unless against the rules and with a reason, has what it takes and the time for it.
    fn fits(&self, event: &Recorded, visit: Uuid, offer: (&String, &Slot), decision: &Decision) -> Holds {
        let (engineer, slot) = offer;
        let broken =
            |what: String| Invariant::Booking.broken(format!("position {}: {engineer} {what}", event.position));
        if matches!(decision.chooser, Chooser::Override { .. }) {
            return Ok(());
        }
        let Some(visit) = self.field.visits.get(&visit) else { return Err(broken("was asked for nothing".into())) };
        let Some(spec) = self.roster.get(&(event.tenant.clone(), engineer.clone())) else {
            return Err(broken("is on no roster".into()));
        };
        if let Some(what) = fitness::misfit(engineer, spec, &visit.job, slot) {
            return Err(broken(format!("{what}: {spec} for {:?}", visit.job)));
        }
        if !self.duty.on(&event.tenant, engineer, slot.from) {
            return Err(broken(format!("is off duty at the beginning of {slot:?}")));
        }
        if self.duty.off_in(&event.tenant, engineer, slot) {
            return Err(broken(format!("has time off in {slot:?}")));
        }
        Ok(())
    }

    /// Once everybody has reacted: every visit goes on by itself, and tickets stand where field work brought them.
    pub(crate) fn check_field(&self, now: Micros) -> Holds {
        let wanting = self.field.wanting.first_key_value();
        Invariant::DispatchNoDrop.holds(wanting.is_none(), || format!("no visit was planned for {wanting:?}"))?;
        let unresolved = self.field.unresolved.first_key_value();
        Invariant::Lifecycle.holds(unresolved.is_none(), || {
            format!("the visit of {unresolved:?} was completed, and its ticket is not resolved")
        })?;
        for (id, visit) in self.field.visits.iter().filter(|(_, visit)| visit.open()) {
            let Some(known) = self.tickets.get(&visit.ticket) else { continue };
            let dropped = |what: &str| {
                let Visit { stage, ahead, .. } = visit;
                Invariant::DispatchNoDrop.broken(format!("visit {id} is {stage:?} {what}: {ahead:?}, and it is {now}"))
            };
            if done(&known.course.phase) {
                return Err(dropped("though its ticket needs it no more"));
            }
            if visit.stage <= Stage::Accepted && visit.ahead.is_none_or(|ahead| ahead < now) {
                return Err(dropped("and nobody looks at it again"));
            }
            expected(*id, visit, known)?;
        }
        Ok(())
    }
}

/// Intake has followed a visit: its ticket is whose visit it is, unless somebody changed that since.
fn expected(id: Uuid, visit: &Visit, known: &Known) -> Holds {
    let Some((engineer, _)) = visit.taken.as_ref().filter(|_| visit.stage >= Stage::Accepted) else { return Ok(()) };
    let scheduled = known.visited.as_ref().filter(|(scheduled, by, _)| *scheduled == id && by == engineer);
    let owes = known.course.next.as_ref().map(|next| &next.accountable);
    let followed = if visit.stage == Stage::Accepted {
        let by_engineer = owes == Some(&Accountable::Person(engineer.clone()));
        scheduled.is_some_and(|(.., position)| by_engineer || known.renewed > *position)
    } else {
        known.begun == Some(id)
    };
    Invariant::Lifecycle.holds(followed, || {
        let Visit { ticket, stage, .. } = visit;
        format!("visit {id} is {stage:?} with {engineer}, ticket {ticket} counts on {:?}: {owes:?}", known.visited)
    })
}
