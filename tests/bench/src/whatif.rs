//! What-if: another policy laid under the past of so many tickets, each with its clocks as the core itself ran them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use decider::{At, Core, Micros, Read, Recorded, Stream, Tenant, Versions};
use serde_json::{Value, json};
use sla_monitor::SlaMonitor;
use sla_monitor::command::Command;
use sla_monitor::state::State;
use sla_monitor::whatif::{Page, Plan};
use ticket::batch::Draft;
use ticket::house::HouseEvent;
use ticket::{Event, stream};
use tokio::time::Instant;
use uuid::Uuid;

use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::replay::made::{self, START_US};
use crate::target::Target;

const SECOND_US: Micros = 1_000_000;
/// Time between two tickets.
const STEP_US: Micros = 20 * SECOND_US;
/// Tickets on a page, as the API has them.
const PAGE: (usize, usize) = (20_000, 5_000);
/// A period in which everything lies.
const ALL: (Option<Micros>, Micros) = (None, Micros::MAX);

const ANOTHER: &str = "what-if, another policy";
const CONDITIONS: &str = "what-if, another policy of conditions";

/// One round of all.
pub(crate) fn round(tickets: u32, book: &mut Book) -> anyhow::Result<()> {
    let house = House::lived(tickets)?;
    for (what, laid) in [(ANOTHER, policy("1h")), (CONDITIONS, conditions())] {
        let began = Instant::now();
        let page = house.compared(laid)?;
        let each = began.elapsed().as_secs_f64() / f64::from(tickets);
        anyhow::ensure!(page.differences.len() * 3 > page.tickets, "{} differ", page.differences.len());
        book.note(Case::new(what, OURS), Measure::from([(Figure::Ns, each * 1e9), (Figure::PerSec, each.recip())]));
    }
    let same = house.compared(policy("4h"))?;
    anyhow::ensure!(same.differences.is_empty(), "what was in force differs");
    Ok(())
}

/// A million tickets within ten seconds.
pub(crate) fn targets() -> Vec<Target> {
    [ANOTHER, CONDITIONS].map(|what| Target::bound(10_000.0, (Case::new(what, OURS), Figure::Ns))).into()
}

/// What happens next: when, to which ticket, and what of its course.
type Ahead = BinaryHeap<Reverse<(Micros, u32, usize)>>;

/// A service's state, and what it takes to move it on.
struct House {
    state: State,
    versions: Versions,
    tenant: Tenant,
    position: u64,
    now: Micros,
}

impl House {
    /// Tickets that were taken, answered, put off, resolved and closed, one every few seconds.
    fn lived(tickets: u32) -> anyhow::Result<Self> {
        let (state, versions, tenant) = (State::default(), Versions::default(), Tenant::new("bench"));
        let mut house = Self { state, versions, tenant, position: 0, now: START_US };
        house.apply("Calendar", "desk", calendar());
        house.apply("SlaPolicy", "standard", policy("4h"));
        let mut ahead = Ahead::new();
        for n in 0..tickets {
            let at = START_US + Micros::from(n) * STEP_US;
            while ahead.peek().is_some_and(|Reverse((next, ..))| *next <= at) {
                if let Some(Reverse(next)) = ahead.pop() {
                    house.step(&mut ahead, next)?;
                }
            }
            house.step(&mut ahead, (at, n, 0))?;
        }
        while let Some(Reverse(next)) = ahead.pop() {
            house.step(&mut ahead, next)?;
        }
        Ok(house)
    }

    /// The next thing that happens to a ticket, after what falls due before it.
    fn step(&mut self, ahead: &mut Ahead, (at, n, step): (Micros, u32, usize)) -> anyhow::Result<()> {
        self.until(at)?;
        let id = Uuid::from_u128((u128::from(n) << 64) | 7);
        let story = made::course(id, at);
        let all = story.len();
        if let Some(event) = story.into_iter().nth(step) {
            self.happened(at, stream::ticket(id), Event::Intake(event))?;
        }
        if step + 1 < all {
            let pause = 600 + i64::from(n.wrapping_mul(2_654_435_761) >> 8) % 20_000;
            ahead.push(Reverse((at + pause * SECOND_US, n, step + 1)));
        }
        Ok(())
    }

    fn until(&mut self, at: Micros) -> anyhow::Result<()> {
        self.now = at;
        loop {
            let (due, before) = (SlaMonitor::due(&self.state, self.now, 64), self.position);
            if due.is_empty() {
                return Ok(());
            }
            for reaction in due {
                self.carry_out(&reaction.command, reaction.occurred_at)?;
            }
            anyhow::ensure!(self.position > before, "what is due does not fire");
        }
    }

    fn apply(&mut self, kind: &str, name: &str, spec: Value) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let stream = stream::config("sla-monitor", &kind, &name);
        self.record(self.now, stream, Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None }));
    }

    fn happened(&mut self, at: Micros, stream: Stream, event: Event) -> anyhow::Result<()> {
        let cause = self.record(at, stream, event);
        for reaction in SlaMonitor::react(&self.state, &cause) {
            self.carry_out(&reaction.command, reaction.occurred_at)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, command: &Command, occurred_at: Micros) -> anyhow::Result<()> {
        let (tenant, request) = (self.tenant.clone(), Uuid::nil());
        let at = At { now: self.now, occurred_at, tenant: tenant.clone(), actor: String::new(), request };
        let decided = SlaMonitor::decide(command, &Read::new(&self.state, &self.versions, &tenant), &at);
        for (stream, event) in decided? {
            self.record(occurred_at, stream, event);
        }
        Ok(())
    }

    fn record(&mut self, at: Micros, stream: Stream, event: Event) -> Recorded<Event> {
        self.position += 1;
        let recorded = Recorded {
            id: Uuid::nil(),
            tenant: self.tenant.clone(),
            correlation: stream::correlation(&stream),
            stream,
            version: 1,
            position: self.position,
            occurred_at: at,
            recorded_at: self.now.max(at),
            actor: String::new(),
            request: Uuid::nil(),
            causation: None,
            event,
        };
        SlaMonitor::evolve(&mut self.state, &recorded);
        recorded
    }

    /// Every page of what a policy would have come to.
    fn compared(&self, spec: Value) -> anyhow::Result<Page> {
        let draft = Draft { kind: "SlaPolicy".into(), name: "standard".into(), spec, reason: None };
        let plan = Plan::of(&self.state, &self.tenant, &[draft], ALL, self.now);
        let mut page = Page::default();
        loop {
            page.add(plan.page(&self.state, &self.tenant, page.next, PAGE));
            if page.next.is_none() {
                return Ok(page);
            }
        }
    }
}

fn calendar() -> Value {
    let day = ["08:00-12:30", "13:00-18:00"];
    json!({"zone": "Europe/Berlin", "weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}})
}

/// Four clocks.
fn policy(resolution: &str) -> Value {
    json!({"calendar": "desk", "rank": resolution.len(), "clocks": {
        "acceptance": {"target": "1h", "marks": [75], "stop": ["TakenInCharge", "Closed"]},
        "first_response": {"target": "2h", "marks": [75], "stop": ["PublicReply", "Closed"]},
        "contact": {"target": "4h", "reset": ["PublicReply", "CustomerReply"], "run_while": ["open", "in_progress"]},
        "resolution": {"target": resolution, "marks": [50, 75, 90], "run_while": ["open", "in_progress"]},
    }})
}

/// The same by conditions over typed facts.
fn conditions() -> Value {
    json!({"calendar": "desk", "clocks": {
        "acceptance": {"target": "1h", "marks": [75], "stop": "ticket.status != 'open'"},
        "first_response": {"target": "2h", "marks": [75], "stop": "event.touch == 'outbound' || ticket.status == 'closed'"},
        "contact": {"target": "4h", "reset": "event.touch != ''", "run_while": ["open", "in_progress"]},
        "resolution": {"target": "1h", "marks": [50, 75, 90],
            "pause": "ticket.status == 'waiting' && 'customer' in ticket.waiting_for",
            "run_while": ["open", "in_progress", "waiting"]},
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_tickets_are_compared() {
        let mut book = Book::default();
        round(200, &mut book).unwrap();
        assert_eq!(book.entries.len(), 2);
    }
}
