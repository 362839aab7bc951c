//! Properties over random courses: repeating is nothing, lag and order of arrival change nothing that stays.

use std::collections::BTreeSet;

use decider::{Core, Tenant};
use proptest::prelude::*;
use serde_json::{Value, json};
use sla_monitor::clock::Phase;
use sla_monitor::command::{Command, SlaMonitor};
use sla_monitor::view;
use ticket::Event;
use ticket::intake::Status;
use ticket::sla::SlaEvent;
use ticket::stream;
use uuid::Uuid;

use crate::world::{TICKET, World, line, us};

const STATUSES: [Status; 5] = [Status::Open, Status::InProgress, Status::Waiting, Status::Resolved, Status::Closed];
const ACTIVITIES: [&str; 4] = ["Note", "Note/2", "Reply", "Cancelled"];
const PRIORITIES: [&str; 3] = ["low", "high", "none"];

/// Minutes after 09:00, status, activity, priority.
type Step = (i64, usize, usize, usize);

fn policy() -> Value {
    json!({"calendar": "always", "clocks": {
        "reply": {"target": "1h", "marks": [75], "stop": ["Reply"], "cancel": []},
        "work": {"target": {"low": "3h", "high": "1h"}, "marks": [25, 50], "run_while": ["open", "in_progress"]},
        "stage": {"target": "1h", "marks": [50], "start": "ticket.status == 'waiting'", "stop": "ticket.status != 'waiting'"},
        "silence": {"target": "1h", "reset": ["Reply", "Note/2"], "pause": "ticket.priority == 'high'"},
    }})
}

/// Times on a coarse grid, so that marks, pauses and facts often meet; called off seldom.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let activity = prop_oneof![8 => 0_usize..2, 2 => Just(2_usize), 1 => Just(3_usize)];
    let priority = prop_oneof![6 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    prop::collection::vec((0_i64..24, 0_usize..5, activity, priority), 1..9)
        .prop_map(|steps| steps.into_iter().map(|(at, s, a, p)| (at * 15, s, a, p)).collect())
}

fn tell(world: &mut World, step: &Step) {
    let (minutes, status, activity, priority) = *step;
    let at = us("09:00") + minutes * 60_000_000;
    let event = line(ACTIVITIES[activity], STATUSES[status], PRIORITIES[priority]);
    world.record(at, stream::ticket(TICKET), Event::Intake(event));
}

fn reassess(world: &mut World) -> usize {
    let now = world.now;
    world.ask(&Command::Reassess { ticket: TICKET }, now, Uuid::nil()).unwrap()
}

/// The clocks without what depends on the way there: the count of generations, and those that had to be called off
/// because a late fact showed that the ticket never had them.
fn clocks(world: &World) -> Vec<String> {
    let clocks = view::clocks(&world.state, &Tenant::new("acme"), TICKET).unwrap_or_default();
    let standing = clocks.iter().filter(|clock| clock.phase != Phase::Cancelled);
    standing.map(|c| format!("{} {:?} {} {}", c.name, c.phase, c.elapsed_us, c.budget_secs)).collect()
}

/// The breaches that stand.
fn breaches(world: &World) -> BTreeSet<String> {
    let clocks = view::clocks(&world.state, &Tenant::new("acme"), TICKET).unwrap_or_default();
    clocks.iter().filter(|clock| clock.breach.is_some()).map(|clock| clock.name.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Proves part of: X5
    #[test]
    fn every_command_repeated_is_silent(steps in steps()) {
        let mut world = World::with(&policy());
        for step in &steps {
            tell(&mut world, step);
            reassess(&mut world);
            prop_assert_eq!(reassess(&mut world), 0, "{:?}", world.said());
            while let Some(due) = SlaMonitor::due(&world.state, world.now, 1).pop() {
                prop_assert_eq!(world.carry_out(&due), 1);
                prop_assert_eq!(world.carry_out(&due), 0);
            }
            prop_assert_eq!(reassess(&mut world), 0, "firing moves no clock: {:?}", world.said());
        }
    }

    #[test]
    fn reassessing_at_every_fact_or_once_at_the_end_is_the_same(mut steps in steps()) {
        steps.sort_by_key(|step| step.0);
        let (mut often, mut once) = (World::with(&policy()), World::with(&policy()));
        for step in &steps {
            tell(&mut often, step);
            reassess(&mut often);
            often.fire();
            tell(&mut once, step);
        }
        reassess(&mut once);
        often.until("2024-03-08 09:00");
        once.until("2024-03-08 09:00");
        prop_assert_eq!(breaches(&often), breaches(&once));
        prop_assert_eq!(clocks(&often), clocks(&once));
    }

    /// Proves part of: L3
    #[test]
    fn facts_that_arrive_in_any_order_come_to_the_same(steps in steps(), seed in any::<u64>()) {
        // Of one instant the later known holds, so each instant comes once.
        let mut ordered = steps;
        ordered.sort_by_key(|step| step.0);
        ordered.dedup_by_key(|step| step.0);
        let mut shuffled: Vec<_> = ordered.iter().enumerate().collect();
        shuffled.sort_by_key(|(n, _)| Uuid::new_v5(&Uuid::from_u64_pair(seed, 0), &n.to_be_bytes()));
        let (mut straight, mut late) = (World::with(&policy()), World::with(&policy()));
        for step in &ordered {
            tell(&mut straight, step);
            straight.react();
            straight.fire();
        }
        for (_, step) in shuffled {
            tell(&mut late, step);
            late.react();
            late.fire();
        }
        straight.until("2024-03-08 09:00");
        late.until("2024-03-08 09:00");
        prop_assert_eq!(breaches(&straight), breaches(&late), "{:?}\n{:?}", straight.said(), late.said());
        prop_assert_eq!(clocks(&straight), clocks(&late));
    }

    #[test]
    fn a_mark_fires_once_unless_its_breach_was_taken_back(steps in steps()) {
        let mut world = World::with(&policy());
        for step in &steps {
            tell(&mut world, step);
            world.react();
            world.fire();
        }
        world.until("2024-03-08 09:00");
        let mut fired = BTreeSet::new();
        for entry in &world.log {
            // A clock that begins anew may be late in every round.
            match &entry.event {
                Event::Sla(SlaEvent::WarningRaised { clock, share_bp, .. }) if clock != "stage" => {
                    prop_assert!(fired.insert((clock.clone(), *share_bp, None)));
                }
                Event::Sla(SlaEvent::Breached { clock, began, .. }) => {
                    prop_assert!(fired.insert((clock.clone(), 10_000, *began)));
                }
                Event::Sla(SlaEvent::BreachRevoked { clock, began, .. }) => {
                    prop_assert!(fired.remove(&(clock.clone(), 10_000, *began)));
                }
                _ => {}
            }
        }
    }
}
