//! The service over a log in memory, called as the server calls it.

use std::sync::Arc;

use analytics::Analytics;
use analytics::grpc::{ACCESS, Grpc};
use chassis::page::PageKey;
use chassis::token::{Caller, Role};
use decider::Guards;
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use proto::analytics::v1::analytics_service_server::AnalyticsService;
use proto::analytics::v1::{
    ApplyDocumentsRequest, ClockCounts, EngineerCounts, ExportTicketFiguresRequest, GetReportRequest,
    GetServiceReportRequest, ListDocumentsRequest, ListTicketFiguresRequest, Ratio,
};
use proto::config::v1::Document;
use serde_json::json;
use ticket::intake::Status;
use ticket::{Event, codec, stream};
use tokio_stream::StreamExt;
use tonic::{Code, Request};
use uuid::Uuid;

use crate::story::{breached, by, offered, planned, policy, received, with};
use crate::{HOUR, MONDAY, about, acme, applied, imported, line, office, report_spec, ticket};

struct Wire {
    log: Arc<Log>,
    grpc: Grpc,
}

impl Wire {
    async fn new() -> Self {
        let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
        let service = Service::<Analytics>::start(log.clone(), Clock::by_hand(MONDAY)).await.unwrap();
        let wire = Self { log, grpc: Grpc::new(service, PageKey::new(&[7; 32])) };
        wire.happened(0, stream::config("sla-monitor", "Calendar", "office"), applied("Calendar", "office", office()))
            .await;
        let answer = wire.grpc.apply_documents(asks("acme", apply("default", &report_spec().to_string()))).await;
        assert_eq!(answer.unwrap().into_inner().documents[0].version, 1);
        wire
    }

    async fn happened(&self, hour: i64, stream: decider::Stream, event: Event) {
        let (kind, body) = codec::encode(&event).unwrap();
        let at = MONDAY + hour * HOUR;
        let append = Append {
            tenant: acme(),
            actor: "test".into(),
            request: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{stream}{hour}").as_bytes()),
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: at,
            occurred_at: at,
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream, kind, body }],
        };
        self.log.append(append).await.unwrap();
    }

    /// Three tickets, opened hour by hour.
    async fn three_tickets(&self) -> String {
        for n in 1..4_u8 {
            let event = imported(&format!("t{n}"), line("accept", Status::Open, "ann"));
            self.happened(8 + i64::from(n), stream::ticket(ticket(n.into())), event).await;
        }
        let head = self.log.head().await.unwrap();
        eventlog::position::encode(&head, head.position.unsigned_abs())
    }
}

/// The request as the gate lets it in: with its caller.
fn asks<T>(tenant: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller { tenant: tenant.into(), subject: "ann".into(), roles: vec![Role::Admin] };
    request.extensions_mut().insert(caller);
    request
}

fn apply(name: &str, spec: &str) -> ApplyDocumentsRequest {
    let document = Document { kind: "Report".into(), name: name.into(), spec_json: spec.into(), version: 0 };
    ApplyDocumentsRequest { documents: vec![document], ..Default::default() }
}

#[tokio::test]
async fn a_report_includes_what_the_caller_has_seen() {
    let wire = Wire::new().await;
    let min_position = wire.three_tickets().await;
    let asked = GetReportRequest { min_position: min_position.clone(), daily_backlog: true, ..Default::default() };
    let answer = wire.grpc.get_report(asks("acme", asked)).await.unwrap().into_inner();
    let report = answer.report.unwrap();
    assert_eq!((report.tickets, answer.report_version, answer.log_position), (3, 1, min_position));
    assert_eq!((report.backlog_daily.len(), report.peak_unresolved.unwrap().unresolved), (1, 3));
    assert_eq!(report.sla.iter().map(|share| share.name.as_str()).collect::<Vec<_>>().len(), 6);
}

/// Proves part of: A2, A3
#[tokio::test]
async fn a_service_report_needs_no_document_and_adds_up_over_spans() {
    let wire = Wire::new().await;
    let slot = json!({"slot": {"from": 0, "arrive": 1, "to": 2}, "depart_by": 1});
    let story = [
        (9, "Received", received("field")),
        (9, "VisitPlanned", planned(11, MONDAY + 12 * HOUR)),
        (9, "Breached", breached("accept", MONDAY + 9 * HOUR)),
        (10, "Offered", offered(11, "ann", &policy())),
        (11, "OfferAccepted", with(by(11, "ann"), &slot)),
        (12, "Arrived", by(11, "ann")),
        (13, "VisitReleased", with(by(11, "ann"), &json!({"why": "no_show"}))),
    ];
    for (hour, kind, body) in story {
        let (stream, event) = about(1, kind, &body);
        wire.happened(hour, stream, event).await;
    }
    let head = wire.log.head().await.unwrap();
    let min_position = eventlog::position::encode(&head, head.position.unsigned_abs());
    let asked = GetServiceReportRequest { min_position: min_position.clone(), ..Default::default() };
    let answer = wire.grpc.get_service_report(asks("acme", asked.clone())).await.unwrap().into_inner();
    let report = answer.report.unwrap();
    assert_eq!((answer.log_position, report.tickets_opened), (min_position, 1));
    let visits = report.visits.unwrap();
    assert_eq!((visits.planned, visits.offered, visits.released), (1, 1, [("no_show".to_owned(), 1)].into()));
    let dispatch = report.time_to_dispatch_secs.unwrap();
    assert_eq!((dispatch.n, dispatch.median.to_string()), (1, "7200".to_owned()));
    assert_eq!(report.on_time_arrival, Some(Ratio { numerator: 1, denominator: 1, excluded: 0 }));
    assert_eq!(report.clocks, [ClockCounts { clock: "accept".into(), breached: 1, ..Default::default() }]);
    let ann = EngineerCounts { engineer: "ann".into(), offered: 1, accepted: 1, released: 1, ..Default::default() };
    assert_eq!(report.engineers, [EngineerCounts { arrived: 1, on_time: 1, ..ann }]);

    let noon = Some(chassis::wire::timestamp(MONDAY + 12 * HOUR));
    let morning = GetServiceReportRequest { end_time: noon, ..asked.clone() };
    let morning = wire.grpc.get_service_report(asks("acme", morning)).await.unwrap().into_inner().report.unwrap();
    let afternoon = GetServiceReportRequest { start_time: noon, ..asked.clone() };
    let afternoon = wire.grpc.get_service_report(asks("acme", afternoon)).await.unwrap().into_inner().report.unwrap();
    assert_eq!((morning.visits.unwrap().arrived, afternoon.visits.unwrap().arrived), (0, 1));
    let elsewhere = GetServiceReportRequest { queue: "desk".into(), ..asked.clone() };
    let elsewhere = wire.grpc.get_service_report(asks("acme", elsewhere)).await.unwrap().into_inner().report.unwrap();
    assert_eq!(elsewhere.tickets_opened, 0);
    let foreign = wire.grpc.get_service_report(asks("globex", asked)).await.unwrap().into_inner().report.unwrap();
    assert_eq!((foreign.tickets_opened, foreign.engineers.len()), (0, 0), "another tenant sees nothing");
    let odd = GetServiceReportRequest { min_position: "odd".into(), ..Default::default() };
    assert_eq!(wire.grpc.get_service_report(asks("acme", odd)).await.unwrap_err().code(), Code::InvalidArgument);
    let never = proto::prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    let odd = GetServiceReportRequest { end_time: Some(never), ..Default::default() };
    assert_eq!(wire.grpc.get_service_report(asks("acme", odd)).await.unwrap_err().code(), Code::InvalidArgument);
}

/// Proves part of: X5
#[tokio::test]
async fn pages_hold_everything_once_and_belong_to_their_listing() {
    let wire = Wire::new().await;
    let min_position = wire.three_tickets().await;
    let first = ListTicketFiguresRequest { page_size: 2, min_position, ..Default::default() };
    let answer = wire.grpc.list_ticket_figures(asks("acme", first.clone())).await.unwrap().into_inner();
    let next = ListTicketFiguresRequest { page_token: answer.next_page_token, ..first };
    let rest = wire.grpc.list_ticket_figures(asks("acme", next.clone())).await.unwrap().into_inner();
    let references: Vec<_> = answer.figures.iter().chain(&rest.figures).map(|f| f.reference.as_str()).collect();
    assert_eq!((references, rest.next_page_token.as_str()), (vec!["t1", "t2", "t3"], ""));
    assert_eq!(answer.figures[0].ticket, format!("tenants/acme/tickets/{}", ticket(1)));
    let other = ListTicketFiguresRequest { drill: "reopened".into(), ..next };
    let refused = wire.grpc.list_ticket_figures(asks("acme", other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// Proves part of: A7
#[tokio::test]
async fn the_export_has_a_header_and_a_line_each() {
    let wire = Wire::new().await;
    let min_position = wire.three_tickets().await;
    let asked = ExportTicketFiguresRequest { min_position, ..Default::default() };
    let mut stream = wire.grpc.export_ticket_figures(asks("acme", asked)).await.unwrap().into_inner();
    let mut csv = Vec::new();
    while let Some(piece) = stream.next().await {
        csv.extend(piece.unwrap().csv);
    }
    let text = String::from_utf8(csv).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("ticket,events,created_at,") && lines[0].ends_with(",res_breach_b,res_breach_net_b"));
    assert!(lines[1].starts_with("t1,1,2024-01-01T09:00:00Z,2024-01-01T09:00:00Z,,,,open,0,"), "{}", lines[1]);
}

/// Proves part of: X3
#[tokio::test]
async fn another_tenant_sees_nothing() {
    let wire = Wire::new().await;
    wire.three_tickets().await;
    let refused = wire.grpc.get_report(asks("globex", GetReportRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let listed = wire.grpc.list_documents(asks("globex", ListDocumentsRequest::default())).await.unwrap();
    assert!(listed.into_inner().documents.is_empty());
    assert!(wire.grpc.get_report(Request::new(GetReportRequest::default())).await.is_err(), "without a caller");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let wire = Wire::new().await;
    let odd = [
        (GetReportRequest { report: "none".into(), ..Default::default() }, Code::NotFound),
        (GetReportRequest { drill: "odd".into(), ..Default::default() }, Code::InvalidArgument),
        (GetReportRequest { min_position: "odd".into(), ..Default::default() }, Code::InvalidArgument),
    ];
    for (message, code) in odd {
        assert_eq!(wire.grpc.get_report(asks("acme", message)).await.unwrap_err().code(), code);
    }
}

/// Proves part of: X1
#[tokio::test]
async fn documents_are_checked_without_being_applied() {
    let wire = Wire::new().await;
    let rehearsed = ApplyDocumentsRequest { validate_only: true, ..apply("weekly", &report_spec().to_string()) };
    let answer = wire.grpc.apply_documents(asks("acme", rehearsed)).await.unwrap().into_inner();
    assert_eq!((answer.faults.len(), answer.documents.len(), answer.documents[0].version), (0, 1, 0));
    let mut batch = apply("moonlit", &report_spec().to_string().replace("office", "moon"));
    batch.documents.push(Document { kind: "Calendar".into(), name: "moon".into(), ..Document::default() });
    batch.documents[1].spec_json = office().to_string();
    let refused = wire.grpc.apply_documents(asks("acme", batch.clone())).await.unwrap().into_inner();
    assert_eq!(refused.faults.len(), 2, "the calendar is another service's to put in force: {:?}", refused.faults);
    let leaning = ApplyDocumentsRequest { validate_only: true, ..batch.clone() };
    let rehearsed = wire.grpc.apply_documents(asks("acme", leaning)).await.unwrap().into_inner();
    assert_eq!((rehearsed.faults.len(), rehearsed.documents.len()), (0, 1));
    let many = ApplyDocumentsRequest { documents: vec![batch.documents[1].clone(); 501], ..Default::default() };
    assert_eq!(wire.grpc.apply_documents(asks("acme", many)).await.unwrap_err().code(), Code::InvalidArgument);
    let behind = ApplyDocumentsRequest { min_position: "odd".into(), ..batch.clone() };
    assert_eq!(wire.grpc.apply_documents(asks("acme", behind)).await.unwrap_err().code(), Code::InvalidArgument);
    let faulty = wire.grpc.apply_documents(asks("acme", apply("weekly", "{"))).await.unwrap().into_inner();
    assert_eq!((faulty.faults.len(), faulty.documents.len()), (1, 0));
    let listed = wire.grpc.list_documents(asks("acme", ListDocumentsRequest::default())).await.unwrap();
    assert_eq!(listed.into_inner().documents.len(), 1);
}

#[test]
fn every_method_has_its_roles() {
    let faults = chassis::access::uncovered(proto::DESCRIPTORS, &[ACCESS]).unwrap();
    assert!(!faults.iter().any(|fault| fault.contains("analytics")), "{faults:?}");
}
