//! The relay on a real server: every row at its position, byte for byte, whatever happens to server, stream and relays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use eventlog::bus::relay::{Report, Whole};
use eventlog::bus::{Address, Bus, Relay, Shape, Source, envelope};
use eventlog::store::Select;
use eventlog::{Log, Row};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::nats::{Line, Nats};
use crate::place::{Place, append, written};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

on_every_store!(the_stream_is_the_log_byte_for_byte);

/// A relay at work, until it is stopped.
pub(crate) struct Working {
    pub(crate) report: watch::Receiver<Report>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Working {
    pub(crate) async fn until(&mut self, what: &str, reached: impl FnMut(&Report) -> bool) -> Report {
        let waited = timeout(PATIENCE, self.report.wait_for(reached)).await.map(|report| report.unwrap().clone());
        waited.unwrap_or_else(|_| panic!("not {what}: {:?}", self.report.borrow()))
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

pub(crate) async fn connect(url: &str) -> Bus {
    Bus::connect(&Address::open(url, "test")).await.unwrap()
}

/// A stream that forgets ids of messages soon.
fn shape() -> Shape {
    Shape { duplicate_window: Duration::from_millis(200), ..Shape::docket(1) }
}

pub(crate) fn work(relay: Relay<Whole>) -> Working {
    let (report, stop) = (relay.report(), CancellationToken::new());
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { relay.run(stop).await }
    });
    Working { report, stop, task }
}

pub(crate) async fn relay(log: &Arc<Log>, url: &str) -> Working {
    work(Relay::new(Arc::clone(log), connect(url).await, shape(), Whole))
}

async fn unleased(log: &Arc<Log>, url: &str) -> Working {
    work(Relay::new(Arc::clone(log), connect(url).await, shape(), Whole).without_lease())
}

/// Appends so many requests, numbered from `first`, of 40 events each; answers the head after it.
pub(crate) async fn fill(log: &Log, first: u128, requests: u128) -> i64 {
    for request in first..first + requests {
        written(log.append(append(request, &["ticket/a"; 40])).await.unwrap());
    }
    log.head().await.unwrap().position
}

pub(crate) async fn all_rows(log: &Log) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.position);
        let page = log.store().read(&Select::All, None, after, 1_000).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

/// The stream from outside: every message by its sequence, as a row; twice is an error.
async fn streamed(nats: &Nats, log: &Log) -> Vec<Row> {
    let source = Source::of(&log.head().await.unwrap());
    let stream = nats.client().await.get_stream("DOCKET").await.unwrap();
    let config = pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
    let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let count = usize::try_from(stream.cached_info().state.messages).unwrap();
    let mut messages = messages.take(count);
    let mut rows = BTreeMap::new();
    while let Some(message) = timeout(PATIENCE, messages.next()).await.unwrap() {
        let message = message.unwrap();
        let row = envelope::row(&source, message.headers.as_ref().unwrap(), &message.payload).unwrap();
        assert_eq!(message.info().unwrap().stream_sequence, row.position.unsigned_abs());
        assert!(rows.insert(row.position, row).is_none());
    }
    rows.into_values().collect()
}

/// Every row of the log is in the stream, at its position, once, byte for byte.
pub(crate) async fn assert_streamed(nats: &Nats, log: &Log) {
    let (streamed, rows) = (streamed(nats, log).await, all_rows(log).await);
    assert_eq!(streamed.len(), rows.len());
    for (streamed, row) in streamed.iter().zip(&rows) {
        assert_eq!(streamed, row);
    }
}

async fn the_stream_is_the_log_byte_for_byte(place: &Place) {
    let Some(nats) = Nats::start().await else { return };
    let log = place.log().await;
    fill(&log, 0, 125).await;
    let mut relay = relay(&log, &nats.url()).await;
    let mut odd = append(1_000_000, &["ticket/ü \"%1\"\r\n", "name/x/.*>"]);
    (odd.actor, odd.trace) =
        ("user/\u{1F600} a".into(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    odd.events[0].kind = "Odd. kind>".into();
    written(log.append(odd).await.unwrap());
    let head = fill(&log, 500, 125).await;
    assert!(head > 10_000);
    relay.until("relayed", |report| report.position == head && report.oldest_us.is_none()).await;
    assert_streamed(&nats, &log).await;
    relay.stop().await;
}

/// Proves part of: X4
#[tokio::test]
async fn two_relays_at_once_are_harmless() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let (mut one, mut two) = (unleased(&log, &nats.url()).await, unleased(&log, &nats.url()).await);
    let mut head = 0;
    for round in 0..20 {
        head = fill(&log, round * 100, 10).await;
        sleep(Duration::from_millis(30)).await;
    }
    one.until("relayed by either", |report| report.position == head).await;
    two.until("relayed by either", |report| report.position == head).await;
    assert_streamed(&nats, &log).await;
}

#[tokio::test]
async fn the_lease_lets_one_relay_work_and_the_next_take_over() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut first = relay(&log, &nats.url()).await;
    first.until("at work", |report| report.publishes).await;
    let mut second = relay(&log, &nats.url()).await;
    sleep(Duration::from_secs(2)).await;
    assert!(!second.report.borrow().publishes && first.report.borrow().publishes);
    first.stop().await;
    let head = fill(&log, 0, 3).await;
    second.until("taken over", |report| report.position == head).await;
    assert_streamed(&nats, &log).await;
}

/// A relay is stopped with its window sent half, longer than the broker remembers ids; another does its work; it wakes.
#[tokio::test]
async fn a_relay_that_wakes_late_repeats_nothing() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let line = Line::to(&nats).await;
    let mut stale = unleased(&log, &line.url()).await;
    let mut fresh = None;
    for round in 0..4 {
        let head = fill(&log, round * 1_000, 5).await;
        stale.until("at work", |report| report.position == head).await;
        line.up(false);
        let head = fill(&log, round * 1_000 + 500, 25).await;
        let relay = fresh.insert(unleased(&log, &nats.url()).await);
        relay.until("relayed by the other", |report| report.position == head).await;
        sleep(Duration::from_millis(600)).await;
        line.up(true);
        fresh.take().unwrap().stop().await;
    }
    let head = fill(&log, 100_000, 5).await;
    let report = stale.until("at work again", |report| report.position == head).await;
    assert!(report.openings > 4, "its windows were refused: {report:?}");
    assert_streamed(&nats, &log).await;
}
