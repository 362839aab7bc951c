//! The tail on a real server: a reader over it sees exactly the log, whatever happens to stream, consumer and line.

use std::sync::Arc;
use std::time::Duration;

use eventlog::bus::tail::Report;
use eventlog::bus::{Shape, Tail};
use eventlog::store::Select;
use eventlog::{Keys, Log, Memory, Row, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::bus::{PATIENCE, all_rows, connect, fill, relay};
use crate::nats::{Line, Nats};
use crate::place::Place;

on_every_store!(a_reader_over_the_tail_sees_the_log);

/// A process that reads a log with a tail.
struct Reader {
    log: Arc<Log>,
    report: watch::Receiver<Report>,
    read: watch::Receiver<Vec<Row>>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Reader {
    async fn start(store: Arc<dyn Store>, keys: Keys, url: &str) -> Self {
        let tail = Tail::new();
        let (report, bus) = (tail.report(), connect(url).await);
        let log = Log::open_with_tail(store, keys, Arc::clone(&tail));
        let (rows, read) = watch::channel(Vec::new());
        let following = tokio::spawn({
            let log = Arc::clone(&log);
            async move { tail.follow(&log, &bus, &Shape::docket(1), CancellationToken::new()).await }
        });
        let reading = tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                let mut after = 0;
                loop {
                    let page = log.read(&Select::All, None, after, 100).await.unwrap();
                    match page.last() {
                        None => log.moved(after).await.unwrap(),
                        Some(last) => {
                            after = last.position;
                            rows.send_modify(|rows: &mut Vec<Row>| rows.extend(page));
                        }
                    }
                }
            }
        });
        let tasks = [following, reading].map(AbortOnDropHandle::new);
        Self { log, report, read, _tasks: tasks }
    }

    async fn until(&mut self, what: &str, reached: impl FnMut(&Report) -> bool) {
        let waited = timeout(PATIENCE, self.report.wait_for(reached)).await.is_ok();
        assert!(waited, "not {what}: {:?}", self.report.borrow());
    }

    /// Everything the log has was read, in order, once.
    async fn assert_read_all(&mut self) {
        let rows = all_rows(&self.log).await;
        timeout(PATIENCE, self.read.wait_for(|read| read.len() >= rows.len())).await.unwrap().unwrap();
        assert_eq!(*self.read.borrow(), rows);
    }
}

async fn a_reader_over_the_tail_sees_the_log(place: &Place) {
    let Some(nats) = Nats::start().await else { return };
    let log = place.log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 10).await;
    relay.until("relayed", |report| report.position == head).await;
    let mut reader = Reader::start(Arc::clone(log.store()), place.keys().await, &nats.url()).await;
    reader.until("following", |report| report.consumers == 1).await;
    let head = fill(&log, 1_000, 50).await;
    reader.until("taken in", |report| report.position == head).await;
    reader.assert_read_all().await;
    let rows = all_rows(&log).await.split_off(usize::try_from(head).unwrap() - 500);
    let at_hand = reader.log.read(&Select::All, Some(&[]), rows[0].position - 1, 2).await.unwrap();
    assert_eq!(at_hand, [rows[0].clone(), Row { body: Vec::new(), ..rows[1].clone() }], "the next one is whole");
    let report = reader.report.borrow().clone();
    assert_eq!((report.gaps, report.unreadable, report.consumers), (0, 0, 1), "{report:?}");
}

/// Proves part of: X4
#[tokio::test]
async fn a_tail_survives_servers_killed_and_streams_lost() {
    let Some(mut nats) = Nats::start().await else { return };
    let place = Place::memory();
    let log = place.log().await;
    let _relay = relay(&log, &nats.url()).await;
    let mut reader = Reader::start(Arc::clone(log.store()), place.keys().await, &nats.url()).await;
    for round in 0..6 {
        fill(&log, round * 1_000, 5).await;
        match round % 3 {
            0 => nats.kill(),
            1 => drop(nats.client().await.delete_stream("DOCKET").await),
            _ => {
                nats.kill();
                std::fs::remove_dir_all(nats.store()).unwrap();
            }
        }
        fill(&log, round * 1_000 + 500, 5).await;
        if round % 3 != 1 {
            nats.go().await;
        }
        let head = fill(&log, round * 1_000 + 700, 1).await;
        reader.until("following again", |report| report.position == head).await;
    }
    reader.assert_read_all().await;
    assert_eq!(reader.report.borrow().unreadable, 0);
}

/// A line that stands still delays only itself: the log is read, and afterwards the tail goes on.
#[tokio::test]
async fn a_slow_subscriber_reads_the_log() {
    let Some(nats) = Nats::start().await else { return };
    let place = Place::memory();
    let log = place.log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let line = Line::to(&nats).await;
    let mut reader = Reader::start(Arc::clone(log.store()), place.keys().await, &line.url()).await;
    reader.until("following", |report| report.consumers > 0).await;
    line.down(false);
    let head = fill(&log, 0, 50).await;
    relay.until("relayed", |report| report.position == head).await;
    reader.assert_read_all().await;
    line.down(true);
    let head = fill(&log, 1_000, 5).await;
    reader.until("following again", |report| report.position == head).await;
    reader.assert_read_all().await;
}

/// A consumer that has messages and delivers none is made anew.
#[tokio::test]
async fn a_stalled_consumer_is_made_anew() {
    let Some(nats) = Nats::start().await else { return };
    let place = Place::memory();
    let log = place.log().await;
    let _relay = relay(&log, &nats.url()).await;
    let mut reader = Reader::start(Arc::clone(log.store()), place.keys().await, &nats.url()).await;
    reader.until("following", |report| report.consumers == 1).await;
    let stream = nats.client().await.get_stream("DOCKET").await.unwrap();
    let name = stream.consumer_names().next().await.unwrap().unwrap();
    let info = stream.consumer_info(&name).await.unwrap();
    stream.pause_consumer(&name, info.created + Duration::from_hours(1)).await.unwrap();
    let head = fill(&log, 0, 5).await;
    reader.until("following again", |report| report.position == head && report.consumers == 2).await;
    reader.assert_read_all().await;
}

/// What is no row is counted and the log read instead.
#[tokio::test]
async fn a_stranger_s_message_is_not_believed() {
    let Some(nats) = Nats::start().await else { return };
    let place = Place::memory();
    let log = place.log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let mut reader = Reader::start(Arc::clone(log.store()), place.keys().await, &nats.url()).await;
    let head = fill(&log, 0, 5).await;
    reader.until("following", |report| report.position == head).await;
    nats.client().await.publish("docket.v1.acme.intake.Noted", "{}".into()).await.unwrap().await.unwrap();
    reader.until("counted", |report| report.unreadable == 1).await;
    let head = fill(&log, 1_000, 5).await;
    relay.until("filled anew", |report| report.position == head && report.fillings == 2).await;
    reader.assert_read_all().await;
    let head = fill(&log, 2_000, 5).await;
    reader.until("following again", |report| report.position == head).await;
    reader.assert_read_all().await;
}

/// A process that starts on an older backup: what only the stream knows is not shown, and effects are held.
#[tokio::test]
async fn a_stream_ahead_of_the_log_is_not_believed() {
    let Some(nats) = Nats::start().await else { return };
    let lost = Log::open(Arc::new(Memory::new()), Keys::memory(7));
    let head = fill(&lost, 0, 10).await;
    let mut before = relay(&lost, &nats.url()).await;
    before.until("relayed", |report| report.position == head).await;
    before.stop().await;

    let mut reader = Reader::start(Arc::new(Memory::new()), Keys::memory(7), &nats.url()).await;
    fill(&reader.log, 0, 6).await;
    reader.until("distrusted", |report| report.distrusted.is_some()).await;
    assert!(reader.log.held().is_some());
    reader.assert_read_all().await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(reader.read.borrow().len(), 240);

    reader.log.raise_epoch().await.unwrap();
    reader.log.release().await.unwrap();
    let mut relay = relay(&reader.log, &nats.url()).await;
    relay.until("filled anew", |report| report.position == 240).await;
    let head = fill(&reader.log, 1_000, 3).await;
    reader.until("following", |report| report.position == head && report.distrusted.is_none()).await;
    assert!(reader.log.held().is_none());
    reader.assert_read_all().await;
}
