//! Links that act: looked at they do nothing, posted they do one thing once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::token::Role;
use notifier::link::{Link, Verb};
use notifier::sender::{Letter, Post, Posting, Taken};
use proto::notifier::v1 as pb;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::cluster::{Cluster, address, by};
use crate::phone::links;
use crate::world::offered;

/// A post office that keeps the links of the last letter.
#[derive(Default)]
struct Keeper(Mutex<Vec<Link>>);

impl Post for Keeper {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        self.0.lock().unwrap().clone_from(&letter.links);
        Box::pin(async { Ok(Taken::of("250 ok")) })
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl Keeper {
    fn link(&self, verb: Verb) -> String {
        self.0.lock().unwrap().iter().find(|link| link.verb == verb).unwrap().url.clone()
    }
}

async fn asked(method: Method, url: &str) -> (StatusCode, String) {
    let answer = reqwest::Client::new().request(method, url).send().await.unwrap();
    let headers = answer.headers();
    assert!(headers["cache-control"] == "no-store" && headers["referrer-policy"] == "no-referrer");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    (answer.status(), answer.text().await.unwrap())
}

async fn state(cluster: &mut Cluster) -> pb::ReminderState {
    cluster.reminders().await[0].state()
}

async fn head(cluster: &Cluster) -> i64 {
    cluster.service.log().head().await.unwrap().position
}

/// Proves part of: N5, N6, N7
#[tokio::test]
async fn a_link_that_is_looked_at_does_nothing_and_one_that_is_posted_acts_once() {
    let mut cluster = Cluster::with(json!({})).await;
    cluster.set("ann", vec![address(pb::Medium::Email, "ann@example.org")]).await;
    cluster.received("09:00").await;
    let (links, _) = links(&cluster).await;
    let keeper = Arc::new(Keeper::default());
    let post: Arc<dyn Post> = Arc::clone(&keeper) as _;
    let sender = cluster.sender(&post).with_links(links);
    sender.step().await.unwrap();
    let before = head(&cluster).await;
    let (acknowledge, snooze) = (keeper.link(Verb::Acknowledge), keeper.link(Verb::Snooze));
    for url in [&acknowledge, &snooze] {
        let (status, page) = asked(Method::GET, url).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("Received 00000000") && page.contains("<form method=\"post\">"), "{page}");
    }
    assert_eq!(head(&cluster).await, before, "whoever looks at every link of a mail does nothing");

    assert_eq!(asked(Method::POST, &snooze).await.0, StatusCode::OK);
    assert_eq!(state(&mut cluster).await, pb::ReminderState::Snoozed);
    let snoozed = head(&cluster).await;
    assert_eq!(asked(Method::POST, &snooze).await.0, StatusCode::OK);
    assert_eq!(head(&cluster).await, snoozed, "pressed twice, it is put off once");
    cluster.until("10:01").await;
    sender.step().await.unwrap();
    let again = keeper.link(Verb::Snooze);
    assert_ne!(again, snooze, "what comes again has links of its own");
    let came = head(&cluster).await;
    asked(Method::POST, &snooze).await;
    assert_eq!(head(&cluster).await, came, "nor does an old link put off what came again");

    assert_eq!(asked(Method::POST, &acknowledge).await.0, StatusCode::OK);
    assert_eq!(state(&mut cluster).await, pb::ReminderState::Acknowledged);
    assert_eq!(asked(Method::POST, &acknowledge).await.0, StatusCode::OK);
    assert_eq!(asked(Method::POST, &again).await.0, StatusCode::CONFLICT, "it is over");
    let forged = acknowledge.replace("/l/acme/", "/l/globex/");
    assert_eq!(asked(Method::POST, &forged).await.0, StatusCode::NOT_FOUND);
    cluster.until("2024-03-07 10:30").await;
    assert_eq!(asked(Method::POST, &acknowledge).await.0, StatusCode::GONE);
    assert_eq!(asked(Method::GET, &acknowledge).await.0, StatusCode::GONE);
}

/// Proves part of: N5
#[tokio::test]
async fn an_offer_is_taken_by_its_link() {
    let mut cluster = Cluster::with(json!({"on": ["Offered"], "audience": {"engineer": true}})).await;
    let recipient = pb::Recipient {
        subject: "eva".into(),
        language: "zh-CN".into(),
        addresses: vec![address(pb::Medium::Email, "eva@example.org")],
        ..Default::default()
    };
    let asks = pb::SetRecipientRequest { recipient: Some(recipient), ..Default::default() };
    cluster.client.set_recipient(by("root", Role::Admin, asks)).await.unwrap();
    cluster.received("09:00").await;
    cluster.happened("09:01", offered("eva", "09:30")).await;
    let (links, _) = links(&cluster).await;
    let keeper = Arc::new(Keeper::default());
    let post: Arc<dyn Post> = Arc::clone(&keeper) as _;
    cluster.sender(&post).with_links(links).step().await.unwrap();
    let verbs: Vec<_> = keeper.0.lock().unwrap().iter().map(|link| link.verb).collect();
    assert_eq!(verbs, [Verb::Accept, Verb::Acknowledge, Verb::Snooze, Verb::Judge]);
    let accept = keeper.link(Verb::Accept);
    assert!(asked(Method::GET, &accept).await.1.contains("<button>接单</button>"));
    let before = head(&cluster).await;
    for _ in 0..2 {
        assert_eq!(asked(Method::POST, &accept).await.0, StatusCode::OK);
    }
    assert_eq!(head(&cluster).await, before + 1, "it is said once");
    let rows = cluster.service.log().read(&eventlog::store::Select::All, None, before, 10).await.unwrap();
    let said = String::from_utf8_lossy(&rows[0].body).into_owned();
    assert_eq!((rows[0].kind.as_str(), said.contains("\"by\":\"eva\"")), ("OfferTaken", true), "{said}");
}
