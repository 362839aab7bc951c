//! Other documents laid under a past: what is told of them is what a world that had them from the start records.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use proptest::prelude::*;
use serde_json::{Value, json};
use sla_monitor::command::{Command, Refusal};
use sla_monitor::shadow::{Shadow, shadow};
use sla_monitor::whatif::{Difference, Page, Period, Plan};
use ticket::batch::Draft;
use ticket::intake::{Accountable, Status};
use ticket::sla::SlaEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::{World, always, line, office, us};

const STATUSES: [Status; 5] = [Status::Open, Status::InProgress, Status::Waiting, Status::Resolved, Status::Closed];
const ACTIVITIES: [&str; 4] = ["Note", "Note/2", "Reply", "Cancelled"];
const PRIORITIES: [&str; 3] = ["low", "high", "none"];
const END: &str = "2024-03-08 09:00";
const ALL: Period = (None, Micros::MAX);

fn tenant() -> Tenant {
    Tenant::new("acme")
}

fn policy() -> Value {
    json!({"calendar": "always", "clocks": {
        "reply": {"target": "1h", "marks": [75], "stop": ["Reply"], "cancel": []},
        "work": {"target": {"low": "3h", "high": "1h"}, "marks": [25, 50], "run_while": ["open", "in_progress"]},
        "stage": {"target": "1h", "marks": [50], "start": "ticket.status == 'waiting'", "stop": "ticket.status != 'waiting'"},
        "silence": {"target": "1h", "marks": [50], "reset": ["Reply", "Note/2"], "pause": "ticket.priority == 'high'"},
    }})
}

/// Other targets, marks and conditions, one clock less and one more.
fn other() -> Value {
    json!({"calendar": "always", "clocks": {
        "reply": {"target": "40m", "marks": [25], "stop": ["Reply", "Note/2"], "cancel": ["Cancelled"]},
        "work": {"target": {"low": "2h", "none": "30m"}, "marks": [50], "run_while": ["open", "waiting"]},
        "silence": {"target": "50m", "reset": ["Reply"]},
        "rest": {"target": "2 working days", "marks": [10], "start": ["Note"], "once": true},
    }})
}

/// Of another rank, so that it is another document, and yet the same clocks.
fn with(mut policy: Value, field: &str, value: Value) -> Value {
    policy[field] = value;
    policy
}

/// Minutes after 09:00, status, activity, priority.
type Step = (i64, usize, usize, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let activity = prop_oneof![8 => 0_usize..2, 2 => Just(2_usize), 1 => Just(3_usize)];
    let priority = prop_oneof![6 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    // Apart by primes of minutes, so that no two things happen at one instant.
    let step = (0_i64..24, 0_usize..5, activity, priority);
    prop::collection::vec(step, 1..9).prop_map(|steps| {
        let apart =
            |(n, (at, s, a, p)): (usize, (i64, usize, usize, usize))| (at * 13 + i64::try_from(n).unwrap(), s, a, p);
        steps.into_iter().enumerate().map(apart).collect()
    })
}

fn tell(world: &mut World, step: &Step) {
    let (minutes, status, activity, priority) = *step;
    let at = us("09:00") + minutes * 60_000_000;
    if at > world.now {
        world.now = at;
        world.fire();
    }
    let event = line(ACTIVITIES[activity], STATUSES[status], PRIORITIES[priority]);
    world.record(at, stream::ticket(crate::world::TICKET), Event::Intake(event));
    world.react();
    world.fire();
}

/// A world in which this happened, in this order, and in which something else may have before the nth.
fn lived(policy: &Value, steps: &[Step], then: impl Fn(&mut World, usize)) -> World {
    let mut world = World::default();
    world.now = us("08:00");
    world.apply("Calendar", "always", &always());
    world.apply("Calendar", "office", &office("UTC"));
    world.apply("SlaPolicy", "standard", policy);
    for (n, step) in steps.iter().enumerate() {
        then(&mut world, n);
        tell(&mut world, step);
    }
    world.until(END);
    world
}

/// What was raised and stands, with how often, by the events alone.
type Raised = BTreeMap<(String, u32, Micros), i64>;

fn recorded(world: &World) -> Raised {
    let mut raised = Raised::new();
    for entry in &world.log {
        let Event::Sla(event) = &entry.event else { continue };
        let (key, by) = match event {
            SlaEvent::WarningRaised { clock, share_bp, at, .. } => ((clock.clone(), *share_bp, *at), 1),
            SlaEvent::Breached { clock, at, .. } => ((clock.clone(), 10_000, *at), 1),
            SlaEvent::BreachRevoked { clock, at, .. } => ((clock.clone(), 10_000, *at), -1),
            _ => continue,
        };
        *raised.entry(key).or_default() += by;
    }
    raised.retain(|_, count| *count != 0);
    raised
}

fn compared(world: &World, drafts: &[Draft], period: Period) -> Page {
    let plan = Plan::of(&world.state, &tenant(), drafts, period, us(END));
    plan.page(&world.state, &tenant(), None, (100, 100))
}

/// What would have been raised: what was, with the differences applied to it.
fn would_be(world: &World, page: &Page) -> Raised {
    let mut raised = recorded(world);
    for change in page.differences.iter().flat_map(|one| &one.changes) {
        for (at, by) in [(change.was, -1), (change.would_be, 1)] {
            let key = |at| (change.clock.clone(), change.share_bp, at);
            let Some(at) = at else { continue };
            *raised.entry(key(at)).or_default() += by;
        }
    }
    raised.retain(|_, count| *count != 0);
    raised
}

fn draft(kind: &str, name: &str, spec: &Value) -> Draft {
    Draft { kind: kind.into(), name: name.into(), spec: spec.clone(), reason: None }
}

fn standard(spec: &Value) -> [Draft; 1] {
    [draft("SlaPolicy", "standard", spec)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever came late, a policy that says the same in other words, or no other one, gives no difference.
    ///
    /// Proves part of: L9
    #[test]
    fn what_was_in_force_gives_no_difference(steps in steps(), change in 0_usize..9) {
        let taken_over = |world: &mut World, n: usize| {
            if n == change {
                world.now += 30_000_000;
                world.fire();
                let retroactive = with(other(), "retroactive", json!(true));
                world.apply("SlaPolicy", "standard", &retroactive);
            }
        };
        for world in [lived(&policy(), &steps, |_, _| {}), lived(&policy(), &steps, taken_over)] {
            prop_assert_eq!(compared(&world, &[], ALL).differences, [], "{:?}", recorded(&world));
        }
        let world = lived(&policy(), &steps, |_, _| {});
        for same in [policy(), with(policy(), "rank", json!(7))] {
            let page = compared(&world, &standard(&same), ALL);
            prop_assert_eq!(&page.differences, &[]);
            let sums = |of: fn(&sla_monitor::whatif::Sum) -> i64| page.sums.values().map(of).sum::<i64>();
            let raised: i64 = recorded(&world).values().sum();
            prop_assert_eq!(sums(|sum| sum.warnings_were + sum.breaches_were), raised);
            prop_assert_eq!(sums(|sum| sum.warnings_would_be + sum.breaches_would_be), raised);
        }
    }

    /// Proves part of: L9
    #[test]
    fn another_policy_is_told_as_a_world_that_had_it_records(steps in steps()) {
        let world = lived(&policy(), &steps, |_, _| {});
        let had = lived(&other(), &steps, |_, _| {});
        let page = compared(&world, &standard(&other()), ALL);
        prop_assert_eq!(would_be(&world, &page), recorded(&had));
    }

    /// Both at once; the same clocks by other hours for some priorities alone, as the ticket stands.
    #[test]
    fn a_calendar_and_a_condition_are_told_likewise(steps in steps()) {
        let when = json!({"when": "ticket.priority == 'high' || ticket.status == 'waiting'"});
        let second = with(with(other(), "match", when), "calendar", json!("office"));
        let short = json!({"zone": "UTC", "weekly": {"mon": ["09:30-10:15", "11:00-13:00"], "tue": ["10:00-11:00"]}});
        let applied = |world: &mut World, n: usize| {
            if n == 0 {
                world.apply("Calendar", "office", &short);
                world.apply("SlaPolicy", "second", &second);
            }
        };
        let world = lived(&policy(), &steps, |_, _| {});
        let had = lived(&policy(), &steps, applied);
        let drafts = [draft("SlaPolicy", "second", &second), draft("Calendar", "office", &short)];
        prop_assert_eq!(would_be(&world, &compared(&world, &drafts, ALL)), recorded(&had));
        prop_assert_eq!(compared(&had, &[], ALL).differences, []);
    }

    /// Proves part of: L9
    #[test]
    fn a_policy_that_takes_over_is_told_as_if_applied_when_the_period_begins(steps in steps(), at in 1_usize..8) {
        prop_assume!(steps.len() > 1);
        let at = at.min(steps.len() - 1);
        let taking = with(other(), "retroactive", json!(true));
        let late = us("09:00") + (0..at).map(|n| steps[n].0).max().unwrap_or(0) * 60_000_000 + 30_000_000;
        let pause = |world: &mut World, n: usize| {
            if n == at {
                world.now = late;
                world.fire();
            }
        };
        let applied = |world: &mut World, n: usize| {
            pause(world, n);
            if n == at {
                world.apply("SlaPolicy", "standard", &taking);
                world.fire();
            }
        };
        let world = lived(&policy(), &steps, pause);
        let had = lived(&policy(), &steps, applied);
        let page = compared(&world, &standard(&taking), (Some(late), Micros::MAX));
        let since = |raised: Raised| raised.into_iter().filter(|((.., at), _)| *at >= late).collect::<Raised>();
        prop_assert_eq!(since(would_be(&world, &page)), since(recorded(&had)));
    }
}

fn desk(policy: &Value) -> World {
    let mut world = World::default();
    world.now = us("08:00");
    world.apply("Queue", "desk", &json!({"members": ["ann"]}));
    world.apply("Calendar", "always", &always());
    let escalation = json!({"steps": [{"person": "sue", "acknowledge_within": "15m"}], "acknowledged_for": "1h", "fallback": "desk"});
    world.apply("Escalation", "standard", &escalation);
    world.apply("SlaPolicy", "standard", policy);
    world.on("09:00", received(next(queue("desk"), "20:00")));
    world
}

fn minutes(minutes: i64) -> Value {
    json!({"calendar": "always", "escalation": "standard", "clocks": {
        "reply": {"target": format!("{minutes}m"), "marks": [50], "stop": ["PublicReply"]},
    }})
}

/// Clock, share, when it was and would be, for whom.
fn told(differences: &[Difference]) -> Vec<String> {
    let clock = |at: Option<Micros>| at.map_or("-".to_owned(), |at| ((at - us("00:00")) / 60_000_000).to_string());
    let whom = |party: &Accountable| match party {
        Accountable::Person(name) => name.clone(),
        Accountable::Queue(name) => format!("queue {name}"),
    };
    let changes = differences.iter().flat_map(|one| &one.changes);
    changes
        .map(|one| {
            let wakes: Vec<_> = one.wakes.iter().map(whom).collect();
            format!("{} {} {} -> {}: {}", one.clock, one.share_bp, clock(one.was), clock(one.would_be), wakes.join(" "))
        })
        .collect()
}

/// Proves part of: L9
#[test]
fn a_difference_says_what_when_and_for_whom() {
    let mut world = desk(&minutes(60));
    world.until("12:00");
    let plan = |drafts: &[Draft], period: Period, now: &str| Plan::of(&world.state, &tenant(), drafts, period, us(now));
    let page = |plan: &Plan| plan.page(&world.state, &tenant(), None, (10, 10));
    let slower = page(&plan(&standard(&minutes(240)), ALL, "12:00"));
    assert_eq!(
        told(&slower.differences),
        ["reply 5000 570 -> 660: queue desk", "reply 10000 600 -> -: queue desk sue"]
    );
    let sum = slower.sums["reply"];
    assert_eq!((sum.warnings_were, sum.warnings_would_be, sum.breaches_were, sum.breaches_would_be), (1, 1, 1, 0));
    assert_eq!((sum.moved, slower.tickets, slower.next), (1, 1, None));
    let none = page(&plan(&standard(&json!({"calendar": "always", "clocks": {}})), ALL, "12:00"));
    assert_eq!(told(&none.differences), ["reply 5000 570 -> -: queue desk", "reply 10000 600 -> -: queue desk sue"]);
    // Only what falls into the period.
    let period = (Some(us("09:31")), us("10:00"));
    assert!(page(&plan(&standard(&minutes(60)), period, "12:00")).differences.is_empty());
    assert_eq!(told(&page(&plan(&standard(&minutes(62)), ALL, "12:00")).differences).len(), 2);
    // A ticket that was there before stays under what it had, unless the policy takes it over.
    let since = (Some(us("09:10")), Micros::MAX);
    assert!(page(&plan(&standard(&minutes(30)), since, "12:00")).differences.is_empty());
    let taking = with(minutes(30), "retroactive", json!(true));
    let earlier = page(&plan(&standard(&taking), since, "12:00"));
    assert_eq!(
        told(&earlier.differences),
        ["reply 5000 570 -> 555: queue desk", "reply 10000 600 -> 570: queue desk sue"]
    );
    // What has not fired yet is not compared.
    assert_eq!(plan(&[], ALL, "09:20").end, us("09:20"));
}

#[test]
fn tickets_come_page_by_page_and_their_sums_add_up() {
    let mut world = World::with(&json!({"calendar": "always", "clocks": {"reply": {"target": "1h"}}}));
    world.now = us("09:00");
    for n in 1..=7_u128 {
        world.record(us("09:00"), stream::ticket(Uuid::from_u128(n)), Event::Intake(line("New", Status::Open, "low")));
    }
    world.react();
    world.until("12:00");
    let drafts = standard(&json!({"calendar": "always", "clocks": {"reply": {"target": "2h"}}}));
    let plan = Plan::of(&world.state, &tenant(), &drafts, ALL, us("12:00"));
    let whole = plan.page(&world.state, &tenant(), None, (100, 100));
    for (most, most_changes, pages) in [(2, 100, 4), (100, 3, 3), (7, 7, 1)] {
        let (mut all, mut count) = (Page::default(), 0);
        loop {
            let next = plan.page(&world.state, &tenant(), all.next, (most, most_changes));
            all.add(next);
            count += 1;
            if all.next.is_none() {
                break;
            }
        }
        assert_eq!((&all, count), (&whole, pages));
    }
    assert_eq!((whole.tickets, whole.differences.len(), whole.sums["reply"].moved), (7, 7, 7));
    assert_eq!(plan.page(&world.state, &Tenant::new("other"), None, (9, 9)), Page::default());
}

/// Proves part of: L9
#[test]
fn a_shadow_moves_nothing_and_says_what_the_same_policy_laid_would() {
    let (mut plain, mut shadowed) = (desk(&minutes(60)), desk(&minutes(60)));
    let spec = with(minutes(20), "retroactive", json!(true));
    shadowed.until("09:05");
    plain.until("09:05");
    shadowed.apply("ShadowPolicy", "standard", &spec);
    shadowed.until("09:40");
    plain.until("09:40");
    assert_eq!(plain.said(), shadowed.said(), "nobody's clock moved, nobody is told");
    let look = |world: &World, now: &str| {
        let beside = Plan::of_shadow(&world.state, &tenant(), "standard", ALL, us(now)).unwrap();
        beside.page(&world.state, &tenant(), None, (10, 10))
    };
    let so_far = look(&shadowed, "09:40");
    assert_eq!(
        told(&so_far.differences),
        ["reply 5000 570 -> 550: queue desk", "reply 10000 - -> 560: queue desk sue"]
    );
    let laid = |world: &World, end| compared(world, &standard(&spec), (Some(us("09:05")), end));
    assert_eq!(so_far, laid(&shadowed, us("09:40")));
    assert_eq!(so_far, laid(&plain, us("09:40")));

    let withdraw = Command::Withdraw { name: "standard".into() };
    let (now, request) = (shadowed.now, Uuid::nil());
    assert_eq!(shadowed.ask(&withdraw, now, request), Ok(1));
    assert_eq!(shadowed.ask(&withdraw, now, request), Ok(0));
    let unknown = Command::Withdraw { name: "other".into() };
    assert_eq!(shadowed.ask(&unknown, now, request), Err(Refusal::ShadowUnknown("other".into())));
    shadowed.until("13:00");
    let ended = Shadow { start: us("09:05"), end: Some(us("09:40")) };
    assert_eq!(shadow(&shadowed.state, &tenant(), "standard"), Some(ended));
    assert_eq!(look(&shadowed, "13:00"), so_far, "it ended when it was withdrawn");

    plain.apply("ShadowPolicy", "standard", &spec);
    plain.until("09:50");
    plain.apply("SlaPolicy", "standard", &spec);
    let live = Shadow { start: us("09:40"), end: Some(us("09:50")) };
    assert_eq!(shadow(&plain.state, &tenant(), "standard"), Some(live));
    assert!(Plan::of_shadow(&plain.state, &tenant(), "other", ALL, us("13:00")).is_err());
}
