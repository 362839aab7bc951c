//! The effect of reminders, and the replay of other rules, as the API answers them.

use chassis::token::Role;
use proto::config::v1::Document;
use proto::notifier::v1 as pb;
use serde_json::{Value, json};
use tonic::Code;

use crate::cluster::{Cluster, by};
use crate::world::{TICKET, rule, taken};

/// What became of Ann's one reminder, told at nine.
async fn effect(cluster: &mut Cluster) -> pb::GetReminderEffectResponse {
    let asked = pb::GetReminderEffectRequest::default();
    cluster.client.get_reminder_effect(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner()
}

async fn acknowledge(cluster: &mut Cluster) {
    let listed = pb::ListInboxRequest::default();
    let inbox = cluster.client.list_inbox(by("ann", Role::Agent, listed)).await.unwrap().into_inner();
    let reminder = inbox.reminders[0].name.clone();
    let read = pb::ReadReminderRequest { reminder: reminder.clone(), ..Default::default() };
    cluster.client.read_reminder(by("ann", Role::Agent, read)).await.unwrap();
    let asked = pb::AcknowledgeReminderRequest { reminder, ..Default::default() };
    cluster.client.acknowledge_reminder(by("ann", Role::Agent, asked)).await.unwrap();
}

/// Proves part of: N9
#[tokio::test]
async fn every_reminder_is_counted_once_by_what_became_of_it() {
    let mut cluster = Cluster::with(json!({"answer_within": "30m"})).await;
    cluster.received("09:00").await;
    let one = effect(&mut cluster).await;
    assert_eq!(one.total, Some(pb::ReminderEnds { open: 1, ..Default::default() }));
    let row = &one.rows[0];
    assert_eq!((row.rule.as_str(), row.medium(), row.hours, row.ends), ("new", pb::Medium::InApp, 3, one.total));
    cluster.until("09:31").await;
    let unread = pb::ReminderEnds { unread: 1, ..Default::default() };
    assert_eq!(effect(&mut cluster).await.total, Some(unread), "nobody looked at it");
    acknowledge(&mut cluster).await;
    let acted_on = pb::ReminderEnds { acted_on: 1, ..Default::default() };
    assert_eq!(effect(&mut cluster).await.total, Some(acted_on), "an answer that is late is an answer");
    let before = pb::GetReminderEffectRequest {
        end_time: Some(chassis::wire::timestamp(crate::world::us("09:00"))),
        ..Default::default()
    };
    let before = cluster.client.get_reminder_effect(by("sue", Role::Manager, before)).await.unwrap().into_inner();
    assert_eq!(before.total, Some(pb::ReminderEnds::default()));
}

/// Proves part of: N9
#[tokio::test]
async fn what_somebody_else_did_supersedes() {
    let mut cluster = Cluster::with(json!({})).await;
    cluster.received("09:00").await;
    cluster.happened("09:05", taken("bob", "12:00")).await;
    let superseded = pb::ReminderEnds { superseded: 1, ..Default::default() };
    assert_eq!(effect(&mut cluster).await.total, Some(superseded));
}

async fn replay(cluster: &mut Cluster, rules: &[(&str, &str, Value)]) -> pb::ReplayRemindersResponse {
    let document = |(kind, name, spec): &(&str, &str, Value)| Document {
        kind: (*kind).into(),
        name: (*name).into(),
        spec_json: spec.to_string(),
        version: 0,
    };
    let documents = rules.iter().map(document).collect();
    let asked = pb::ReplayRemindersRequest { documents, ..Default::default() };
    cluster.client.replay_reminders(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner()
}

/// Proves part of: N9
#[tokio::test]
async fn other_rules_are_replayed_over_the_log() {
    let mut cluster = Cluster::with(json!({})).await;
    cluster.received("09:00").await;
    let start_time = Some(chassis::wire::timestamp(crate::world::us("08:30")));
    let spec = rule(&json!({"on": ["Closed"], "audience": {"accountable": true}}));
    let document =
        Document { kind: "ReminderRule".into(), name: "other".into(), spec_json: spec.to_string(), version: 0 };
    let asked = pb::ReplayRemindersRequest { documents: vec![document], start_time, ..Default::default() };
    let found = cluster.client.replay_reminders(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner();
    assert_eq!((found.recorded, found.reminders_was, found.reminders_would_be), (1, 1, 0));
    assert_eq!((found.messages[0].rule.as_str(), found.messages[0].was, found.messages[0].would_be), ("new", 1, 0));
    assert_eq!(found.at_risk[0].ticket, format!("tenants/acme/tickets/{TICKET}"));

    let bad = replay(&mut cluster, &[("Queue", "desk", json!({})), ("ReminderRule", "odd", json!({"on": []}))]).await;
    let at: Vec<_> = bad.faults.iter().map(|fault| (fault.name.as_str(), fault.path.as_str())).collect();
    assert_eq!(at, [("desk", ""), ("odd", "/audience"), ("odd", "/on"), ("odd", "/text")]);
    let none = pb::ReplayRemindersRequest::default();
    let refused = cluster.client.replay_reminders(by("sue", Role::Supervisor, none)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}
