//! What subscribers are told: theirs, in order, no position missing, personal data by grant alone.

use std::time::Duration;

use decider::Tenant;
use eventlog::outside::Patience;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::peer::Peer;
use super::{ANN, BOB, House, LONGEST, about, expected, file};

/// Proves part of: X2, X3, X6
#[tokio::test]
async fn each_is_told_what_is_its_tenants_whole_and_in_order() {
    let subscribers = [
        "name: acme-py, tenant: acme",
        "name: acme-js, tenant: acme",
        "name: other-py, tenant: other co., personal: true",
    ];
    let Some(mut house) = House::open(file(&subscribers), Patience::default()).await else { return };
    house.tell_rounds(10, ANN).await;
    house.log.erase(&Tenant::new("other co."), ANN).await.unwrap();
    house.work().await;
    let url = house.nats.url();
    let peers = [
        (Peer::python(&url, "acme-py"), "acme"),
        (Peer::javascript(&url, "acme-js"), "acme"),
        (Peer::python(&url, "other-py"), "other co."),
    ];
    house.tell_rounds(40, BOB).await;
    for (peer, tenant) in peers {
        let Some(peer) = peer else { continue };
        let rows = house.rows(tenant).await;
        let told = peer.until(rows.last().unwrap().position).await;
        let text = |subject| match (tenant, subject) {
            ("acme", _) => json!({"withheld": true}),
            (_, ANN) => json!({"erased": true}),
            _ => about(subject, "of other co."),
        };
        assert_eq!(told, expected(&rows, &text), "{tenant}");
    }
}

/// Proves part of: X2
#[tokio::test]
async fn one_may_begin_anywhere_and_again_and_be_told_of_few_kinds() {
    let few = "name: few, tenant: acme, kinds: [Arriv*]";
    let Some(mut house) = House::open(file(&[few]), Patience::default()).await else { return };
    house.tell_rounds(10, ANN).await;
    house.work().await;
    let Some(peer) = Peer::python(&house.nats.url(), "few") else { return };
    let rows = house.rows("acme").await;
    let arrived: Vec<_> = rows.iter().filter(|row| row.kind == "Arrived").cloned().collect();
    let text = |_| json!(null);
    let last = arrived.last().unwrap().position;
    assert_eq!(peer.until(last).await, expected(&arrived, &text));
    drop(peer);

    house.rest().await;
    house.outsiders = file(&[&format!("{few}, from: {}", arrived[5].position)]);
    house.work().await;
    let Some(peer) = Peer::python(&house.nats.url(), "few") else { return };
    assert_eq!(peer.until(last).await, expected(&arrived[5..], &text), "once more, from a position");
    drop(peer);

    house.rest().await;
    house.outsiders = file(&["name: few, tenant: other co., kinds: [Arriv*]"]);
    house.work().await;
    let Some(peer) = Peer::python(&house.nats.url(), "few") else { return };
    let mut others = house.rows("other co.").await;
    others.retain(|row| row.kind == "Arrived");
    let last = others.last().unwrap().position;
    assert_eq!(peer.until(last).await, expected(&others, &text), "of another tenant everything, from its beginning");
}

/// Proves part of: X6
#[tokio::test]
async fn under_other_rules_everything_is_told_anew() {
    let without = "name: erp, tenant: acme";
    let Some(mut house) = House::open(file(&[without]), Patience::default()).await else { return };
    house.tell_rounds(3, ANN).await;
    house.work().await;
    let (own, last) = (house.own().await, house.log.head().await.unwrap().position);
    // The text of the first comment, once the stream is whole; it may be made anew at any moment.
    let told = async |expected: &str| {
        loop {
            sleep(Duration::from_millis(50)).await;
            let Ok(stream) = own.get_stream("DOCKET_OUT").await else { continue };
            let whole = stream.cached_info().state.last_sequence == last.unsigned_abs();
            if let Ok(first) = stream.get_raw_message(1).await
                && whole
                && String::from_utf8_lossy(&first.payload).contains(expected)
            {
                return;
            }
        }
    };
    timeout(LONGEST, told("withheld")).await.expect("without a grant it is withheld");
    house.rest().await;
    house.outsiders = file(&[&format!("{without}, personal: true")]);
    house.work().await;
    timeout(LONGEST, told("of acme")).await.expect("with a grant it is shown");
}
