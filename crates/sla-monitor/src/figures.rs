//! Figures over clocks: how many were met, what documents would do to them, and how long they stood still though the
//! customer had replied. Each looks at every ticket once and writes nothing.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::{Micros, Tenant};
use ticket::batch::Draft;
use ticket::sla::SlaEvent;

use crate::clock::Phase;
use crate::lens::{Lens, Trial};
use crate::policy::{BREACH_BP, ClockSpec};
use crate::record::Ticket;
use crate::scene::Situation;
use crate::state::{Desk, State};

/// Every ticket's clock of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many run or stand still.
    pub going: i64,
    /// Of those, how many are late.
    pub going_late: i64,
    /// How many ended in time.
    pub met: i64,
    /// How many ended late.
    pub missed: i64,
    /// How many no longer apply.
    pub cancelled: i64,
    /// Working microseconds they stood still though the customer had spoken last.
    pub paused_though_replied_us: i64,
}

impl Count {
    /// The share completed in time of all that ended or are late, basis points; nothing if none is.
    pub fn completion_bp(&self) -> Option<i64> {
        let due = self.met + self.missed + self.going_late;
        (self.met * 10_000).checked_div(due)
    }
}

/// The clocks of a tenant's tickets that began within `[start, end)`, by name.
pub fn report(state: &State, tenant: &Tenant, start: Option<Micros>, end: Option<Micros>) -> BTreeMap<String, Count> {
    let mut counts = BTreeMap::<String, Count>::new();
    let Some(desk) = state.desk(tenant) else { return counts };
    let within = |at: Micros| start.is_none_or(|start| at >= start) && end.is_none_or(|end| at < end);
    for (_, ticket) in desk.tickets.iter() {
        if !ticket.facts.first().is_some_and(|first| within(first.at())) {
            continue;
        }
        for dial in ticket.clocks() {
            let count = counts.entry(desk.names.text(dial.name).to_owned()).or_default();
            let late = dial.reached(BREACH_BP).is_some();
            match dial.phase {
                Phase::Running | Phase::Paused => {
                    count.going += 1;
                    count.going_late += i64::from(late);
                }
                Phase::Stopped { met: true } => count.met += 1,
                Phase::Stopped { met: false } => count.missed += 1,
                Phase::Cancelled => count.cancelled += 1,
            }
            count.paused_though_replied_us += paused_though_replied_us(desk, ticket, desk.names.text(dial.name));
        }
    }
    counts
}

/// Working microseconds in which a ticket's clock of this name stood still though the customer had spoken last, up to the
/// last fact.
pub(crate) fn paused_though_replied_us(desk: &Desk, ticket: &Ticket, clock: &str) -> i64 {
    // Who never spoke cannot be kept waiting.
    let spoke = |scene: u32| {
        let scene = usize::try_from(scene).ok().and_then(|scene| desk.scenes.values().get(scene));
        scene.is_some_and(|scene| scene.touch == Some(ticket::fact::Touch::Inbound))
    };
    if !ticket.facts.iter().any(|fact| spoke(fact.scene)) {
        return 0;
    }
    let Some(in_force) = desk.in_force(ticket) else { return 0 };
    let spec = in_force.policy.clocks.iter().find(|spec| spec.name == clock);
    spec.map_or(0, |spec| audited_us(desk, ticket, spec, &in_force.calendar))
}

fn audited_us(desk: &Desk, ticket: &Ticket, spec: &ClockSpec, calendar: &Calendar) -> i64 {
    let (mut now, mut total_us) = (Situation::new(desk.about(ticket)), 0);
    let mut wronged: Option<Micros> = None;
    for fact in desk.seen(ticket) {
        total_us += wronged.map_or(0, |since| calendar.worked(since, fact.at));
        now.learn(&fact);
        let over = spec.stop.holds(&now) || spec.cancel.holds(&now) || !now.open();
        wronged = (!over && now.unanswered() && !spec.runs(&now)).then_some(fact.at);
    }
    total_us
}

/// What documents would do to the clocks of open tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reattachment {
    /// Tickets touched.
    pub tickets: i64,
    /// Clocks that would be made anew, with their past.
    pub clocks: i64,
    /// Of those, how many would be late at once and are not by now.
    pub breaches: i64,
    /// Clocks that would no longer apply.
    pub cancelled: i64,
    /// Breaches that would be taken back.
    pub revoked: i64,
}

/// What these drafts would do now, were they in force: the very comparison that is made once they are.
pub fn reattachment(state: &State, tenant: &Tenant, drafts: &[Draft], now: Micros) -> Reattachment {
    let mut effect = Reattachment::default();
    let Some(desk) = state.desk(tenant) else { return effect };
    let trial = Trial::of(desk, drafts, (u64::MAX, Micros::MAX));
    let lens = Lens { trial: Some(&trial), ..Lens::NOW };
    for (_, ticket) in desk.tickets.iter().filter(|(_, ticket)| desk.open(ticket)) {
        let before = desk.drift(ticket, now, now);
        let events = desk.drift_with(ticket, (now, now), lens);
        if events == before {
            continue;
        }
        effect.tickets += 1;
        for event in &events {
            match event {
                SlaEvent::ClockStarted { marks, .. } => {
                    effect.clocks += 1;
                    let late = marks.iter().any(|mark| mark.share_bp == BREACH_BP && mark.at < now);
                    effect.breaches += i64::from(late);
                }
                SlaEvent::ClockCancelled { .. } => effect.cancelled += 1,
                SlaEvent::BreachRevoked { .. } => effect.revoked += 1,
                _ => {}
            }
        }
    }
    effect
}
