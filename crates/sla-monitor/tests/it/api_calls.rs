//! Over the API: calls and their answers, who is on call, major events, figures, and what documents would do.

use proto::config::v1::Document;
use proto::sla_monitor::v1::{
    AcknowledgeEscalationRequest, ApplyDocumentsRequest, DeclareMajorEventRequest, EndMajorEventRequest,
    GetOnCallRequest, ListClocksRequest, ListMajorEventsRequest, ReportClocksRequest,
};
use serde_json::{Value, json};
use ticket::intake::Status as State;
use tonic::Code;

use crate::api::{Cluster, by, cluster, name, reason};
use crate::world::{TICKET, always, line, us};

fn documents(target: &str, more: &Value) -> ApplyDocumentsRequest {
    let document = |kind: &str, name: &str, spec: Value| Document {
        kind: kind.into(),
        name: name.into(),
        spec_json: spec.to_string(),
        version: 0,
    };
    let shift = json!({"name": "week", "people": ["ann", "bob"], "from": "2024-03-04", "hand_over": "00:00"});
    let mut policy = json!({"calendar": "all", "clocks": {"reply": {"target": target}}});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let urgent = json!({"major": true, "calendar": "all", "clocks": {"reply": {"target": "10m"}}});
    let documents = vec![
        document("Calendar", "all", always()),
        document("Rota", "on-call", json!({"zone": "UTC", "shifts": [shift]})),
        document("SlaPolicy", "standard", policy),
        document("SlaPolicy", "urgent", urgent),
    ];
    ApplyDocumentsRequest { documents, ..ApplyDocumentsRequest::default() }
}

async fn desk() -> Cluster {
    let mut cluster = cluster().await;
    cluster.client.apply_documents(by(documents("4h", &json!({})))).await.unwrap();
    cluster.happened(us("09:00"), TICKET, line("New", State::Open, "low")).await;
    cluster
}

/// Proves part of: L3, X1
#[tokio::test]
async fn what_documents_would_do_is_answered_in_exact_numbers() {
    let mut cluster = desk().await;
    cluster.until("10:30").await;
    let strict = ApplyDocumentsRequest { validate_only: true, ..documents("1h", &json!({"retroactive": true})) };
    let answer = cluster.client.apply_documents(by(strict)).await.unwrap().into_inner();
    let effect = answer.reattachment.unwrap();
    assert_eq!((effect.tickets, effect.clocks, effect.breaches, effect.cancelled, effect.revoked), (1, 1, 1, 0, 0));
    let same = ApplyDocumentsRequest { validate_only: true, ..documents("4h", &json!({})) };
    let answer = cluster.client.apply_documents(by(same)).await.unwrap().into_inner();
    assert!(answer.documents.is_empty() && answer.reattachment.is_none());
}

/// Proves part of: L5
#[tokio::test]
async fn a_rota_is_asked_and_what_is_not_called_cannot_be_answered() {
    let mut cluster = desk().await;
    let ask = |rota: &str| GetOnCallRequest { rota: rota.into(), ..GetOnCallRequest::default() };
    let found = cluster.client.get_on_call(by(ask("on-call"))).await.unwrap().into_inner();
    assert_eq!((found.person.as_str(), found.shift.as_str()), ("ann", "week"));
    let unknown = cluster.client.get_on_call(by(ask("nights"))).await.unwrap_err();
    assert_eq!(reason(&unknown), (Code::NotFound, "ROTA_NOT_FOUND".into()));
    let clock = "reply".to_owned();
    let answer = AcknowledgeEscalationRequest { ticket: name(TICKET), clock, request_id: String::new() };
    let refused = cluster.client.acknowledge_escalation(by(answer)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "NOT_ESCALATED".into()));
}

/// Proves part of: L7, L10
#[tokio::test]
async fn a_major_event_is_declared_seen_and_ended() {
    let mut cluster = desk().await;
    let declare = |scope: &str| DeclareMajorEventRequest {
        name: "storm".into(),
        reason: "no power".into(),
        scope: scope.into(),
        policy: "urgent".into(),
        request_id: String::new(),
    };
    let wrong = cluster.client.declare_major_event(by(declare("ticket.colour"))).await.unwrap_err();
    assert_eq!(reason(&wrong), (Code::InvalidArgument, "FIELDS_INVALID".into()));
    cluster.client.declare_major_event(by(declare("ticket.priority == 'low'"))).await.unwrap();
    let ongoing = cluster.client.declare_major_event(by(declare("true"))).await.unwrap_err();
    assert_eq!(reason(&ongoing), (Code::FailedPrecondition, "MAJOR_EVENT_ONGOING".into()));
    cluster.until("09:30").await;
    let asked = || ListClocksRequest { ticket: name(TICKET), ..Default::default() };
    let clock = cluster.client.list_clocks(by(asked())).await.unwrap().into_inner().clocks.remove(0);
    assert_eq!((clock.major_event.as_str(), clock.budget_secs, clock.breached), ("storm", 600, true));
    let report = cluster.client.report_clocks(by(ReportClocksRequest::default())).await.unwrap().into_inner();
    let (name, late, share) = (&report.clocks[0].clock, report.clocks[0].going_late, report.clocks[0].completion_bp);
    assert_eq!((name.as_str(), late, share), ("reply", 1, 0));
    let end = |name: &str| EndMajorEventRequest { name: name.into(), reason: "over".into(), ..Default::default() };
    let unknown = cluster.client.end_major_event(by(end("flood"))).await.unwrap_err();
    assert_eq!(reason(&unknown), (Code::NotFound, "MAJOR_EVENT_NOT_FOUND".into()));
    cluster.client.end_major_event(by(end("storm"))).await.unwrap();
    cluster.until("09:31").await;
    let clock = cluster.client.list_clocks(by(asked())).await.unwrap().into_inner().clocks.remove(0);
    assert_eq!((clock.major_event.as_str(), clock.budget_secs, clock.breached), ("", 14_400, false));
    let listed = cluster.client.list_major_events(by(ListMajorEventsRequest::default())).await.unwrap().into_inner();
    assert_eq!((listed.major_events.len(), listed.major_events[0].end_reason.as_str()), (1, "over"));
}
