//! What a broker or a subscriber loses, and that nobody misses anything.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::ConnectOptions;
use eventlog::outside::Patience;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::peer::Peer;
use super::{ANN, House, LONGEST, PASSWORD, file};

/// Longer than what was acknowledged goes unsaved.
const SAVED: Duration = Duration::from_secs(5);

/// Proves part of: X2
#[tokio::test]
async fn a_broker_that_lost_its_store_costs_nobody_an_event() {
    let names = ["name: acme-py, tenant: acme", "name: acme-js, tenant: acme"];
    let Some(mut house) = House::open(file(&names), Patience::default()).await else { return };
    house.work().await;
    house.tell_rounds(20, ANN).await;
    let url = house.nats.url();
    let peers: Vec<_> =
        [Peer::python(&url, "acme-py"), Peer::javascript(&url, "acme-js")].into_iter().flatten().collect();
    let half = house.rows("acme").await.len();
    let last = house.rows("acme").await[half - 1].position;
    for peer in &peers {
        assert_eq!(peer.until(last).await.len(), half);
    }
    sleep(SAVED).await;
    house.nats.kill();
    std::fs::remove_dir_all(house.nats.store()).unwrap();
    house.tell_rounds(20, ANN).await;
    house.nats.go().await;
    let rows = house.rows("acme").await;
    let last = rows.last().unwrap().position;
    for peer in &peers {
        let told = peer.until(last).await;
        let places: Vec<_> = told.iter().map(|message| message["sequence"].as_i64().unwrap()).collect();
        assert_eq!(
            places,
            rows.iter().map(|row| row.position).collect::<Vec<_>>(),
            "from the acknowledgement that was saved"
        );
    }
}

/// Proves part of: X2
#[tokio::test]
async fn what_was_not_acknowledged_in_time_comes_again_and_at_last_is_parked() {
    let patience = Patience { again_after: [300, 300].map(Duration::from_millis).to_vec(), deliveries: 3 };
    let Some(mut house) = House::open(file(&["name: erp, tenant: acme"]), patience).await else { return };
    house.tell_rounds(2, ANN).await;
    house.work().await;
    let options =
        ConnectOptions::with_user_and_password("erp".into(), PASSWORD.into()).custom_inbox_prefix("_INBOX_erp");
    let client = options.connect(house.nats.url()).await.unwrap();
    let poison = house.rows("acme").await[1].position.unsigned_abs();
    let mut settled = BTreeSet::new();
    let mut deliveries = 0;
    let following = async {
        while house.working.as_ref().unwrap().report.borrow().parked == 0 {
            sleep(Duration::from_millis(50)).await;
            let subject = "docket.api.CONSUMER.MSG.NEXT.DOCKET_OUT.erp";
            let reply = client.new_inbox();
            let mut inbox = client.subscribe(reply.clone()).await.unwrap();
            client.publish_with_reply(subject, reply, r#"{"batch":100,"no_wait":true}"#.into()).await.unwrap();
            while let Ok(Some(message)) = timeout(Duration::from_millis(200), inbox.next()).await {
                let Some(ack) = message.reply else { break };
                let sequence: u64 = ack.split('.').nth(5).unwrap().parse().unwrap();
                if sequence == poison {
                    deliveries += 1;
                } else {
                    client.publish(ack, "".into()).await.unwrap();
                    settled.insert(sequence);
                }
            }
        }
    };
    timeout(LONGEST, following).await.expect("it is parked and counted");
    let all: BTreeSet<_> = house.rows("acme").await.iter().map(|row| row.position.unsigned_abs()).collect();
    assert_eq!(deliveries, 3);
    assert_eq!(all.difference(&settled).copied().collect::<Vec<_>>(), [poison], "the others went on");
}
