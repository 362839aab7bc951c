//! What an open ticket with four clocks takes.

use decider::{Core, Recorded, Tenant};
use sla_monitor::SlaMonitor;
use sla_monitor::state::State;
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::us;

const TICKETS: u32 = 40_000;
const CLOCKS: [&str; 4] = ["acceptance", "first_response", "next_response", "resolution"];

/// The pages of this process that are in memory, bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

fn recorded(position: u64, id: Uuid, event: Event) -> Recorded<Event> {
    let stream = if matches!(event, Event::Intake(_)) { stream::ticket(id) } else { stream::sla(id) };
    Recorded {
        id: Uuid::nil(),
        tenant: Tenant::new("acme"),
        correlation: Some(id),
        stream,
        version: 1,
        position,
        occurred_at: us("09:00"),
        recorded_at: us("09:00"),
        actor: "user/test".into(),
        request: Uuid::nil(),
        causation: None,
        event,
    }
}

fn started(clock: &str, breach: i64) -> Event {
    let pinned = |name: &str| Pinned { name: name.into(), version: 1 };
    let terms = Terms {
        policy: pinned("standard"),
        calendar: pinned("desk"),
        tzdb: "2026a".into(),
        budget_secs: 3_600,
        working_days: None,
        zone: None,
        escalation: Some(pinned("standard")),
        major: None,
    };
    let marks = vec![Mark { share_bp: 7_500, at: breach - 900_000_000 }, Mark { share_bp: 10_000, at: breach }];
    let (clock, since, began, because) = (clock.to_owned(), us("09:00"), None, None);
    Event::Sla(SlaEvent::ClockStarted { clock, generation: 1, terms, since, elapsed_us: 0, marks, began, because })
}

/// A million open tickets with four clocks each are to fit, everything that falls due among it. The target is 500 bytes.
#[test]
fn an_open_ticket_with_four_clocks_takes_about_half_a_kilobyte() {
    let mut state = State::default();
    let mut fold = |from: u32, to: u32| {
        for n in from..to {
            // Ids rise, as those of tickets do.
            let id = Uuid::from_u128(u128::from(n) << 64 | 7);
            let received = received(next(queue("desk"), "2024-03-06 09:00"));
            SlaMonitor::evolve(&mut state, &recorded(u64::from(n), id, Event::Intake(received)));
            for (clock, hours) in CLOCKS.iter().zip(1..) {
                let breach = us("09:00") + hours * 3_600_000_000 + i64::from(n) * 1_000;
                SlaMonitor::evolve(&mut state, &recorded(u64::from(n), id, started(clock, breach)));
            }
        }
    };
    // What is needed once is not counted, nor the room that vectors keep ahead when they have just grown.
    fold(0, TICKETS / 10);
    let before = resident();
    fold(TICKETS / 10, TICKETS);
    let each = (resident() - before) / (TICKETS as usize * 9 / 10);
    assert!(SlaMonitor::next_due(&state).is_some());
    assert!(each <= 520, "{each} bytes each");
    eprintln!("{each} bytes each");
}
