//! Servers killed, streams truncated, deleted, wiped, polluted, or of another history: what relay and log do then.

use std::sync::Arc;
use std::time::Duration;

use eventlog::bus::relay::Whole;
use eventlog::bus::{Relay, Shape};
use eventlog::{Keys, Log, Memory};
use tokio::time::{sleep, timeout};

use crate::bus::{PATIENCE, all_rows, assert_streamed, connect, fill, relay, work};
use crate::nats::Nats;
use crate::place::{Place, append, written};

/// Proves part of: X4
#[tokio::test]
async fn a_server_killed_again_and_again_loses_and_repeats_nothing() {
    let Some(mut nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let appending = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            for request in 0..150 {
                fill(&log, request, 1).await;
                sleep(Duration::from_millis(20)).await;
            }
        }
    });
    for round in 0..8 {
        sleep(Duration::from_millis(100 + 50 * round)).await;
        nats.kill();
        nats.go().await;
    }
    appending.await.unwrap();
    let head = log.head().await.unwrap().position;
    relay.until("relayed", |report| report.position == head).await;
    assert_streamed(&nats, &log).await;
}

#[tokio::test]
async fn a_deleted_stream_is_made_again() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 20).await;
    relay.until("relayed", |report| report.position == head).await;
    nats.client().await.delete_stream("DOCKET").await.unwrap();
    let head = fill(&log, 1_000, 20).await;
    relay.until("relayed again", |report| report.position == head && report.fillings == 2).await;
    assert_streamed(&nats, &log).await;
}

#[tokio::test]
async fn nobody_deletes_a_message_or_purges() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 1).await;
    relay.until("relayed", |report| report.position == head).await;
    let stream = nats.client().await.get_stream("DOCKET").await.unwrap();
    assert!(stream.delete_message(head.unsigned_abs()).await.is_err());
    assert!(stream.purge().await.is_err());
}

/// What a test does to the files of a server that is down.
type Damage = fn(&Nats);

fn wiped(nats: &Nats) {
    std::fs::remove_dir_all(nats.store()).unwrap();
}

/// The end of the newest messages is torn off, as when a disk lost its last writes.
fn truncated(nats: &Nats) {
    let messages = nats.store().join("jetstream/$G/streams/DOCKET/msgs");
    std::fs::remove_file(messages.join("index.db")).ok();
    let blocks = std::fs::read_dir(&messages).unwrap().map(|entry| entry.unwrap().path());
    let last = blocks.filter(|path| path.extension().is_some_and(|is| is == "blk")).max().unwrap();
    let file = std::fs::File::options().write(true).open(&last).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - length / 3).unwrap();
}

/// All messages are gone, the stream itself is not.
fn emptied(nats: &Nats) {
    std::fs::remove_dir_all(nats.store().join("jetstream/$G/streams/DOCKET/msgs")).unwrap();
}

async fn damaged(damage: Damage) {
    let Some(mut nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut before = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 50).await;
    before.until("relayed", |report| report.position == head).await;
    before.stop().await;
    nats.kill();
    damage(&nats);
    nats.go().await;
    let left = nats.client().await.get_stream("DOCKET").await.map_or(0, |left| left.cached_info().state.messages);
    assert!(left < head.unsigned_abs(), "it was not damaged: {left} messages");
    let head = fill(&log, 1_000, 10).await;
    let mut relay = relay(&log, &nats.url()).await;
    relay.until("relayed again", |report| report.position == head).await;
    assert_streamed(&nats, &log).await;
}

#[tokio::test]
async fn a_wiped_store_is_filled_again() {
    damaged(wiped).await;
}

#[tokio::test]
async fn a_truncated_stream_is_filled_up() {
    damaged(truncated).await;
}

#[tokio::test]
async fn an_emptied_stream_is_filled_again() {
    damaged(emptied).await;
}

#[tokio::test]
async fn a_stranger_s_message_makes_the_stream_anew() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 5).await;
    relay.until("relayed", |report| report.position == head).await;
    let client = nats.client().await;
    client.publish("docket.v1.acme.intake.Noted", "{}".into()).await.unwrap().await.unwrap();
    let head = fill(&log, 1_000, 5).await;
    relay.until("relayed again", |report| report.position == head && report.fillings == 2).await;
    assert_streamed(&nats, &log).await;
}

/// A stream begins with the oldest row that is to be kept; what is older comes from the log.
#[tokio::test]
async fn a_stream_made_late_begins_with_what_is_kept() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let old = fill(&log, 0, 2).await;
    let hour = Duration::from_hours(1);
    let mut late = append(1_000, &["ticket/a"; 7]);
    late.now += i64::try_from(hour.as_micros()).unwrap() + 1;
    written(log.append(late).await.unwrap());
    let shape = Shape { max_age: hour, ..Shape::docket(1) };
    let mut relay = work(Relay::new(log, connect(&nats.url()).await, shape, Whole));
    relay.until("relayed", |report| report.position == old + 7).await;
    let stream = nats.client().await.get_stream("DOCKET").await.unwrap();
    assert_eq!(stream.cached_info().state.first_sequence, old.unsigned_abs() + 1);
    assert_eq!(stream.cached_info().state.messages, 7);
}

fn same_identity() -> Arc<Log> {
    Log::open(Arc::new(Memory::new()), Keys::memory(7))
}

/// The log is restored to an older backup: the stream knows more. Nothing is touched until an operator decided.
#[tokio::test]
async fn a_stream_ahead_of_the_log_halts_the_relay_until_the_epoch_is_released() {
    let Some(nats) = Nats::start().await else { return };
    let (lost, restored) = (same_identity(), same_identity());
    let head = fill(&lost, 0, 10).await;
    let mut before = relay(&lost, &nats.url()).await;
    before.until("relayed", |report| report.position == head).await;
    before.stop().await;

    fill(&restored, 0, 6).await;
    let mut relay = relay(&restored, &nats.url()).await;
    relay.until("halted", |report| report.halted.is_some()).await;
    assert!(restored.held().is_some());
    // Even when the log has overtaken the stream it is another history.
    let head = fill(&restored, 1_000, 10).await;
    let halted = |report: &eventlog::bus::relay::Report| {
        report.halted.as_ref().is_some_and(|reason| reason.contains("another history"))
    };
    relay.until("halted for its history", halted).await;
    assert_streamed(&nats, &lost).await;

    restored.raise_epoch().await.unwrap();
    let unreleased = |report: &eventlog::bus::relay::Report| {
        report.halted.as_ref().is_some_and(|reason| reason.contains("not released"))
    };
    relay.until("halted until it is released", unreleased).await;
    assert!(restored.held().is_some());
    restored.release().await.unwrap();
    relay.until("relayed", |report| report.position == head && report.halted.is_none()).await;
    assert!(restored.held().is_none());
    assert_streamed(&nats, &restored).await;
}

/// The epoch is raised under a relay at work.
#[tokio::test]
async fn a_raised_epoch_stops_a_relay_at_work() {
    let Some(nats) = Nats::start().await else { return };
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    let head = fill(&log, 0, 3).await;
    relay.until("relayed", |report| report.position == head).await;
    log.raise_epoch().await.unwrap();
    relay.until("halted", |report| report.halted.is_some()).await;
    log.release().await.unwrap();
    let head = fill(&log, 1_000, 3).await;
    relay.until("relayed", |report| report.position == head && report.fillings == 2).await;
    assert_streamed(&nats, &log).await;
}

/// With no server at all the relay waits and says since when something ought to be told.
#[tokio::test]
async fn without_a_server_the_relay_says_what_waits() {
    let Some(mut nats) = Nats::start().await else { return };
    nats.kill();
    let log = Place::memory().log().await;
    let mut relay = relay(&log, &nats.url()).await;
    fill(&log, 0, 1).await;
    let oldest_us = all_rows(&log).await[0].recorded_us;
    relay.until("behind", |report| report.oldest_us == Some(oldest_us)).await;
    nats.go().await;
    relay.until("relayed", |report| report.oldest_us.is_none()).await;
    timeout(PATIENCE, relay.stop()).await.unwrap();
}
