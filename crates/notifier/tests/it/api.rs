//! The API: inboxes, their stream, who may see and do what, and every fault of a request at once.

use chassis::token::Role;
use proto::notifier::v1 as pb;
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use crate::cluster::{Cluster, SECRET, address, by, reason};
use crate::world::us;

async fn told() -> Cluster {
    let cluster = Cluster::with(json!({"answer_within": "30m", "escalate_to": "chiefs"})).await;
    cluster.received("09:00").await;
    cluster
}

async fn inbox(cluster: &mut Cluster, subject: &str, unread: bool) -> Vec<pb::Reminder> {
    let asked = pb::ListInboxRequest { unread, ..Default::default() };
    cluster.client.list_inbox(by(subject, Role::Requester, asked)).await.unwrap().into_inner().reminders
}

/// Proves part of: N7, X3
#[tokio::test]
async fn everybody_has_an_inbox_and_nobody_another_s() {
    let mut cluster = told().await;
    let mine = inbox(&mut cluster, "ann", true).await;
    assert_eq!((mine.len(), mine[0].recipient.as_str(), mine[0].state()), (1, "ann", pb::ReminderState::Delivered));
    assert!(inbox(&mut cluster, "sue", false).await.is_empty());
    let name = mine[0].name.clone();
    let read = || pb::ReadReminderRequest { reminder: name.clone(), ..Default::default() };
    let foreign = cluster.client.read_reminder(by("sue", Role::Admin, read())).await.unwrap_err();
    assert_eq!((foreign.code(), reason(&foreign).as_str()), (Code::NotFound, "REMINDER_NOT_FOUND"));
    let done = cluster.client.read_reminder(by("ann", Role::Agent, read())).await.unwrap().into_inner();
    assert_eq!(done.reminder.unwrap().state(), pb::ReminderState::Read);
    assert!(inbox(&mut cluster, "ann", true).await.is_empty());
    let answer = pb::AcknowledgeReminderRequest { reminder: name.clone(), ..Default::default() };
    let done = cluster.client.acknowledge_reminder(by("ann", Role::Agent, answer)).await.unwrap().into_inner();
    assert_eq!(done.reminder.unwrap().state(), pb::ReminderState::Acknowledged);
    let later = pb::SnoozeReminderRequest {
        reminder: name,
        until_time: Some(chassis::wire::timestamp(us("09:10"))),
        ..Default::default()
    };
    let over = cluster.client.snooze_reminder(by("ann", Role::Agent, later)).await.unwrap_err();
    assert_eq!((over.code(), reason(&over).as_str()), (Code::FailedPrecondition, "REMINDER_SETTLED"));
    let odd = pb::ReadReminderRequest { reminder: "tenants/acme/tickets/1/reminders/2".into(), ..Default::default() };
    assert_eq!(
        reason(&cluster.client.read_reminder(by("ann", Role::Agent, odd)).await.unwrap_err()),
        "REMINDER_NOT_FOUND"
    );
}

/// Proves part of: N6
#[tokio::test]
async fn a_snooze_is_shortened_to_what_is_still_useful() {
    let mut cluster = told().await;
    let name = inbox(&mut cluster, "ann", true).await[0].name.clone();
    let snooze = |until: Option<&str>| pb::SnoozeReminderRequest {
        reminder: name.clone(),
        until_time: until.map(|until| chassis::wire::timestamp(us(until))),
        ..Default::default()
    };
    for (until, code) in [(None, Code::InvalidArgument), (Some("08:00"), Code::InvalidArgument)] {
        assert_eq!(
            cluster.client.snooze_reminder(by("ann", Role::Agent, snooze(until))).await.unwrap_err().code(),
            code
        );
    }
    let done = cluster.client.snooze_reminder(by("ann", Role::Agent, snooze(Some("12:00")))).await.unwrap();
    assert_eq!(done.into_inner().reminder.unwrap().state(), pb::ReminderState::Snoozed);
    cluster.until("09:31").await;
    assert_eq!(inbox(&mut cluster, "ann", false).await[0].state(), pb::ReminderState::Unanswered);
    assert_eq!(inbox(&mut cluster, "sue", true).await[0].step, 1);
}

/// Proves part of: N7
#[tokio::test]
async fn an_inbox_is_watched_as_it_changes() {
    let mut cluster = Cluster::with(json!({})).await;
    let watch = pb::WatchInboxRequest::default();
    let mut changes = cluster.client.watch_inbox(by("ann", Role::Agent, watch)).await.unwrap().into_inner();
    cluster.received("09:00").await;
    let first = changes.message().await.unwrap().unwrap();
    assert_eq!((first.kind.as_str(), first.reminder.unwrap().recipient.as_str()), ("ReminderPlanned", "ann"));
    cluster.happened("09:05", crate::world::taken("bob", "12:00")).await;
    let second = changes.message().await.unwrap().unwrap();
    assert_eq!(
        (second.kind.as_str(), second.reminder.unwrap().state()),
        ("ReminderRecalled", pb::ReminderState::Recalled)
    );
    let again = pb::WatchInboxRequest { from_position: first.log_position };
    let mut again = cluster.client.watch_inbox(by("ann", Role::Agent, again)).await.unwrap().into_inner();
    assert_eq!(again.message().await.unwrap().unwrap().kind, "ReminderRecalled");
    let odd = pb::WatchInboxRequest { from_position: "yesterday".into() };
    let odd = cluster.client.watch_inbox(by("ann", Role::Agent, odd)).await.unwrap_err();
    assert_eq!(odd.get_error_details().bad_request().unwrap().field_violations[0].field, "from_position");
}

/// Proves part of: N6, X6
#[tokio::test]
async fn addresses_are_shown_to_their_owner_and_to_administrators_alone() {
    let mut cluster = Cluster::with(json!({})).await;
    let mine = pb::Recipient {
        language: "zh-CN".into(),
        zone: "Asia/Shanghai".into(),
        quiet_from: "22:00".into(),
        quiet_to: "07:30".into(),
        hourly_cap: 5,
        addresses: vec![
            address(pb::Medium::Webhook, "https://example.org/ann"),
            address(pb::Medium::Email, "ann@example.org"),
        ],
        ..Default::default()
    };
    let asked = pb::SetRecipientRequest { recipient: Some(mine.clone()), ..Default::default() };
    let first = cluster.client.set_recipient(by("ann", Role::Agent, asked.clone())).await.unwrap().into_inner();
    let again = cluster.client.set_recipient(by("ann", Role::Agent, asked.clone())).await.unwrap().into_inner();
    assert_eq!(first.recipient, again.recipient, "the same again is nothing");
    let known = first.recipient.unwrap();
    assert_eq!((known.etag.as_str(), known.quiet_to.as_str()), ("1", "07:30"));
    assert_eq!(known.addresses[0].address, "https://example.org/ann");
    assert!(known.addresses.iter().all(|address| address.secret.is_empty()), "a secret is never shown");
    let log = cluster.service.log();
    let rows = log.read(&eventlog::store::Select::All, None, 0, 1_000).await.unwrap();
    let stored = rows.iter().map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect::<String>();
    assert!(!stored.contains("example.org") && !stored.contains(&SECRET[6..]), "nothing personal is stored in clear");

    let get = |subject: &str| pb::GetRecipientRequest { subject: subject.into(), ..Default::default() };
    let seen =
        |answer: tonic::Response<pb::GetRecipientResponse>| answer.into_inner().recipient.unwrap().addresses.len();
    assert_eq!(seen(cluster.client.get_recipient(by("root", Role::Admin, get("ann"))).await.unwrap()), 2);
    assert_eq!(seen(cluster.client.get_recipient(by("sue", Role::Supervisor, get("ann"))).await.unwrap()), 0);
    let stranger = cluster.client.get_recipient(by("doe", Role::Requester, get("ann"))).await.unwrap_err();
    assert_eq!(reason(&stranger), "RECIPIENT_NOT_FOUND");
    let other = pb::Recipient { subject: "ann".into(), ..mine };
    let asked = pb::SetRecipientRequest { recipient: Some(other), ..Default::default() };
    let denied = cluster.client.set_recipient(by("sue", Role::Supervisor, asked)).await.unwrap_err();
    assert_eq!((denied.code(), reason(&denied).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    let list = pb::ListRecipientsRequest::default();
    let all = cluster.client.list_recipients(by("sue", Role::Agent, list)).await.unwrap().into_inner().recipients;
    assert_eq!((all.len(), all[0].addresses.len()), (1, 0));
}

/// Proves part of: X5
#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let mut cluster = Cluster::new().await;
    let wrong = pb::Recipient {
        language: "klingon!".into(),
        zone: "Mars/Base".into(),
        quiet_from: "25:00".into(),
        quiet_to: "07:00".into(),
        hourly_cap: 1_000,
        addresses: vec![
            pb::Address { medium: pb::Medium::Email.into(), address: "nowhere".into(), ..Default::default() },
            pb::Address {
                medium: pb::Medium::Webhook.into(),
                address: "ftp://x".into(),
                secret: "hush".into(),
                ..Default::default()
            },
            pb::Address { medium: pb::Medium::InApp.into(), ..Default::default() },
            address(pb::Medium::Webhook, "http://169.254.169.254/latest"),
        ],
        ..Default::default()
    };
    let asked = pb::SetRecipientRequest { recipient: Some(wrong), ..Default::default() };
    let refused = cluster.client.set_recipient(by("ann", Role::Agent, asked)).await.unwrap_err();
    let details = refused.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|fault| fault.field.as_str()).collect();
    let expected = [
        "recipient.language",
        "recipient.zone",
        "recipient.hourly_cap",
        "recipient.quiet_from",
        "recipient.addresses[0].address",
        "recipient.addresses[1].address",
        "recipient.addresses[1].secret",
        "recipient.addresses[2].medium",
        "recipient.addresses[3].medium",
        "recipient.addresses[3].address",
    ];
    assert_eq!(fields, expected);
}

/// Proves part of: N4, N6
#[tokio::test]
async fn presence_and_rest_are_said_and_end_by_themselves() {
    let mut cluster = Cluster::with(json!({})).await;
    let time = |at: &str| Some(chassis::wire::timestamp(us(at)));
    let here = pb::ReportPresenceRequest { presence: pb::Presence::Online.into(), ..Default::default() };
    let said =
        cluster.client.report_presence(by("ann", Role::Agent, here)).await.unwrap().into_inner().recipient.unwrap();
    assert_eq!((said.presence(), said.presence_until_time), (pb::Presence::Online, time("09:00")), "an hour");
    let rest = pb::SetDoNotDisturbRequest { until_time: time("10:00"), ..Default::default() };
    let said = cluster.client.set_do_not_disturb(by("ann", Role::Agent, rest)).await.unwrap().into_inner();
    assert_eq!(said.recipient.unwrap().do_not_disturb_until_time, time("10:00"));
    cluster.until("10:00").await;
    let get = pb::GetRecipientRequest::default();
    let now = cluster.client.get_recipient(by("ann", Role::Agent, get)).await.unwrap().into_inner().recipient.unwrap();
    assert_eq!((now.presence(), now.do_not_disturb_until_time), (pb::Presence::Unspecified, None));
    let odd = pb::ReportPresenceRequest::default();
    let odd = cluster.client.report_presence(by("ann", Role::Agent, odd)).await.unwrap_err();
    assert_eq!(reason(&odd), "FIELDS_INVALID");
}

/// Proves part of: X1, X3
#[tokio::test]
async fn documents_are_listed_and_tickets_of_others_are_not_known() {
    let mut cluster = told().await;
    let asked = pb::ListDocumentsRequest { kind: "ReminderRule".into(), ..Default::default() };
    let listed = cluster.client.list_documents(by("ann", Role::Agent, asked)).await.unwrap().into_inner().documents;
    assert_eq!((listed.len(), listed[0].version), (1, 1));
    let applied = cluster.apply(&[("ReminderRule", "new", json!({"on": ["x"]}))]).await;
    assert!(applied.faults.iter().any(|fault| fault.path == "/audience") && applied.documents.is_empty());
    for ticket in ["tenants/other/tickets/1", "tenants/acme/tickets/00000000-0000-0000-0000-000000000002"] {
        let asked = pb::ListRemindersRequest { ticket: ticket.into(), ..Default::default() };
        let unknown = cluster.client.list_reminders(by("sue", Role::Agent, asked)).await.unwrap_err();
        assert_eq!(reason(&unknown), "TICKET_NOT_FOUND");
    }
}

#[test]
fn every_method_has_its_roles() {
    let faults = chassis::access::uncovered(proto::DESCRIPTORS, &[notifier::ACCESS]).unwrap();
    let ours: Vec<_> = faults.iter().filter(|fault| fault.contains("docket.notifier")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}
