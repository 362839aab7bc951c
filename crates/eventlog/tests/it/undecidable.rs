//! Events that cannot be read: nothing is decided on their streams, and who cannot read them does not lead.

use std::sync::Arc;
use std::time::Duration;

use eventlog::lease::{Claim, LEASE};
use eventlog::service::Failure;
use eventlog::{Clock, NewEvent};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::parrot::{append, ask, foreign, log, note, parrot, until, word};

/// A kind of a newer program, and a known one whose body is not of its form.
const UNREADABLE: [(&str, &[u8]); 2] = [("WordSungInChorus", b"{}"), ("ConfigApplied", b"{\"kind\":7}")];

#[tokio::test]
async fn what_cannot_be_read_makes_its_stream_undecidable_and_stops_reactions() {
    for (kind, body) in UNREADABLE {
        let (log, clock) = (log(), Clock::by_hand(1));
        let parrot = parrot::<1>(&log, &clock).await;
        append(&log, kind, "hello", body.to_vec()).await;
        assert_eq!(parrot.undecidable(), 0);
        parrot.catch_up().await.unwrap();
        assert_eq!(parrot.undecidable(), 1);
        let blind = parrot.ask(&ask(1, "x"), &"hello".into()).await;
        assert!(matches!(blind, Err(Failure::Undecidable(_))), "{blind:?}");
        parrot.ask(&ask(2, "x"), &"echo other".into()).await.unwrap();
        assert_eq!(parrot.step().await.unwrap(), None);
        assert!(!parrot.view(|state| state.said.contains("again other")), "the lease is surrendered");
        parrot.snapshot().await.unwrap();
        assert_eq!(log.snapshot("parrot/1").await.unwrap(), None, "a program that can read it must find it in the log");
    }
}

#[tokio::test]
async fn a_replica_that_cannot_read_a_stream_lays_its_lease_down() {
    for (kind, body) in UNREADABLE {
        let (log, stop) = (log(), CancellationToken::new());
        // Something is overdue for ever: that must not make it spin.
        note(&log, "word", "ring-at-5").await;
        let parrot = parrot::<1>(&log, &Clock::by_hand(1)).await;
        let leading = tokio::spawn({
            let (parrot, stop) = (Arc::clone(&parrot), stop.clone());
            async move { parrot.lead(stop).await }
        });
        until(|| parrot.leads()).await;
        append(&log, kind, "hello", body.to_vec()).await;
        parrot.clock().advance(10);
        until(|| !parrot.leads()).await;
        let claim = Claim { name: "parrot".into(), holder: Uuid::from_u128(1), lasts_us: 60_000_000 };
        let patience = tokio::time::timeout(LEASE / 2, async {
            while !log.lease(&claim).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        patience.await.expect("another replica gets it before it would have ended");
        parrot.ask(&ask(2, "x"), &"other".into()).await.unwrap();
        assert!(parrot.view(|state| state.said.contains("other")), "it goes on answering");
        stop.cancel();
        leading.await.unwrap().unwrap();
        assert!(!parrot.view(|state| state.said.contains("rang-at-5")));
    }
}

#[tokio::test]
async fn beyond_their_bound_undecidable_streams_stand_for_all() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    for request in 0..20 {
        let unknown =
            |n| NewEvent { stream: word(&format!("{request}/{n}")), kind: "Sung".into(), body: b"{}".to_vec() };
        log.append(foreign(Uuid::from_u128(request), (0..50).map(unknown).collect())).await.unwrap();
        parrot.catch_up().await.unwrap();
        let other = parrot.ask(&ask(1_000 + request, "x"), &format!("good {request}")).await;
        assert_eq!(other.is_ok(), request < 19, "{other:?}");
    }
    assert_eq!(parrot.undecidable(), 1_000);
}
