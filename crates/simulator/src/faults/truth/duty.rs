//! Who is on duty when, and whether whoever is called upon then reaches anybody.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use ticket::dispatch::{DispatchEvent, Slot};
use ticket::intake::Accountable;
use uuid::Uuid;

use super::known::Known;
use super::{HORIZON_US, Truth};
use crate::faults::Invariant;
use crate::faults::law::Broken;

/// Somebody of a tenant's, by token subject.
type Who = (Tenant, String);

/// What people said last of their duty, and the time off they booked.
#[derive(Debug, Default)]
pub(crate) struct Duty {
    said: BTreeMap<Who, Said>,
    time_off: BTreeMap<Who, BTreeMap<Micros, Micros>>,
}

#[derive(Clone, Copy, Debug)]
enum Said {
    On { until: Option<Micros> },
    Off { back_at: Option<Micros> },
}

impl Duty {
    /// Takes in what somebody said.
    pub(super) fn take(&mut self, tenant: &Tenant, subject: &str, event: &DispatchEvent) {
        let who = (tenant.clone(), subject.to_owned());
        match event {
            DispatchEvent::DutyStarted { until } => drop(self.said.insert(who, Said::On { until: *until })),
            DispatchEvent::DutyEnded { back_at, .. } => drop(self.said.insert(who, Said::Off { back_at: *back_at })),
            DispatchEvent::TimeOffBooked { from, to } => {
                self.time_off.entry(who).or_default().insert(*from, *to);
            }
            DispatchEvent::TimeOffCancelled { from } => {
                self.time_off.entry(who).or_default().remove(from);
            }
            _ => {}
        }
    }

    /// Whether somebody is on duty at an instant: they are, unless they said otherwise.
    pub(super) fn on(&self, tenant: &Tenant, subject: &str, at: Micros) -> bool {
        match self.said.get(&(tenant.clone(), subject.to_owned())) {
            None => true,
            Some(Said::On { until }) => until.is_none_or(|until| at < until),
            Some(Said::Off { back_at }) => back_at.is_some_and(|back_at| back_at <= at),
        }
    }

    /// Who of a tenant's people said that they are off duty, and is still.
    pub(crate) fn off(&self, tenant: &Tenant, now: Micros) -> Vec<String> {
        let of_tenant = self.said.keys().filter(|(of, _)| of == tenant);
        of_tenant.filter(|(_, subject)| !self.on(tenant, subject, now)).map(|(_, subject)| subject.clone()).collect()
    }

    /// The time off a tenant's people have booked: who, and from when on.
    pub(crate) fn booked(&self, tenant: &Tenant) -> Vec<(String, Micros)> {
        let of_tenant = self.time_off.iter().filter(|((of, _), _)| of == tenant);
        of_tenant.flat_map(|((_, who), booked)| booked.keys().map(|from| (who.clone(), *from))).collect()
    }

    /// Whether a slot lies in time that somebody took off.
    pub(super) fn off_in(&self, tenant: &Tenant, subject: &str, slot: &Slot) -> bool {
        let booked = self.time_off.get(&(tenant.clone(), subject.to_owned()));
        booked.into_iter().flatten().any(|(from, to)| *from < slot.to && slot.from < *to)
    }
}

impl Truth {
    /// Once everybody has reacted: nobody is forgotten. Gives the tickets whose next call would find nobody on duty,
    /// which is for people to mend, and for sla-monitor to name.
    pub(crate) fn check_no_drop(&self, now: Micros) -> Result<Vec<Uuid>, Broken> {
        let mut unheard = Vec::new();
        for (id, known) in self.tickets.iter().filter(|(_, known)| known.in_care()) {
            let hole = |what: String| Invariant::NoDrop.broken(format!("ticket {id}: {what}"));
            let Some((next, due_at)) = known.course.next.as_ref().zip(known.due_at()) else {
                return Err(hole("nobody is accountable".into()));
            };
            if due_at < now {
                return Err(hole(format!("missed at {due_at}, nobody was woken by {now}")));
            }
            if due_at > now.saturating_add(HORIZON_US) {
                return Err(hole(format!("nobody looks before {due_at}, and it is {now}")));
            }
            if !self.heard(known, &next.accountable, due_at) {
                unheard.push(*id);
            }
        }
        Ok(unheard)
    }

    /// Whether somebody hears the next call: the queue that owes the step, or in which a person's ticket lies, or one
    /// that steps in for it has a member on duty then; or that person is.
    fn heard(&self, known: &Known, owes: &Accountable, at: Micros) -> bool {
        let mut name = match owes {
            Accountable::Person(subject) if self.duty.on(&known.tenant, subject, at) => return true,
            Accountable::Person(_) => &known.queue,
            Accountable::Queue(name) => name,
        };
        for _ in 0..=self.queues.len() {
            let Some((members, fallback)) = self.queues.get(&(known.tenant.clone(), name.clone())) else {
                return false;
            };
            if members.iter().any(|member| self.duty.on(&known.tenant, member, at)) {
                return true;
            }
            let Some(next) = fallback else { return false };
            name = next;
        }
        false
    }
}
