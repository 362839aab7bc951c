//! What many tickets bring at once: decided beside each other, but for what depends on what their recipient got lately.

use chassis::token::Role;
use decider::Micros;
use eventlog::store::Select;
use proto::notifier::v1 as pb;
use serde_json::{Value, json};
use ticket::intake::Priority;
use ticket::notifier::NotifierEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::cluster::{Cluster, by};
use crate::world::{Happened, received, us};

const TICKETS: u128 = 20;

/// When each of twenty tickets that came in at nine is told to Ann, who wants two an hour; in the log's order.
async fn told(fields: Value) -> Vec<Micros> {
    let mut cluster = Cluster::with(fields).await;
    let ann = pb::Recipient { subject: "ann".into(), hourly_cap: 2, ..Default::default() };
    let asked = pb::SetRecipientRequest { recipient: Some(ann), ..Default::default() };
    cluster.client.set_recipient(by("root", Role::Admin, asked)).await.unwrap();
    cluster.until("09:00").await;
    for n in 1..=TICKETS {
        let id = Uuid::from_u128(n);
        let event = Event::Intake(received(Priority::High, "2024-03-06 09:00"));
        cluster.append(us("09:00"), Happened(stream::ticket(id), event)).await;
    }
    cluster.service.step().await.unwrap();
    let rows = cluster.service.log().read(&Select::All, Some(&["ReminderPlanned"]), 0, 1_000).await.unwrap();
    let planned = rows.iter().filter(|row| row.kind == "ReminderPlanned");
    let send_at = planned.map(|row| match eventlog::service::recorded(row).unwrap().event {
        Event::Notifier(NotifierEvent::ReminderPlanned { send_at, .. }) => send_at,
        other => panic!("{other:?}"),
    });
    send_at.collect()
}

/// Proves part of: N5
#[tokio::test]
async fn a_cap_holds_for_what_comes_at_once() {
    let two_an_hour: Vec<_> = (0..10).flat_map(|hour| [us("09:00") + hour * 3_600_000_000; 2]).collect();
    assert_eq!(told(json!({})).await, two_an_hour);
}

/// Proves part of: N5
#[tokio::test]
async fn what_cannot_wait_is_told_at_once_however_much_it_is() {
    assert_eq!(told(json!({"urgent": true})).await, [us("09:00"); 20]);
}
