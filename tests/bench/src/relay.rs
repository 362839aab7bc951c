//! The relay: a whole log into a stream, beside the same messages published without one naming the other.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use eventlog::Log;
use eventlog::bus::relay::Whole;
use eventlog::bus::{Address, Bus, Outgoing, Relay, Shape, Source, envelope};
use eventlog::clock::machine_now;
use eventlog::store::Select;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::append::docket;
use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::nats::Nats;
use crate::replay::made;
use crate::server::{Server, own_cpu_us};
use crate::target::Target;

/// Messages of one case.
const MESSAGES: u32 = 60_000;
/// Messages under way at once, beside the relay.
const WINDOW: usize = 512;
/// When the first of them was recorded, before now: the stream keeps thirty days.
const AGO_US: i64 = 7 * 24 * 3_600_000_000;

const WHAT: &str = "relay, a log from its beginning";
const PIPELINED: &str = "publish, pipelined, unchained";

/// One round of both.
pub(crate) async fn round(server: &mut Server, nats: &Path, dir: &Path, book: &mut Book) -> anyhow::Result<()> {
    let url = server.database().await?;
    docket::prepare(&url).await?;
    let log = docket::open(&url).await?;
    made::make(&log, u64::from(MESSAGES), machine_now() - AGO_US).await?;
    server.checkpoint().await?;
    let messages = rendered(&log).await?;

    let nats_server = Nats::start(nats, dir).await?;
    let bus = Bus::connect(&Address::open(&nats_server.url(), "bench")).await?;
    let ours = timed(&nats_server, relayed(&log, bus)).await?;
    book.note(Case::new(WHAT, OURS), ours);

    let nats_server = Nats::start(nats, dir).await?;
    let client = async_nats::connect(nats_server.url()).await?;
    let bare = timed(&nats_server, published(&jetstream::new(client), messages)).await?;
    book.note(Case::new(WHAT, PIPELINED), bare);
    drop(log);
    server.remove(&url).await
}

/// Rate and cost of this many messages; the server's is the broker's.
async fn timed(nats: &Nats, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Measure> {
    let (client, server, began) = (own_cpu_us()?, nats.cpu_us()?, Instant::now());
    work.await?;
    let messages = f64::from(MESSAGES);
    Ok(Measure::from([
        (Figure::PerSec, messages / began.elapsed().as_secs_f64()),
        (Figure::ServerUs, (nats.cpu_us()? - server) / messages),
        (Figure::ClientUs, (own_cpu_us()? - client) / messages),
    ]))
}

async fn relayed(log: &Arc<Log>, bus: Bus) -> anyhow::Result<()> {
    let relay = Relay::new(Arc::clone(log), bus, Shape::docket(1), Whole);
    let (mut report, stop) = (relay.report(), CancellationToken::new());
    let told = stop.clone();
    let relaying = tokio::spawn(async move { relay.run(told).await });
    let all = report.wait_for(|report| report.position >= i64::from(MESSAGES)).await.map(drop);
    stop.cancel();
    relaying.await?;
    Ok(all?)
}

async fn rendered(log: &Log) -> anyhow::Result<Vec<Outgoing>> {
    let source = Source::of(&log.head().await?);
    let (mut messages, mut after) = (Vec::new(), 0);
    loop {
        let rows = log.read(&Select::All, None, after, 1_000).await?;
        let Some(last) = rows.last() else { return Ok(messages) };
        after = last.position;
        messages.extend(rows.iter().map(|row| envelope::message(&source, row)));
    }
}

/// A stream of the same kind, which takes whatever comes.
pub(crate) async fn stream(jetstream: &Context) -> anyhow::Result<()> {
    let config = Config {
        name: "BENCH".into(),
        subjects: vec!["docket.v1.>".into()],
        storage: StorageType::File,
        allow_direct: true,
        ..Config::default()
    };
    jetstream.create_stream(config).await?;
    Ok(())
}

async fn published(jetstream: &Context, messages: Vec<Outgoing>) -> anyhow::Result<()> {
    stream(jetstream).await?;
    let mut window = VecDeque::with_capacity(WINDOW);
    for Outgoing { subject, mut headers, body } in messages {
        if let Some(id) = headers.get("ce-id").cloned() {
            headers.insert(NATS_MESSAGE_ID, id);
        }
        if window.len() == WINDOW
            && let Some(oldest) = window.pop_front()
        {
            IntoFuture::into_future(oldest).await?;
        }
        window.push_back(jetstream.publish_with_headers(subject, headers, body.into()).await?);
    }
    for acknowledged in window {
        acknowledged.await?;
    }
    Ok(())
}

/// What the relay is to reach.
pub(crate) fn targets() -> Vec<Target> {
    let rate = |who| (Case::new(WHAT, who), Figure::PerSec);
    vec![Target::at_least(0.6, rate(OURS), rate(PIPELINED))]
}
