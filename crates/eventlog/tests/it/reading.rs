//! Reading: everything, a stream, a ticket; by page, by kind, by id; and waiting for more.

use std::time::Duration;

use decider::Stream;
use eventlog::log::MAX_PAGE;
use eventlog::store::Select;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::place::{Place, acme, append, positions, written};

on_every_store!(
    pages_follow_each_other,
    streams_and_tickets_are_read_apart,
    unwanted_bodies_are_left_out,
    an_event_is_found_by_its_id,
    a_follower_is_told_and_never_waits_for_ever,
);

async fn pages_follow_each_other(place: &Place) {
    let log = place.log().await;
    for request in 0..17 {
        written(log.append(append(request, &["ticket/a"; 64])).await.unwrap());
    }
    let mut seen = Vec::new();
    loop {
        let page = log.read(&Select::All, None, seen.last().copied().unwrap_or(0), 300).await.unwrap();
        assert!(page.len() <= 300);
        if page.is_empty() {
            break;
        }
        seen.extend(positions(&page));
    }
    assert_eq!(seen, (1..=17 * 64).collect::<Vec<_>>());
    assert_eq!(log.read(&Select::All, None, 0, i64::MAX).await.unwrap().len(), usize::try_from(MAX_PAGE).unwrap());
}

async fn streams_and_tickets_are_read_apart(place: &Place) {
    let log = place.log().await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (ticket, sla, other) = (format!("ticket/{one}"), format!("sla/{one}"), format!("ticket/{two}"));
    written(log.append(append(1, &[&ticket, &other, &sla, "config/sla/policy/x", &ticket])).await.unwrap());
    let mut foreign = append(2, &[&ticket]);
    foreign.tenant = decider::Tenant::new("other");
    written(log.append(foreign).await.unwrap());

    let tenant = acme().as_str().to_owned();
    let stream = Select::Stream { tenant: tenant.clone(), stream: ticket };
    assert_eq!(positions(&log.read(&stream, None, 0, 10).await.unwrap()), [1, 5]);
    assert_eq!(positions(&log.read(&stream, None, 1, 10).await.unwrap()), [5]);
    assert_eq!(positions(&log.read(&stream, None, 0, 1).await.unwrap()), [1]);
    let timeline = Select::Correlation { tenant: tenant.clone(), ticket: one };
    assert_eq!(positions(&log.read(&timeline, None, 0, 10).await.unwrap()), [1, 3, 5]);
    assert_eq!(positions(&log.read(&timeline, None, 1, 1).await.unwrap()), [3]);
    let nobody = Select::Stream { tenant, stream: "ticket/none".into() };
    assert_eq!(log.read(&nobody, None, 0, 10).await.unwrap(), []);
}

async fn unwanted_bodies_are_left_out(place: &Place) {
    let log = place.log().await;
    let mut mixed = append(1, &["ticket/a", "ticket/a", "ticket/a"]);
    mixed.events[1].kind = "Counted".into();
    let rows = written(log.append(mixed).await.unwrap());
    let bodies = |rows: Vec<eventlog::Row>| rows.iter().map(|row| !row.body.is_empty()).collect::<Vec<_>>();
    let stream = Select::Stream { tenant: "acme".into(), stream: "ticket/a".into() };
    // Of all rows the next one is whole, so that a follower can see whether it follows.
    for (select, next) in [(Select::All, true), (stream, false)] {
        let wanted = log.read(&select, Some(&["Counted", "Unheard"]), 0, 10).await.unwrap();
        assert_eq!(wanted[1], rows[1]);
        assert_eq!(wanted[0].hash, rows[0].hash, "all but the body is there");
        assert_eq!(bodies(wanted), [next, true, false]);
        assert_eq!(bodies(log.read(&select, Some(&[]), 0, 10).await.unwrap()), [next, false, false]);
        assert_eq!(log.read(&select, None, 0, 10).await.unwrap(), rows);
    }
}

async fn an_event_is_found_by_its_id(place: &Place) {
    let log = place.log().await;
    let mut full = append(1, &["ticket/a"]);
    full.causation = Some(Uuid::from_u128(77));
    full.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
    full.events[0].stream = Stream::new("ticket", Uuid::from_u128(5));
    let row = written(log.append(full).await.unwrap()).remove(0);
    assert_eq!(row.correlation, Some(Uuid::from_u128(5)));
    assert_eq!(log.find(row.id).await.unwrap(), Some(row));
    assert_eq!(log.find(Uuid::from_u128(404)).await.unwrap(), None);
}

async fn a_follower_is_told_and_never_waits_for_ever(place: &Place) {
    let log = place.log().await;
    let started = Instant::now();
    log.moved(0).await.unwrap();
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(200) && waited < Duration::from_secs(2), "{waited:?}");

    let follower = tokio::spawn({
        let log = log.clone();
        async move {
            while log.read(&Select::All, None, 0, 1).await.unwrap().is_empty() {
                log.moved(0).await.unwrap();
            }
        }
    });
    tokio::task::yield_now().await;
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
    timeout(Duration::from_secs(5), follower).await.unwrap().unwrap();
    let started = Instant::now();
    log.moved(0).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(100), "the head stands past it already");
}

/// Another process's appends are announced, too.
#[tokio::test]
async fn postgres_tells_other_processes() {
    let Some(place) = Place::postgres().await else { return };
    let (here, there) = (place.log().await, place.log().await);
    // Until the announcements are listened to, polling finds the event; then each wait ends early.
    let mut early = 0;
    for request in 0..10 {
        written(here.append(append(request, &["ticket/a"])).await.unwrap());
        let started = Instant::now();
        there.moved(i64::try_from(request).unwrap()).await.unwrap();
        early += u32::from(started.elapsed() < Duration::from_millis(100));
    }
    assert!(early >= 5, "{early} of 10");
}
