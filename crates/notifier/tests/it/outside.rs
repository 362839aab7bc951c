//! Real conversations: mail by SMTP, webhooks by HTTP, with servers that take, refuse, and fall silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use notifier::sender::{Outside, Post, SenderConfig};
use proto::notifier::v1 as pb;
use serde_json::json;

use crate::cluster::{Cluster, SECRET, address};
use crate::servers::{self, Book};

fn outside(mail: Option<SocketAddr>) -> Arc<dyn Post> {
    reaching(mail, "127.0.0.1")
}

/// As [`outside`], with webhooks that may lead to these.
fn reaching(mail: Option<SocketAddr>, reach: &str) -> Arc<dyn Post> {
    let smtp_url = mail.map(|address| format!("smtp://{address}"));
    let timeout = Duration::from_secs(5);
    let mail_from = "Docket <docket@example.org>".into();
    let reach = reach.parse().unwrap();
    Arc::new(Outside::new(&SenderConfig { smtp_url, mail_from, timeout, reach, ..SenderConfig::default() }).unwrap())
}

/// Ann is reached at a mail server, then at a web server.
async fn told(web: Option<SocketAddr>) -> Cluster {
    let mut cluster = Cluster::with(json!({})).await;
    let mut addresses = vec![address(pb::Medium::Email, "ann@example.org")];
    addresses.extend(web.map(|web| address(pb::Medium::Webhook, &format!("http://{web}/hook?for=ann"))));
    let recipient = pb::Recipient { subject: "ann".into(), language: "zh-CN".into(), addresses, ..Default::default() };
    let asked = pb::SetRecipientRequest { recipient: Some(recipient), ..Default::default() };
    let root = crate::cluster::by("root", chassis::token::Role::Admin, asked);
    cluster.client.set_recipient(root).await.unwrap();
    cluster.received("09:00").await;
    cluster
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let found = text.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    found.unwrap_or_default()
}

fn attempts(reminder: &pb::Reminder) -> Vec<(pb::Medium, &str)> {
    let said = |attempt: &pb::Attempt| attempt.succeeded;
    reminder.attempts.iter().map(|one| (one.medium(), if said(one) { "arrived" } else { one.error.as_str() })).collect()
}

/// Proves part of: N1, N7
#[tokio::test]
async fn a_mail_is_written_as_mails_are() {
    let (book, mail) = servers::mail().await;
    let mut cluster = told(None).await;
    let post = outside(Some(mail));
    cluster.sender(&post).step().await.unwrap();
    let reminder = cluster.reminders().await.remove(0);
    assert_eq!(attempts(&reminder), [(pb::Medium::Email, "arrived")]);
    assert_eq!(reminder.attempts[0].receipt, "250 queued as 7");
    let taken = book.taken();
    let mail = &taken[0];
    assert_eq!(header(mail, "To"), "ann@example.org");
    assert_eq!(header(mail, "Message-ID"), format!("<{}@example.org>", reminder.attempts[0].message_id));
    assert_eq!(header(mail, "Date"), "Mon, 04 Mar 2024 09:00:00 +0000");
    assert!(reminder.name.ends_with(header(mail, "X-Docket-Reminder")));
    assert!(header(mail, "Subject").starts_with("=?utf-8?"), "{}", header(mail, "Subject"));
    assert!(mail.is_ascii() || header(mail, "Content-Transfer-Encoding") == "8bit");
}

/// Proves part of: N7
#[tokio::test]
async fn a_mail_server_that_refuses_is_asked_again_or_never() {
    let (book, mail) = servers::mail().await;
    let (hook, web) = servers::web().await;
    let mut cluster = told(Some(web)).await;
    let post = outside(Some(mail));
    let sender = cluster.sender(&post);
    book.say("451 later");
    sender.step().await.unwrap();
    book.say("550 no such ann@example.org");
    cluster.until("09:01").await;
    sender.step().await.unwrap();
    let reminder = cluster.reminders().await.remove(0);
    let expected =
        [(pb::Medium::Email, "refused 451"), (pb::Medium::Email, "refused 550"), (pb::Medium::Webhook, "arrived")];
    assert_eq!(attempts(&reminder), expected);
    assert_eq!((book.taken().len(), hook.taken().len()), (0, 1));
}

fn verified(request: &str) -> bool {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, header(request, name).parse().unwrap());
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    standardwebhooks::Webhook::new(SECRET).unwrap().verify(body.as_bytes(), &headers).is_ok()
}

/// Proves part of: N1
#[tokio::test]
async fn a_webhook_is_signed_as_standard_webhooks_are_and_heeds_the_answer() {
    let (book, web) = servers::web().await;
    let mut cluster = told(Some(web)).await;
    let post = outside(None);
    let sender = cluster.sender(&post);
    book.say("503 Busy\r\nretry-after: 90");
    sender.step().await.unwrap();
    cluster.until("09:01").await;
    sender.step().await.unwrap();
    assert_eq!(book.taken().len(), 1, "it asked for a minute and a half");
    cluster.until("09:02").await;
    sender.step().await.unwrap();
    let reminder = cluster.reminders().await.remove(0);
    let expected =
        [(pb::Medium::Email, "not configured"), (pb::Medium::Webhook, "status 503"), (pb::Medium::Webhook, "arrived")];
    assert_eq!(attempts(&reminder), expected);
    let taken = book.taken();
    assert!(taken.iter().all(|request| verified(request)));
    assert!(taken[0].starts_with("POST /hook?for=ann HTTP/1.1"));
    assert_eq!(header(&taken[0], "webhook-id"), header(&taken[1], "webhook-id"));
    assert_eq!(header(&taken[1], "webhook-id"), reminder.attempts[2].message_id);
    let body: serde_json::Value = serde_json::from_str(taken[1].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        (body["data"]["subject"].as_str(), body["data"]["event"].as_str()),
        (Some("工单 00000000"), Some("Received"))
    );
}

async fn answered(answer: &str) -> (Cluster, Arc<Book>) {
    let (book, web) = servers::web().await;
    let cluster = told(Some(web)).await;
    book.say(answer);
    let post = outside(None);
    cluster.sender(&post).step().await.unwrap();
    (cluster, book)
}

/// Proves part of: N7
#[tokio::test]
async fn a_webhook_that_is_gone_falls_through_and_redirects_are_not_followed() {
    for (answer, error) in [
        ("410 Gone", "status 410"),
        ("404 Not Found", "status 404"),
        ("302 Found\r\nlocation: /elsewhere", "status 302"),
    ] {
        let (mut cluster, book) = answered(answer).await;
        let reminder = cluster.reminders().await.remove(0);
        assert_eq!(attempts(&reminder)[1], (pb::Medium::Webhook, error));
        assert_eq!((reminder.state(), book.taken().len()), (pb::ReminderState::Delivered, 1), "the inbox is left");
    }
    let (mut cluster, _) = answered("500 Broken").await;
    assert_eq!(cluster.reminders().await[0].state(), pb::ReminderState::Sending);
}

/// Proves part of: N1, N7
#[tokio::test]
async fn an_address_that_is_gone_is_used_no_more_until_it_is_set_again() {
    let (book, web) = servers::web().await;
    let mut cluster = told(Some(web)).await;
    book.say("410 Gone");
    let post = outside(None);
    let sender = cluster.sender(&post);
    sender.step().await.unwrap();
    let get = || pb::GetRecipientRequest { subject: "ann".into(), ..Default::default() };
    let get = crate::cluster::by("ann", chassis::token::Role::Agent, get());
    let known = cluster.client.get_recipient(get).await.unwrap().into_inner().recipient.unwrap();
    let ended: Vec<_> = known.addresses.iter().map(|address| address.ended.as_str()).collect();
    assert_eq!(ended, ["", "status 410"], "its owner is told");
    let another = crate::world::received(ticket::intake::Priority::Low, "2024-03-06 09:00");
    let stream = ticket::stream::ticket(uuid::Uuid::from_u128(7));
    cluster.happened("09:01", crate::world::Happened(stream, ticket::Event::Intake(another))).await;
    sender.step().await.unwrap();
    assert_eq!(book.taken().len(), 1, "nobody calls there any more");
    let mut again = known.clone();
    again.addresses[1].secret = SECRET.into();
    let asked = pb::SetRecipientRequest { recipient: Some(again), ..Default::default() };
    let known = cluster
        .client
        .set_recipient(crate::cluster::by("ann", chassis::token::Role::Agent, asked))
        .await
        .unwrap()
        .into_inner()
        .recipient
        .unwrap();
    assert_eq!(known.addresses[1].ended, "", "set again, it is used again");
}

/// Proves part of: N1
#[tokio::test]
async fn nobody_is_waited_for_longer_than_an_hour() {
    for (said, secs) in [("429 Slow\r\nretry-after: 90", 90), ("503 Out\r\nretry-after: 864000", 3_600)] {
        let (book, web) = servers::web().await;
        book.say(said);
        let secret = Some(SECRET.into());
        let url = format!("http://{web}/");
        let letter = crate::peer::letter(ticket::notifier::Medium::Webhook, &url);
        let trouble = outside(None).send(&notifier::sender::Letter { secret, ..letter }).await.unwrap_err();
        assert_eq!((trouble.permanent, trouble.retry_after_secs), (false, Some(secs)));
    }
}

/// Proves part of: N7
#[tokio::test]
async fn servers_that_are_not_there_are_tried_again() {
    let (_, mail) = servers::mail().await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let mut cluster = told(None).await;
    let post = outside(Some(nobody));
    cluster.sender(&post).step().await.unwrap();
    let post = outside(Some(mail));
    cluster.until("09:01").await;
    cluster.sender(&post).step().await.unwrap();
    let reminder = cluster.reminders().await.remove(0);
    assert_eq!(attempts(&reminder), [(pb::Medium::Email, "unreachable"), (pb::Medium::Email, "arrived")]);
}

/// Proves part of: X6
#[tokio::test]
async fn no_webhook_leads_into_the_house() {
    let (book, web) = servers::web().await;
    let letter = |url: String| {
        let secret = Some(SECRET.into());
        notifier::sender::Letter { secret, ..crate::peer::letter(ticket::notifier::Medium::Webhook, &url) }
    };
    let (by_number, by_name) = (letter(format!("http://{web}/")), letter(format!("http://localhost:{}/", web.port())));
    let public = reaching(None, "");
    for letter in [&by_number, &by_name] {
        let trouble = public.send(letter).await.unwrap_err();
        assert_eq!((trouble.kind.as_str(), trouble.permanent), ("address forbidden", true));
    }
    assert!(book.taken().is_empty());
    assert!(reaching(None, "127.0.0.0/8").send(&by_number).await.is_ok());
    assert!(reaching(None, "localhost").send(&by_name).await.is_ok());
    assert_eq!(reaching(None, "localhost").send(&by_number).await.unwrap_err().kind, "address forbidden");
}
