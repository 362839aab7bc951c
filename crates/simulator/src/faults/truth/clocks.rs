//! What the log says of clocks: each mark fired once, in its time, and as the facts have it.

use decider::Micros;
use ticket::Recorded;
use ticket::sla::SlaEvent;

use super::Truth;
use super::known::Known;
use crate::faults::Invariant;
use crate::faults::law::{Broken, Holds};

const BREACH_BP: u32 = 10_000;
/// Clocks every policy of the simulation gives.
const CLOCKS: usize = 3;

impl Truth {
    pub(super) fn clock(&mut self, event: &Recorded, sla: &SlaEvent) -> Holds {
        let Some(known) = event.correlation.and_then(|id| self.tickets.get_mut(&id)) else {
            return Err(Invariant::Clocks.broken(format!("position {} is of no ticket", event.position)));
        };
        if let SlaEvent::AttentionMissed { step, due_at, owed, next_at, .. } = sla {
            return known.missed(event, (*step, *due_at, *next_at), owed);
        }
        match sla {
            SlaEvent::ClockStarted { clock, terms, .. } => known.clock(clock).terms = Some(terms.clone()),
            SlaEvent::BreachRevoked { clock, at, .. } => {
                let standing = known.clock(clock).breach.take();
                return Invariant::Clocks
                    .holds(standing == Some(*at), || format!("a breach of {standing:?} revoked as of {at}"));
            }
            SlaEvent::WarningRaised { clock, generation, share_bp, at } => {
                return self.fired(event, clock, (*generation, *share_bp, *at));
            }
            SlaEvent::Breached { clock, generation, at, .. } => {
                known.clock(clock).breach = Some(*at);
                return self.fired(event, clock, (*generation, BREACH_BP, *at));
            }
            _ => {}
        }
        Ok(())
    }

    fn fired(&mut self, event: &Recorded, clock: &str, mark: (u32, u32, Micros)) -> Holds {
        let (generation, share_bp, at) = mark;
        let named = || format!("position {}: {clock}/{generation}/{share_bp} at {at}", event.position);
        Invariant::Clocks.holds(at < event.recorded_at && event.occurred_at == at, || {
            format!("{} fired before its instant, at {}", named(), event.recorded_at)
        })?;
        let Some(known) = event.correlation.and_then(|id| self.tickets.get(&id)) else { return Ok(()) };
        let passed = self.passed(known, clock, event.recorded_at)?;
        Invariant::Clocks.holds(passed.contains(&(share_bp, at)), || {
            format!("{} fired, but by the facts there are only {passed:?}; {:?}", named(), known.facts)
        })?;
        let Some(known) = event.correlation.and_then(|id| self.tickets.get_mut(&id)) else { return Ok(()) };
        let record = known.clock(clock);
        record.shares.insert(share_bp);
        Invariant::Clocks.holds(record.fired.insert((generation, share_bp)), || format!("{} fired twice", named()))
    }

    /// The marks of a ticket's clock passed before `now`, by the terms on record.
    fn passed(&self, known: &Known, clock: &str, now: Micros) -> Result<Vec<(u32, Micros)>, Broken> {
        let found = known.clocks.get(clock).and_then(|record| record.terms.as_ref()).and_then(|terms| {
            let key = |pinned: &ticket::sla::Pinned| (known.tenant.clone(), pinned.name.clone(), pinned.version);
            Some((self.policies.get(&key(&terms.policy))?.get(clock)?, self.calendars.get(&key(&terms.calendar))?))
        });
        let (rule, calendar) = found.ok_or_else(|| Invariant::Clocks.broken(format!("{clock} has no known terms")))?;
        Ok(rule.passed(calendar, &known.facts, now))
    }

    /// Once everybody has reacted: every mark the facts bear out has fired, and no breach stands that they do not.
    pub(crate) fn check_clocks(&self, now: Micros) -> Holds {
        for (id, known) in &self.tickets {
            Invariant::Clocks.holds(known.clocks.len() == CLOCKS, || format!("ticket {id} has no clocks"))?;
            for (clock, record) in &known.clocks {
                let passed = self.passed(known, clock, now)?;
                let breached = passed.iter().any(|(share_bp, _)| *share_bp == BREACH_BP);
                Invariant::Clocks.holds(record.breach.is_some() == breached, || {
                    format!("{clock} of {id}: a breach of {:?} stands, by the facts {passed:?}", record.breach)
                })?;
                let unfired = passed.iter().find(|(share_bp, _)| !record.shares.contains(share_bp));
                Invariant::Clocks.holds(unfired.is_none(), || format!("{clock} of {id}: {unfired:?} did not fire"))?;
            }
        }
        Ok(())
    }
}
