//! From one service's command to another's state: three processes, a thousand tickets a second.

mod parts;
mod stalled;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use eventlog::clock::machine_now;
use eventlog::{Committed, Log};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

pub(crate) use parts::{Part, run};

use crate::append::docket;
use crate::append::event::comment;
use crate::figure::{Book, Case, Figure, OURS};
use crate::load::latencies;
use crate::nats::Nats;
use crate::relay;
use crate::replay::made;
use crate::server::Server;
use crate::target::Target;
use parts::{Kind, Told};

/// Tickets (or messages) of one case.
const COUNT: u32 = 5_000;
/// The first of them, which are not counted.
const WARM_UP: usize = 1_000;
/// The time between two.
const EVERY: Duration = Duration::from_millis(1);
/// How long the other processes may take to start, and to see the last.
const SETTLE: Duration = Duration::from_secs(1);

const FROM_COMMIT: &str = "commit → sla-monitor's state, 1000/s";
const FROM_CREATE: &str = "create → sla-monitor's state, 1000/s";
const STALLED: &str = "docket, beside a stalled subscriber";
const ACKNOWLEDGED: &str = "publish → acknowledged";

/// One round of all.
pub(crate) async fn round(server: &mut Server, nats: &Path, dir: &Path, book: &mut Book) -> anyhow::Result<()> {
    let broker = Nats::start(nats, dir).await?;
    let client = jetstream::new(async_nats::connect(broker.url()).await?);
    relay::stream(&client).await?;
    book.note(Case::new(FROM_COMMIT, ACKNOWLEDGED), latencies(&acknowledged(client).await?));
    drop(broker);
    for who in [OURS, STALLED] {
        let url = server.database().await?;
        docket::prepare(&url).await?;
        server.checkpoint().await?;
        let broker = Nats::start(nats, dir).await?;
        let relaying = Told::start(Kind::Relay, &url, &broker.url())?;
        let following = Told::start(Kind::Follow, &url, &broker.url())?;
        sleep(SETTLE).await;
        let stalled = if who == STALLED { Some(stalled::subscribe(&broker.address).await?) } else { None };
        let created = create(&docket::open(&url).await?).await?;
        sleep(SETTLE).await;
        let seen = following.stop().await?;
        relaying.stop().await?;
        drop(stalled);
        book.note(Case::new(FROM_COMMIT, who), latencies(&waits(&created, &seen, |one| one.committed_us)?));
        book.note(Case::new(FROM_CREATE, who), latencies(&waits(&created, &seen, |one| one.asked_us)?));
        server.remove(&url).await?;
    }
    Ok(())
}

/// What one acknowledgement takes, microseconds, sorted.
async fn acknowledged(client: jetstream::Context) -> anyhow::Result<Vec<u32>> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..COUNT {
        sleep_until(begin + EVERY * n).await;
        let client = client.clone();
        let body = comment(Uuid::new_v4())?.1;
        tasks.spawn(async move {
            let sent = Instant::now();
            client.publish("docket.v1.bench.intake.Commented", body.into()).await?.await?;
            anyhow::Ok((n, u32::try_from(sent.elapsed().as_micros())?))
        });
    }
    let mut took = tasks.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    took.sort_unstable();
    let mut took: Vec<_> = took.into_iter().skip(WARM_UP).map(|(_, us)| us).collect();
    took.sort_unstable();
    Ok(took)
}

/// A ticket that was created.
struct Created {
    position: i64,
    asked_us: i64,
    committed_us: i64,
}

/// Creates tickets at a steady rate, whether the ones before are written or not.
async fn create(log: &Arc<Log>) -> anyhow::Result<Vec<Created>> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..COUNT {
        sleep_until(begin + EVERY * n).await;
        let log = Arc::clone(log);
        tasks.spawn(async move {
            let asked_us = machine_now();
            let committed = log.append(made::creation(Uuid::new_v4(), asked_us)?).await?;
            let committed_us = machine_now();
            let Committed::Written(rows) = committed else { anyhow::bail!("a new ticket was there before") };
            let position = rows.first().map_or(0, |row| row.position);
            Ok(Created { position, asked_us, committed_us })
        });
    }
    let mut created = tasks.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    created.sort_unstable_by_key(|one| one.position);
    Ok(created)
}

/// How long after `since` each ticket but the first was seen, microseconds, sorted.
fn waits(created: &[Created], seen: &[(i64, i64)], since: impl Fn(&Created) -> i64) -> anyhow::Result<Vec<u32>> {
    let mut waits = Vec::new();
    for one in created.iter().skip(WARM_UP) {
        let first = seen.partition_point(|(position, _)| *position < one.position);
        let Some((_, at)) = seen.get(first) else { anyhow::bail!("position {} was never seen", one.position) };
        // Seen before the writer's own task was told.
        waits.push(u32::try_from((at - since(one)).max(0))?);
    }
    waits.sort_unstable();
    Ok(waits)
}

/// How soon another service is to know.
pub(crate) fn targets() -> Vec<Target> {
    let of = |who, figure| (Case::new(FROM_COMMIT, who), figure);
    vec![
        Target::at_most(3.0, of(OURS, Figure::P50Ms), of(ACKNOWLEDGED, Figure::P50Ms)),
        Target::at_most(1.2, of(STALLED, Figure::P99Ms), of(OURS, Figure::P99Ms)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_seen_with_the_first_fold_that_reaches_it() {
        let one = |position| Created { position, asked_us: 90, committed_us: 100 };
        let created: Vec<_> = (1..=i64::from(COUNT)).map(one).collect();
        let seen = [(1_000, 50), (3_000, 300), (5_000, 700)];
        let waits = waits(&created, &seen, |one| one.committed_us).unwrap();
        assert_eq!((waits.len(), waits[0], waits[1_999], waits[2_000]), (4_000, 200, 200, 600));
    }
}
