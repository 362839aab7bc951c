//! A digest as it is sent: one letter, links of their own for each of what it tells, tried again under one id.

use std::sync::Arc;
use std::time::Duration;

use chassis::token::Role;
use notifier::link::{Link, Verb};
use notifier::sender::{Letter, Post};
use proto::notifier::v1 as pb;
use reqwest::{Method, StatusCode};
use serde_json::json;
use ticket::intake::Priority;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::cluster::{Cluster, Office, Swamp, address, by, reason};
use crate::phone::links;
use crate::world::{Happened, received};

fn ticket(n: u128) -> Uuid {
    Uuid::from_u128(100 + n)
}

/// Three things that Ann is to hear of at seven, by mail.
async fn waiting() -> Cluster {
    let mut cluster = Cluster::with(json!({})).await;
    let recipient = pb::Recipient {
        subject: "ann".into(),
        quiet_from: "22:00".into(),
        quiet_to: "07:00".into(),
        addresses: vec![address(pb::Medium::Email, "ann@example.org")],
        ..Default::default()
    };
    let asked = pb::SetRecipientRequest { recipient: Some(recipient), ..Default::default() };
    cluster.client.set_recipient(by("root", Role::Admin, asked)).await.unwrap();
    for n in 0..3 {
        let event = Event::Intake(received(Priority::Low, "2024-03-08 09:00"));
        cluster.happened("23:00", Happened(stream::ticket(ticket(n)), event)).await;
    }
    cluster
}

async fn told(cluster: &mut Cluster, n: u128) -> pb::Reminder {
    let name = format!("tenants/acme/tickets/{}", ticket(n));
    let asked = pb::ListRemindersRequest { ticket: name, ..Default::default() };
    cluster.service.catch_up().await.unwrap();
    cluster.client.list_reminders(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner().reminders.remove(0)
}

async fn post(method: Method, url: &str, form: &str) -> (StatusCode, String) {
    let answer = reqwest::Client::new().request(method, url).body(form.to_owned()).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

fn link(links: &[Link], verb: Verb) -> String {
    links.iter().find(|link| link.verb == verb).unwrap().url.clone()
}

async fn sent(cluster: &Cluster) -> Letter {
    let office = Arc::new(Office::default());
    let (links, _) = links(cluster).await;
    let sender = cluster.sender(&(Arc::clone(&office) as Arc<dyn Post>)).with_links(links);
    cluster.until("2024-03-05 07:00").await;
    sender.step().await.unwrap();
    let letters = office.letters.lock().unwrap().clone();
    assert_eq!(letters.len(), 1, "one letter");
    letters[0].clone()
}

/// Proves part of: N5
#[tokio::test]
async fn each_of_what_a_digest_tells_has_links_of_its_own() {
    let mut cluster = waiting().await;
    let letter = sent(&cluster).await;
    assert_eq!((letter.subject.as_str(), letter.items.len()), ("3 reminders: Received 00000000 …", 3));
    assert!(letter.body.starts_with("[3 × new]\n1. Received 00000000") && letter.links.is_empty(), "{}", letter.body);
    let (first, second) = (&letter.items[0], &letter.items[1]);
    assert_eq!(post(Method::POST, &link(&first.links, Verb::Acknowledge), "").await.0, StatusCode::OK);
    assert_eq!(post(Method::POST, &link(&second.links, Verb::Snooze), "").await.0, StatusCode::OK);
    let (one, two, three) = (told(&mut cluster, 0).await, told(&mut cluster, 1).await, told(&mut cluster, 2).await);
    let states = [pb::ReminderState::Acknowledged, pb::ReminderState::Snoozed, pb::ReminderState::Delivered];
    assert_eq!([one.state(), two.state(), three.state()], states);
    for reminder in [&one, &two, &three] {
        assert_eq!(reminder.attempts[0].message_id, letter.message_id, "each says in which message it went");
        assert_eq!(letter.message_id, format!("{}.email", reminder.attempts[0].digest));
    }
    assert!(two.digest.is_empty() && three.digest == three.attempts[0].digest, "what is put off comes by itself");
}

/// Proves part of: N5, N9
#[tokio::test]
async fn what_a_reminder_was_worth_is_said_by_link_and_by_call_and_counted() {
    let mut cluster = waiting().await;
    let letter = sent(&cluster).await;
    let judge = link(&letter.items[0].links, Verb::Judge);
    let (status, page) = post(Method::GET, &judge, "").await;
    assert_eq!((status, page.matches("<button name=\"verdict\"").count()), (StatusCode::OK, 3), "{page}");
    assert_eq!(post(Method::POST, &judge, "verdict=splendid").await.0, StatusCode::NOT_FOUND);
    for verdict in ["not_useful", "useful"] {
        assert_eq!(post(Method::POST, &judge, &format!("verdict={verdict}")).await.0, StatusCode::OK);
    }
    assert_eq!(told(&mut cluster, 0).await.verdict(), pb::Verdict::Useful, "the last word counts");
    let reminder = told(&mut cluster, 1).await.name;
    let asked = |verdict: pb::Verdict| pb::JudgeReminderRequest {
        reminder: reminder.clone(),
        verdict: verdict.into(),
        request_id: String::new(),
    };
    let wrong = asked(pb::Verdict::WrongPerson);
    let other = cluster.client.judge_reminder(by("sue", Role::Admin, wrong.clone())).await.unwrap_err();
    assert_eq!(reason(&other), "REMINDER_NOT_FOUND");
    let nothing = cluster.client.judge_reminder(by("ann", Role::Agent, asked(pb::Verdict::Unspecified))).await;
    assert_eq!(reason(&nothing.unwrap_err()), "FIELDS_INVALID");
    cluster.client.judge_reminder(by("ann", Role::Agent, wrong)).await.unwrap();
    let asked = pb::GetReminderEffectRequest::default();
    let effect = cluster.client.get_reminder_effect(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner();
    let total = effect.total.unwrap();
    assert_eq!((total.useful, total.not_useful, total.wrong_person, total.open), (1, 0, 1, 3));
}

/// Proves part of: N5, N7
#[tokio::test]
async fn a_digest_whose_sender_died_goes_out_again_under_the_same_id() {
    let mut cluster = waiting().await;
    cluster.until("2024-03-05 07:00").await;
    let swamp: Arc<dyn Post> = Arc::new(Swamp);
    let dying = cluster.sender(&swamp);
    assert!(tokio::time::timeout(Duration::from_millis(200), dying.step()).await.is_err(), "it never comes back");
    drop(dying);
    cluster.much_later();
    let office = Arc::new(Office::default());
    cluster.sender(&(Arc::clone(&office) as Arc<dyn Post>)).step().await.unwrap();
    assert_eq!(office.letters.lock().unwrap().len(), 1);
    for n in 0..3 {
        let told = told(&mut cluster, n).await;
        assert_eq!((told.attempts[0].error.as_str(), told.attempts[1].succeeded), ("unknown", true));
        assert_eq!(told.attempts[0].message_id, told.attempts[1].message_id, "a receiver can tell");
    }
}
