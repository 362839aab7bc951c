//! Letters leave once, whoever dies, restarts or works beside: the fence, the outcome, and what is settled later.

use std::sync::Arc;
use std::time::Duration;

use chassis::token::Role;
use decider::Tenant;
use notifier::sender::{Letter, Post, Posting, Taken, Trouble};
use proto::notifier::v1 as pb;
use serde_json::json;
use ticket::stream;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, Office, Swamp, address, by};

async fn told(fields: serde_json::Value) -> Cluster {
    let mut cluster = Cluster::with(fields).await;
    cluster.set("ann", vec![address(pb::Medium::Email, "ann@example.org")]).await;
    cluster.received("09:00").await;
    cluster
}

fn office() -> (Arc<Office>, Arc<dyn Post>) {
    let office = Arc::new(Office::default());
    (Arc::clone(&office), office)
}

/// Proves part of: N1, N7
#[tokio::test]
async fn a_letter_leaves_once_and_its_outcome_is_known() {
    let mut cluster = told(json!({})).await;
    let (office, post) = office();
    let sender = cluster.sender(&post);
    assert_eq!(sender.step().await.unwrap(), None);
    sender.step().await.unwrap();
    let letters = office.letters.lock().unwrap().clone();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].address.as_str(), letters[0].subject.as_str()), ("ann@example.org", "Received 00000000"));
    let told = cluster.reminders().await.remove(0);
    assert_eq!(told.state(), pb::ReminderState::Delivered);
    assert_eq!((told.attempts[0].succeeded, told.attempts[0].receipt.as_str()), (true, "250 ok"));
    assert_eq!(told.attempts[0].message_id, letters[0].message_id);
}

/// Proves part of: N7, X6
#[tokio::test]
async fn whoever_dies_between_fence_and_effect_is_made_up_for_under_the_same_id() {
    let mut cluster = told(json!({})).await;
    let swamp: Arc<dyn Post> = Arc::new(Swamp);
    let dying = cluster.sender(&swamp);
    assert!(tokio::time::timeout(Duration::from_millis(200), dying.step()).await.is_err(), "it never comes back");
    drop(dying);
    let told = cluster.reminders().await.remove(0);
    assert_eq!((told.state(), told.attempts.len()), (pb::ReminderState::Sending, 1));

    let (office, post) = office();
    cluster.sender(&post).step().await.unwrap();
    assert_eq!(office.letters.lock().unwrap().len(), 0, "it may be under way still");
    cluster.much_later();
    cluster.sender(&post).step().await.unwrap();
    let told = cluster.reminders().await.remove(0);
    assert_eq!(told.state(), pb::ReminderState::Delivered);
    assert_eq!((told.attempts[0].error.as_str(), told.attempts[1].succeeded), ("unknown", true));
    assert_eq!(told.attempts[0].message_id, told.attempts[1].message_id, "a receiver can tell");
    assert_eq!(office.letters.lock().unwrap().len(), 1);
    cluster.sender(&post).step().await.unwrap();
    assert_eq!(office.letters.lock().unwrap().len(), 1, "and no third time");
}

/// Proves part of: N7
#[tokio::test]
async fn what_cannot_be_settled_holds_nothing_else_up() {
    let cluster = many(json!({}), 3).await;
    let swamp: Arc<dyn Post> = Arc::new(Swamp);
    let dying = cluster.sender(&swamp);
    assert!(tokio::time::timeout(Duration::from_millis(200), dying.step()).await.is_err(), "it never comes back");
    drop(dying);
    cluster.service.catch_up().await.unwrap();
    let begun = cluster.service.view(notifier::outbox::in_flight);
    assert_eq!(begun.len(), 3);
    cluster.puzzled(stream::reminder(begun[0].attempt.ticket)).await;
    cluster.much_later();
    let (office, post) = office();
    let failed = cluster.sender(&post).step().await;
    assert!(failed.is_err(), "it is not kept silent");
    assert_eq!(office.letters.lock().unwrap().len(), 2);
    let left = cluster.service.view(notifier::outbox::in_flight);
    assert_eq!(left, begun[..1], "the others are settled");
}

/// Proves part of: N5
#[tokio::test]
async fn two_senders_at_once_send_each_letter_once() {
    let mut cluster = Cluster::with(json!({})).await;
    cluster.set("ann", vec![address(pb::Medium::Email, "ann@example.org")]).await;
    for n in 0..20 {
        let happened = crate::world::Happened(
            stream::ticket(uuid::Uuid::from_u128(100 + n)),
            ticket::Event::Intake(crate::world::received(ticket::intake::Priority::Low, "2024-03-06 09:00")),
        );
        cluster.happened("09:00", happened).await;
    }
    let (office, post) = office();
    let (one, other) = (cluster.sender(&post), cluster.sender(&post));
    let (first, second) = tokio::join!(one.step(), other.step());
    first.unwrap();
    second.unwrap();
    let mut ids: Vec<_> = office.letters.lock().unwrap().iter().map(|letter| letter.message_id.clone()).collect();
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

/// Proves part of: N7
#[tokio::test]
async fn an_outage_delays_and_loses_nothing() {
    let mut cluster = told(json!({})).await;
    let (office, post) = office();
    let sender = cluster.sender(&post);
    let down = Trouble { kind: "unreachable".into(), permanent: false, retry_after_secs: None, gone: false };
    office.troubles.lock().unwrap().extend(vec![down; 3]);
    for at in ["09:00", "09:01", "09:02", "09:05"] {
        cluster.until(at).await;
        sender.step().await.unwrap();
        sender.step().await.unwrap();
    }
    let told = cluster.reminders().await.remove(0);
    let outcomes: Vec<_> = told.attempts.iter().map(|attempt| (attempt.number, attempt.succeeded)).collect();
    assert_eq!(outcomes, [(1, false), (2, false), (3, false), (4, true)]);
}

/// Proves part of: X6
#[tokio::test]
async fn whose_address_was_erased_is_told_by_another_medium() {
    let mut cluster = told(json!({})).await;
    let tenant = Tenant::new("acme");
    let subject = cluster.service.log().pseudonym(&tenant, "recipient", "ann");
    cluster.service.log().erase(&tenant, subject).await.unwrap();
    let (office, post) = office();
    cluster.sender(&post).step().await.unwrap();
    assert!(office.letters.lock().unwrap().is_empty());
    let told = cluster.reminders().await.remove(0);
    assert_eq!((told.attempts[0].error.as_str(), told.state()), ("erased", pb::ReminderState::Delivered));
    let asked = pb::GetRecipientRequest::default();
    let ann =
        cluster.client.get_recipient(by("ann", Role::Agent, asked)).await.unwrap().into_inner().recipient.unwrap();
    assert_eq!(ann.addresses[0].address, "(erased)");
}

/// Proves part of: N3
#[tokio::test]
async fn the_customer_is_reached_as_the_ticket_says() {
    let cluster = Cluster::with(json!({"audience": {"customer": true}})).await;
    cluster.received("09:00").await;
    let (office, post) = office();
    cluster.sender(&post).step().await.unwrap();
    assert_eq!(office.letters.lock().unwrap()[0].address, "doe@example.org");
}

#[tokio::test]
async fn a_held_sender_sends_nothing() {
    let cluster = told(json!({})).await;
    let (office, post) = office();
    let hold = cluster.service.log().hold("a test");
    cluster.sender(&post).step().await.unwrap();
    assert!(office.letters.lock().unwrap().is_empty());
    drop(hold);
    cluster.sender(&post).step().await.unwrap();
    assert_eq!(office.letters.lock().unwrap().len(), 1, "it was only held");
}

/// Proves part of: N5
#[tokio::test]
async fn rebuilt_under_new_rules_nobody_is_told_of_what_is_past() {
    let mut cluster = told(json!({})).await;
    let (office, post) = office();
    cluster.sender(&post).step().await.unwrap();
    let spec = crate::world::rule(&json!({"on": ["Received"], "audience": {"queue": "chiefs"}, "urgent": true}));
    cluster.apply(&[("ReminderRule", "new", spec.clone()), ("ReminderRule", "newer", spec)]).await;
    let (log, clock) = (Arc::clone(cluster.service.log()), cluster.service.clock().clone());
    let before = cluster.reminders().await;
    let mut rebuilt = Cluster::over(log, clock).await;
    rebuilt.until("10:00").await;
    rebuilt.sender(&post).step().await.unwrap();
    assert_eq!(rebuilt.reminders().await, before);
    assert_eq!(office.letters.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_running_sender_sends_and_stops() {
    let mut cluster = told(json!({})).await;
    let (office, post) = office();
    let stop = CancellationToken::new();
    let running = tokio::spawn(cluster.sender(&post).run(stop.clone()));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(office.letters.lock().unwrap().is_empty(), "without the lease nothing is sent");
    let (service, led) = (Arc::clone(&cluster.service), stop.clone());
    let leading = tokio::spawn(async move { service.lead(led).await });
    let arrived = async {
        while office.letters.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    leading.await.unwrap().unwrap();
    assert_eq!(cluster.reminders().await[0].state(), pb::ReminderState::Delivered);
}

/// A post office that answers when it is told to.
struct Slow {
    began: std::sync::Mutex<Vec<String>>,
    answers: tokio::sync::Semaphore,
}

impl Slow {
    fn open() -> (Arc<Self>, Arc<dyn Post>) {
        let slow = Arc::new(Self { began: std::sync::Mutex::default(), answers: tokio::sync::Semaphore::new(0) });
        (Arc::clone(&slow), slow)
    }

    fn began(&self) -> usize {
        self.began.lock().unwrap().len()
    }

    async fn until(&self, many: usize) {
        let begun = async {
            while self.began() < many {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), begun).await.unwrap();
    }
}

impl Post for Slow {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            self.began.lock().unwrap().push(letter.subject.clone());
            self.answers.acquire().await.unwrap().forget();
            Ok(Taken::of("250 ok"))
        })
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(40)
    }
}

async fn many(fields: serde_json::Value, count: u128) -> Cluster {
    let mut cluster = Cluster::with(fields).await;
    cluster.set("ann", vec![address(pb::Medium::Email, "ann@example.org")]).await;
    for n in 0..count {
        let happened = crate::world::Happened(
            stream::ticket(uuid::Uuid::from_u128(100 + n)),
            ticket::Event::Intake(crate::world::received(ticket::intake::Priority::Low, "2024-03-06 09:00")),
        );
        cluster.happened("09:00", happened).await;
    }
    cluster
}

/// Proves part of: N7
#[tokio::test]
async fn a_sender_that_is_told_to_stop_begins_nothing_more_and_waits_for_what_is_under_way() {
    let cluster = many(json!({}), 40).await;
    let (slow, post) = Slow::open();
    let stop = CancellationToken::new();
    let (service, led) = (Arc::clone(&cluster.service), stop.clone());
    let leading = tokio::spawn(async move { service.lead(led).await });
    let running = tokio::spawn(cluster.sender(&post).run(stop.clone()));
    slow.until(1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = slow.began();
    assert!(begun < 40, "some room is left for what is urgent");
    stop.cancel();
    leading.await.unwrap().unwrap();
    let (office, successor) = office();
    cluster.sender(&successor).step().await.unwrap();
    let sent = office.letters.lock().unwrap().len();
    assert_eq!(sent + begun, 40, "who takes over sends the rest, and nothing that is under way");
    slow.answers.add_permits(begun);
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    assert_eq!(slow.began(), begun, "nothing more began");
    cluster.service.catch_up().await.unwrap();
    assert_eq!(cluster.service.view(notifier::outbox::in_flight).len(), 0, "their ends are recorded");
}

/// Proves part of: N4
#[tokio::test]
async fn what_is_urgent_overtakes_what_is_slow() {
    let mut cluster = many(json!({}), 40).await;
    let urgent = json!({"on": ["TakenInCharge"], "audience": {"accountable": true}, "urgent": true});
    cluster.apply(&[("ReminderRule", "urgent", crate::world::rule(&urgent))]).await;
    let (slow, post) = Slow::open();
    let stop = CancellationToken::new();
    let (service, led) = (Arc::clone(&cluster.service), stop.clone());
    let leading = tokio::spawn(async move { service.lead(led).await });
    let running = tokio::spawn(cluster.sender(&post).run(stop.clone()));
    slow.until(24).await;
    let happened = crate::world::Happened(
        stream::ticket(uuid::Uuid::from_u128(100)),
        ticket::Event::Intake(crate::world::taken("ann", "2024-03-06 09:00")),
    );
    cluster.happened("09:01", happened).await;
    slow.until(25).await;
    assert!(slow.began.lock().unwrap()[24].starts_with("TakenInCharge"), "no answer had come to those before it");
    stop.cancel();
    slow.answers.add_permits(1_000);
    running.await.unwrap();
    leading.await.unwrap().unwrap();
}
