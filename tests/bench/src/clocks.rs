//! Clocks: what a million open tickets with four clocks each take, what setting and firing a threshold costs, how late ten
//! thousand fire that are due in one second, and firing with durable append beside rows claimed with SKIP LOCKED.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use decider::{Core, Micros, Recorded, Tenant};
use eventlog::clock::machine_now;
use eventlog::{Clock, Service};
use sla_monitor::SlaMonitor;
use sla_monitor::state::State;
use sla_monitor::wheel::Wheel;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use ticket::house::HouseEvent;
use ticket::intake::IntakeEvent;
use ticket::{Event, stream};
use tokio::process::Command;
use tokio::time::Instant;
use uuid::Uuid;

use crate::append::docket;
use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::load::latencies;
use crate::replay::made;
use crate::server::Server;
use crate::target::Target;

const CLOCKS: [&str; 4] = ["acceptance", "first_response", "next_response", "resolution"];
/// Deadlines that fall due in one second.
const BURST: u32 = 10_000;
/// Rows of the table that others poll, and how many of them are claimed at once.
const CLAIMED: i64 = 1_000;

const HELD: &str = "open ticket with four clocks";
const WHEEL: &str = "threshold of one in a million";
const FIRED: &str = "10,000 deadlines due in one second";
const OVERDUE: &str = "10,000 deadlines overdue";
const SINGLY: &str = "SKIP LOCKED, one at a time";
const IN_BATCHES: &str = "SKIP LOCKED, 1,000 at a time";

/// One round of all.
pub(crate) async fn round(server: &mut Server, tickets: u32, book: &mut Book) -> anyhow::Result<()> {
    // In a process of its own: what a round left free in this one would be taken again by the next.
    let held =
        Command::new(std::env::current_exe()?).args(["hold", "--tickets", &tickets.to_string()]).output().await?;
    let bytes: f64 = String::from_utf8(held.stdout)?.trim().parse().context("what a state of tickets holds")?;
    book.note(Case::new(HELD, OURS), Measure::from([(Figure::Bytes, bytes)]));
    for (who, ns) in wheel(tickets) {
        book.note(Case::new(WHEEL, who), Measure::from([(Figure::Ns, ns)]));
    }
    let url = server.database().await?;
    docket::prepare(&url).await?;
    server.checkpoint().await?;
    book.note(Case::new(FIRED, OURS), fired(&url, Due::OneByOne).await?);
    server.remove(&url).await?;
    let url = server.database().await?;
    docket::prepare(&url).await?;
    server.checkpoint().await?;
    book.note(Case::new(OVERDUE, OURS), fired(&url, Due::Already).await?);
    server.remove(&url).await?;
    let url = server.database().await?;
    for (who, batch) in [(SINGLY, 1), (IN_BATCHES, CLAIMED)] {
        book.note(Case::new(OVERDUE, who), claimed(&url, batch).await?);
    }
    server.remove(&url).await
}

/// What is to be reached.
pub(crate) fn targets() -> Vec<Target> {
    let overdue = |who| (Case::new(OVERDUE, who), Figure::PerSec);
    vec![
        Target::bound(500.0, (Case::new(HELD, OURS), Figure::Bytes)),
        Target::bound(1_000.0, (Case::new(FIRED, OURS), Figure::P99Ms)),
        Target::at_least(5.0, overdue(OURS), overdue(SINGLY)),
    ]
}

/// Bytes in memory for each of so many open tickets, everything that falls due among it.
pub(crate) fn held(tickets: u32) -> anyhow::Result<f64> {
    let mut state = State::default();
    let (begun, start) = (resident()?, machine_now());
    for n in 0..tickets {
        let id = Uuid::from_u128((u128::from(n) << 64) | 7);
        let at = start + Micros::from(n);
        fold(&mut state, id, at, Event::Intake(made::received(id, at)));
        for (name, hours) in CLOCKS.into_iter().zip(1..) {
            let [(_, started), _] = made::clock(id, name, at + hours * 3_600_000_000);
            fold(&mut state, id, at, started);
        }
    }
    let bytes = resident()?.saturating_sub(begun);
    anyhow::ensure!(SlaMonitor::next_due(&state).is_some(), "nothing falls due");
    Ok(f64::from(u32::try_from(bytes / 1_024)?) * 1_024.0 / f64::from(tickets))
}

fn fold(state: &mut State, id: Uuid, at: Micros, event: Event) {
    let stream = if matches!(event, Event::Intake(_)) { stream::ticket(id) } else { stream::sla(id) };
    let recorded = Recorded {
        id,
        tenant: Tenant::new("bench"),
        stream,
        version: 1,
        position: 1,
        occurred_at: at,
        recorded_at: at,
        actor: String::new(),
        request: id,
        causation: None,
        correlation: Some(id),
        event,
    };
    SlaMonitor::evolve(state, &recorded);
}

/// Bytes of this process that are in memory.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}

/// Nanoseconds to set, to set anew, and to fire a threshold among so many.
fn wheel(entries: u32) -> [(&'static str, f64); 3] {
    let mut wheel = Wheel::default();
    let now = machine_now();
    wheel.advance(now);
    // Within thirty days, scattered.
    let at =
        |key: u32, salt: i64| now + (i64::from(key).wrapping_mul(2_654_435_761) ^ salt).rem_euclid(2_592_000_000_000);
    let each = |began: Instant| began.elapsed().as_secs_f64() * 1e9 / f64::from(entries);
    let began = Instant::now();
    (0..entries).for_each(|key| wheel.set(key, Some(at(key, 0))));
    let set = each(began);
    let began = Instant::now();
    (0..entries).for_each(|key| wheel.set(key, Some(at(key, 0x5555_5555))));
    let anew = each(began);
    let began = Instant::now();
    let mut fired = 0;
    while let Some(next) = wheel.next() {
        wheel.advance(next + 1_000_000);
        let due: Vec<_> = wheel.due(next + 1_000_000).collect();
        fired += due.len();
        for (_, key) in due {
            wheel.set(key, None);
        }
    }
    let fire = if fired == entries as usize { each(began) } else { f64::NAN };
    [("set", set), ("set anew", anew), ("fire, in order", fire)]
}

/// When ten thousand deadlines are fired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Within the second in which they fall due.
    OneByOne,
    /// After it, as by a service that was away.
    Already,
}

/// Ten thousand clocks whose budgets are used up within one second, fired by the service over its log: how long after its
/// instant each breach was committed, and how many were in a second.
async fn fired(url: &str, due: Due) -> anyhow::Result<Measure> {
    let log = docket::open(url).await?;
    let second = machine_now() + 40_000_000;
    for (kind, name, spec) in documents() {
        let stream = stream::config("sla-monitor", &kind, &name);
        let event = Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None });
        docket::write(&log, vec![(stream, event)], second - 40_000_000).await?;
    }
    for n in 0..BURST {
        let id = Uuid::new_v4();
        let at = second - 3_600_000_000 + i64::from(n) * 100;
        docket::write(&log, vec![(stream::ticket(id), Event::Intake(opened(id, at)))], at).await?;
    }
    let service = Service::<SlaMonitor>::start(Arc::clone(&log), Clock::machine()).await?;
    service.step().await?;
    anyhow::ensure!(machine_now() < second, "the clocks were not all started in time");
    while machine_now() < second {
        service.step().await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let over = second + 1_000_000;
    if due == Due::Already {
        tokio::time::sleep(Duration::from_micros(u64::try_from(over - machine_now())?)).await;
    }
    let began = Instant::now();
    while service.step().await?.is_some_and(|next| next <= over) {
        anyhow::ensure!(began.elapsed() < Duration::from_mins(2), "not all are fired");
    }
    let took = began.elapsed().as_secs_f64();
    let mut late = breaches(url).await?;
    anyhow::ensure!(late.len() == BURST as usize, "{} of {BURST} fired", late.len());
    if due == Due::Already {
        return Ok(Measure::from([(Figure::PerSec, f64::from(BURST) / took)]));
    }
    late.sort_unstable();
    Ok(latencies(&late))
}

/// A ticket whose next step is not owed before a day has passed: nothing but its clock falls due.
fn opened(id: Uuid, at: Micros) -> IntakeEvent {
    let mut event = made::received(id, at);
    if let IntakeEvent::Received { next, .. } = &mut event {
        next.attend_by = at + 86_400_000_000;
    }
    event
}

/// Around the clock; one clock of an hour.
fn documents() -> [(String, String, serde_json::Value); 2] {
    let day = ["00:00-24:00"];
    let weekly =
        serde_json::json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
    let calendar = serde_json::json!({"zone": "UTC", "weekly": weekly});
    let policy = serde_json::json!({"calendar": "always", "clocks": {"resolution": {"target": "1h"}}});
    [("Calendar".to_owned(), "always".to_owned(), calendar), ("SlaPolicy".to_owned(), "standard".to_owned(), policy)]
}

/// How late each breach was recorded, microseconds.
async fn breaches(url: &str) -> anyhow::Result<Vec<u32>> {
    let mut connection = PgConnection::connect(url).await?;
    let rows: Vec<(i64,)> =
        sqlx::query_as("SELECT recorded_us - occurred_us FROM docket.event WHERE kind = 'Breached'")
            .fetch_all(&mut connection)
            .await?;
    Ok(rows.into_iter().map(|(late,)| u32::try_from(late).unwrap_or(u32::MAX)).collect())
}

/// The same many rows in a table, claimed so many at a time and marked as fired.
async fn claimed(url: &str, batch: i64) -> anyhow::Result<Measure> {
    let mut connection = PgConnection::connect(url).await?;
    for statement in [
        "DROP TABLE IF EXISTS due",
        "CREATE TABLE due (id bigint PRIMARY KEY, due_at bigint NOT NULL, fired boolean NOT NULL DEFAULT false)",
        "CREATE INDEX due_at ON due (due_at) WHERE NOT fired",
        "INSERT INTO due SELECT n, n, false FROM generate_series(1, 1000000) AS n",
        "ANALYZE due",
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    }
    let rows = if batch == 1 { i64::from(BURST) / 10 } else { i64::from(BURST) };
    let claim = "UPDATE due SET fired = true WHERE id IN (SELECT id FROM due WHERE NOT fired ORDER BY due_at LIMIT $1 \
                 FOR UPDATE SKIP LOCKED)";
    let (began, mut done) = (Instant::now(), 0_i64);
    while done < rows {
        done += i64::try_from(sqlx::query(claim).bind(batch).execute(&mut connection).await?.rows_affected())?;
    }
    let per_sec = f64::from(u32::try_from(done)?) / began.elapsed().as_secs_f64();
    Ok(Measure::from([(Figure::PerSec, per_sec)]))
}

/// The share of deadlines a policy's events name: what is encoded here is what the service reads.
#[cfg(test)]
mod tests {
    use ticket::sla::SlaEvent;

    use super::*;

    #[test]
    fn a_wheel_fires_all_it_was_given() {
        assert!(wheel(10_000).iter().all(|(_, ns)| ns.is_finite()));
        assert!(matches!(made::clock(Uuid::nil(), "x", 0)[0].1, Event::Sla(SlaEvent::ClockStarted { .. })));
    }
}
