//! Telephones: text messages and calls over an HTTP API, text messages by SMPP, and what is told of them afterwards.

use std::sync::Arc;
use std::time::Duration;

use notifier::link::Links;
use notifier::sender::{Post, answers};
use proto::notifier::v1 as pb;
use serde_json::{Value, json};
use ticket::notifier::Medium;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::channels::post;
use crate::cluster::{Cluster, address};
use crate::peer::{Peer, letter};

/// Ann is reached by this medium at this number.
async fn told(medium: pb::Medium, number: &str) -> Cluster {
    let mut cluster = Cluster::with(json!({})).await;
    cluster.set("ann", vec![address(medium, number)]).await;
    cluster.received("09:00").await;
    cluster
}

/// Links that are answered at a port of this test's own.
pub(crate) async fn links(cluster: &Cluster) -> (Links, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let links = Links::new(&base, &[9; 32]).unwrap();
    let router = answers::router(Arc::clone(&cluster.service), links.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (links, base)
}

fn provider(peer: &Peer) -> Arc<dyn Post> {
    let account = json!({"url": peer.url(""), "account": "AC1", "token": "token", "from": "+15005550006"});
    post(json!({"sms": {"twilio": account}, "voice": {"twilio": account}}))
}

/// Proves part of: N1, N7
#[tokio::test]
async fn a_text_message_is_taken_and_delivered_or_comes_back() {
    for (number, state) in
        [("+493012345678", pb::ReminderState::Delivered), ("+15005550099", pb::ReminderState::Delivered)]
    {
        let Some(mut peer) = Peer::python("web.py", &[]).await else { return };
        let mut cluster = told(pb::Medium::Sms, number).await;
        let (links, _) = links(&cluster).await;
        let post = provider(&peer);
        cluster.sender(&post).with_links(links).step().await.unwrap();
        let taken = peer.json().await;
        assert_eq!((&taken["wrong"], &taken["said"]["To"]), (&Value::Null, &json!(number)));
        assert!(taken["said"]["Body"].as_str().unwrap().starts_with("Received 00000000"));
        assert_eq!(peer.json().await["told"], "", "both reports were taken");
        let reminder = cluster.reminders().await.remove(0);
        assert_eq!(reminder.state(), state, "the inbox is left");
        let attempt = &reminder.attempts[0];
        if number.ends_with("99") {
            assert_eq!((attempt.succeeded, attempt.error.as_str()), (false, "status undelivered 30003"));
        } else {
            assert_eq!((attempt.succeeded, attempt.receipt.as_str()), (true, "status delivered"));
            assert!(attempt.deliver_time.is_some());
        }
    }
}

/// Proves part of: N1, N7
#[tokio::test]
async fn a_provider_s_codes_pass_or_do_not() {
    let Some(peer) = Peer::python("web.py", &[]).await else { return };
    let post = provider(&peer);
    for (number, kind, permanent) in [
        ("+15005550001", "code 21211", true),
        ("+15005550009", "code 21614", true),
        ("+15005550004", "status 429", false),
    ] {
        for medium in [Medium::Sms, Medium::Voice] {
            let trouble = post.send(&letter(medium, number)).await.unwrap_err();
            assert_eq!((trouble.kind.as_str(), trouble.permanent), (kind, permanent), "{medium:?}");
        }
    }
    let account = json!({"url": peer.url(""), "account": "AC1", "token": "guess", "from": "+15005550006"});
    let guessing = crate::channels::post(json!({"sms": {"twilio": account}}));
    let trouble = guessing.send(&letter(Medium::Sms, "+493012345678")).await.unwrap_err();
    assert_eq!((trouble.kind.as_str(), trouble.permanent), ("code 20003", false));
}

/// Proves part of: N1, N7
#[tokio::test]
async fn a_call_reads_the_text_out_and_a_key_acknowledges() {
    let Some(mut peer) = Peer::python("web.py", &[]).await else { return };
    let mut cluster = told(pb::Medium::Voice, "+493012345678").await;
    let (links, _) = links(&cluster).await;
    let post = provider(&peer);
    cluster.sender(&post).with_links(links).step().await.unwrap();
    let taken = peer.json().await;
    let twiml = taken["said"]["Twiml"].as_str().unwrap();
    assert!(twiml.contains("<Say language=\"en-US\">Received 00000000. repair high desk"), "{twiml}");
    assert_eq!(peer.json().await["told"], json!(["Response", ""]));
    let reminder = cluster.reminders().await.remove(0);
    assert_eq!(reminder.state(), pb::ReminderState::Acknowledged);
    assert!(reminder.attempts[0].deliver_time.is_some() && reminder.end_time.is_some());
}

/// Proves part of: N1
#[tokio::test]
async fn a_message_centre_puts_every_message_together_as_it_was() {
    let Some(mut peer) = Peer::node("smsc.mjs").await else { return };
    let centre = |password: &str| {
        let address = format!("127.0.0.1:{}", peer.port);
        json!({"sms": {"smpp": {"address": address, "system_id": "docket", "password": password, "from": "Docket"}}})
    };
    let (good, bad) = (post(centre("secret")), post(centre("guess")));
    let long = "The pump of hall 3 is late, {and} costs 20 € a minute. ".repeat(8);
    let chinese = "三号车间的水泵已经超时，请立即处理。".repeat(9);
    for (body, coding, many) in
        [("It is late.", 0, false), (long.trim(), 0, true), ("已超时。", 8, false), (&chinese, 8, true)]
    {
        let sent = notifier::sender::Letter { body: body.into(), ..letter(Medium::Sms, "+4930123450") };
        let taken = good.send(&sent).await.unwrap();
        assert!(taken.reference.is_some());
        let arrived = peer.json().await;
        assert_eq!(
            (&arrived["from"], &arrived["to"], &arrived["coding"]),
            (&json!("Docket"), &json!("4930123450"), &json!(coding))
        );
        assert_eq!(arrived["text"], format!("{}\n{body}", sent.subject));
        assert_eq!(arrived["parts"].as_u64().unwrap() > 1, many, "{arrived}");
    }
    let refused = async |post: &Arc<dyn Post>, number: &str| {
        let trouble = post.send(&letter(Medium::Sms, number)).await.unwrap_err();
        (trouble.kind, trouble.permanent, trouble.retry_after_secs)
    };
    assert_eq!(refused(&good, "+4930123459").await, ("status 0x0000000b".into(), true, None));
    assert_eq!(refused(&good, "+4930123458").await, ("status 0x00000058".into(), false, Some(10)));
    assert_eq!(refused(&bad, "+4930123450").await, ("status 0x0000000d".into(), false, None));
}

/// Proves part of: N7
#[tokio::test]
async fn a_message_centre_s_receipts_are_heard() {
    for (number, error) in [("+4930123450", ""), ("+4930123457", "receipt undeliverable")] {
        let Some(peer) = Peer::node("smsc.mjs").await else { return };
        let mut cluster = told(pb::Medium::Sms, number).await;
        let address = format!("127.0.0.1:{}", peer.port);
        let centre = json!({"address": address, "system_id": "docket", "password": "secret", "from": "+4930999"});
        let post = post(json!({"sms": {"smpp": centre}}));
        let stop = CancellationToken::new();
        let (service, led) = (Arc::clone(&cluster.service), stop.clone());
        let leading = tokio::spawn(async move { service.lead(led).await });
        let running = tokio::spawn(cluster.sender(&post).run(stop.clone()));
        let mut heard = false;
        for _ in 0..400 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let reminder = cluster.reminders().await.remove(0);
            let Some(attempt) = reminder.attempts.first() else { continue };
            heard = if error.is_empty() { attempt.deliver_time.is_some() } else { attempt.error == error };
            if heard {
                break;
            }
        }
        assert!(heard, "{number}");
        stop.cancel();
        running.await.unwrap();
        leading.await.unwrap().unwrap();
    }
}
