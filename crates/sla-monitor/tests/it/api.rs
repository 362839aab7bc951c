//! The API over a log in memory, through the generated client and server: the whole service under a hand-moved clock.

use std::sync::Arc;

use chassis::page::PageKey;
use chassis::token::{Caller, Role};
use decider::{Guards, Micros, Tenant};
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use proto::config::v1::Document;
use proto::sla_monitor::v1::sla_monitor_service_client::SlaMonitorServiceClient;
use proto::sla_monitor::v1::sla_monitor_service_server::SlaMonitorServiceServer;
use proto::sla_monitor::v1::{
    ApplyDocumentsRequest, CheckTicketsRequest, ClockState, ExplainBreachRequest, ListBreachesRequest,
    ListClocksRequest, ListDeadlinesRequest, ListDocumentsRequest,
};
use serde_json::json;
use sla_monitor::SlaMonitor;
use sla_monitor::grpc::Grpc;
use ticket::intake::{Accountable, Attention, IntakeEvent, Status as State};
use ticket::{Event, codec, stream};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::attention::received;
use crate::world::{TICKET, always, line, us};

pub(crate) struct Cluster {
    pub(crate) service: Arc<Service<SlaMonitor>>,
    pub(crate) client: SlaMonitorServiceClient<SlaMonitorServiceServer<Grpc>>,
}

pub(crate) async fn cluster() -> Cluster {
    let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
    let service = Service::<SlaMonitor>::start(log, Clock::by_hand(us("08:00"))).await.unwrap();
    let client = SlaMonitorServiceClient::new(sla_monitor::service(Arc::clone(&service), PageKey::new(&[7; 32])));
    Cluster { service, client }
}

fn of<T>(tenant: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller { tenant: tenant.into(), subject: "root".into(), roles: vec![Role::Admin] };
    request.extensions_mut().insert(caller);
    request
}

pub(crate) fn by<T>(message: T) -> Request<T> {
    of("acme", message)
}

fn apply(validate_only: bool) -> ApplyDocumentsRequest {
    let document = |kind: &str, name: &str, spec: &serde_json::Value| Document {
        kind: kind.into(),
        name: name.into(),
        spec_json: spec.to_string(),
        version: 0,
    };
    let policy = json!({"calendar": "all", "clocks": {"reply": {"target": "1h", "marks": [50]}}});
    let documents = vec![document("Calendar", "all", &always()), document("SlaPolicy", "standard", &policy)];
    ApplyDocumentsRequest { documents, validate_only, ..ApplyDocumentsRequest::default() }
}

pub(crate) fn name(ticket: Uuid) -> String {
    format!("tenants/acme/tickets/{ticket}")
}

pub(crate) fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default())
}

impl Cluster {
    pub(crate) async fn happened(&self, at: Micros, ticket: Uuid, event: IntakeEvent) {
        self.service.clock().advance(at);
        self.service.step().await.unwrap();
        let (kind, body) = codec::encode(&Event::Intake(event)).unwrap();
        let append = Append {
            tenant: Tenant::new("acme"),
            actor: "user/test".into(),
            request: Uuid::new_v5(&ticket, &at.to_be_bytes()),
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: self.service.clock().now(),
            occurred_at: at,
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream: stream::ticket(ticket), kind, body }],
        };
        self.service.log().append(append).await.unwrap();
        self.service.step().await.unwrap();
    }

    pub(crate) async fn until(&self, at: &str) -> Option<Micros> {
        self.service.clock().advance(us(at));
        self.service.step().await.unwrap()
    }
}

/// Proves part of: L1, L4, L6
#[tokio::test]
async fn clocks_run_fire_and_are_explained() {
    let mut cluster = cluster().await;
    cluster.client.apply_documents(by(apply(false))).await.unwrap();
    cluster.happened(us("09:00"), TICKET, line("New", State::Open, "low")).await;
    assert_eq!(cluster.until("09:10").await, Some(us("09:30") + 1), "the loop wakes when the mark is past");
    let due =
        cluster.client.list_deadlines(by(ListDeadlinesRequest { page_size: 1, ..Default::default() })).await.unwrap();
    let due = due.into_inner();
    assert_eq!((due.deadlines[0].share_bp, due.deadlines[0].ticket.as_str()), (5_000, name(TICKET).as_str()));
    let more = ListDeadlinesRequest { page_size: 1, page_token: due.next_page_token, ..Default::default() };
    let more = cluster.client.list_deadlines(by(more)).await.unwrap().into_inner();
    assert_eq!((more.deadlines[0].share_bp, more.next_page_token.as_str()), (10_000, ""));

    assert_eq!(cluster.until("11:00").await, None);
    let asked = ListClocksRequest { ticket: name(TICKET), ..Default::default() };
    let clock = cluster.client.list_clocks(by(asked)).await.unwrap().into_inner().clocks.remove(0);
    assert_eq!((clock.state(), clock.breached, clock.budget_secs), (ClockState::Running, true, 3_600));
    assert_eq!((clock.policy.as_str(), clock.policy_version, clock.calendar_version), ("standard", 1, 1));
    assert!(clock.marks.iter().all(|mark| mark.reached));

    let explain = |clock: &str, cause: &str| ExplainBreachRequest {
        ticket: name(TICKET),
        clock: clock.into(),
        cause: cause.into(),
        note: "two were ill".into(),
        request_id: "0198a1b2-0000-7000-8000-000000000001".into(),
    };
    let wrong = cluster.client.explain_breach(by(explain("reply", "laziness"))).await.unwrap_err();
    assert_eq!(reason(&wrong), (Code::InvalidArgument, "FIELDS_INVALID".into()));
    let first = cluster.client.explain_breach(by(explain("reply", "capacity"))).await.unwrap().into_inner();
    let again = cluster.client.explain_breach(by(explain("reply", "capacity"))).await.unwrap().into_inner();
    assert_eq!(first.breach, again.breach);
    let other = cluster.client.explain_breach(by(explain("reply", "parts"))).await.unwrap_err();
    assert_eq!(reason(&other), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    let asked = ListBreachesRequest { min_position: first.log_position, ..Default::default() };
    let breaches = cluster.client.list_breaches(by(asked)).await.unwrap().into_inner().breaches;
    assert_eq!((breaches.len(), breaches[0].cause.as_str(), breaches[0].revoked), (1, "capacity", false));
}

/// Proves part of: X3
#[tokio::test]
async fn another_tenant_sees_nothing() {
    let mut cluster = cluster().await;
    cluster.client.apply_documents(by(apply(false))).await.unwrap();
    cluster.happened(us("09:00"), TICKET, line("New", State::Open, "low")).await;
    cluster.until("11:00").await;
    for ticket in [name(TICKET), format!("tenants/other/tickets/{TICKET}"), "x".into()] {
        let asked = ListClocksRequest { ticket, ..Default::default() };
        let refused = cluster.client.list_clocks(of("other", asked)).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::NotFound, "TICKET_NOT_FOUND".into()));
    }
    let breaches = cluster.client.list_breaches(of("other", ListBreachesRequest::default())).await.unwrap();
    assert!(breaches.into_inner().breaches.is_empty());
    let documents = cluster.client.list_documents(of("other", ListDocumentsRequest::default())).await.unwrap();
    assert!(documents.into_inner().documents.is_empty());
}

#[tokio::test]
async fn documents_are_checked_before_they_are_put_in_force() {
    let mut cluster = cluster().await;
    let dry = cluster.client.apply_documents(by(apply(true))).await.unwrap().into_inner();
    assert_eq!((dry.faults.len(), dry.documents.len(), dry.documents[0].version), (0, 2, 0));
    assert_eq!(cluster.service.position(), 0);
    let mut broken = apply(false);
    broken.documents[0].spec_json = "{".into();
    broken.documents[1].spec_json = r#"{"calendar": "none"}"#.into();
    let answer = cluster.client.apply_documents(by(broken)).await.unwrap().into_inner();
    let paths: Vec<_> = answer.faults.iter().map(|fault| (fault.name.as_str(), fault.path.as_str())).collect();
    assert_eq!(paths, [("all", ""), ("standard", "/calendar"), ("standard", "/clocks")]);
    let done = cluster.client.apply_documents(by(apply(false))).await.unwrap().into_inner();
    assert_eq!(done.documents.iter().map(|document| document.version).collect::<Vec<_>>(), [1, 1]);
    let asked = ListDocumentsRequest { kind: "SlaPolicy".into(), ..Default::default() };
    let listed = cluster.client.list_documents(by(asked)).await.unwrap().into_inner().documents;
    assert_eq!((listed.len(), listed[0].name.as_str()), (1, "standard"));
}

/// Proves part of: X1
#[tokio::test]
async fn documents_of_other_services_are_looked_at_and_left_alone() {
    let mut cluster = cluster().await;
    let report = Document { kind: "Report".into(), name: "default".into(), spec_json: "{}".into(), version: 0 };
    let queue = Document { kind: "Queue".into(), name: "desk".into(), spec_json: "{".into(), version: 0 };
    for validate_only in [true, false] {
        let mut asked = apply(validate_only);
        asked.documents.extend([report.clone(), queue.clone()]);
        let answer = cluster.client.apply_documents(by(asked)).await.unwrap().into_inner();
        assert_eq!((answer.faults.len(), answer.documents.len()), (0, 2), "{answer:?}");
    }
    let mut asked = apply(true);
    asked.documents = vec![report; 501];
    let many = cluster.client.apply_documents(by(asked)).await.unwrap_err();
    assert_eq!(reason(&many), (Code::InvalidArgument, "FIELDS_INVALID".into()));
    let asked = ApplyDocumentsRequest { min_position: "5".into(), ..apply(false) };
    let behind = cluster.client.apply_documents(by(asked)).await.unwrap_err();
    assert_eq!(reason(&behind), (Code::InvalidArgument, "POSITION_INVALID".into()));
}

/// Proves part of: L8
#[tokio::test]
async fn open_tickets_are_checked_holes_first() {
    let mut cluster = cluster().await;
    let next = |party, by: &str| Attention { accountable: party, attend_by: us(by) };
    let fine = Uuid::from_u128(2);
    cluster.happened(us("09:00"), fine, received(next(Accountable::Person("ann".into()), "10:00"))).await;
    cluster.happened(us("09:01"), TICKET, received(next(Accountable::Queue("nobody".into()), "11:00"))).await;
    let asked = CheckTicketsRequest { page_size: 1, ..Default::default() };
    let page = cluster.client.check_tickets(by(asked.clone())).await.unwrap().into_inner();
    assert_eq!((page.open_tickets, page.holes), (2, 1));
    assert!(page.checks[0].hole.contains("queue nobody"), "{page:?}");
    let asked = CheckTicketsRequest { page_token: page.next_page_token, ..asked };
    let page = cluster.client.check_tickets(by(asked)).await.unwrap().into_inner();
    assert_eq!((page.checks[0].ticket.as_str(), page.checks[0].wakes[0].as_str()), (name(fine).as_str(), "ann"));
    assert_eq!(page.next_page_token, "");
}

#[test]
fn every_rpc_has_its_roles() {
    let faults = chassis::access::uncovered(proto::DESCRIPTORS, &[sla_monitor::ACCESS]).unwrap();
    assert!(!faults.iter().any(|fault| fault.contains("sla_monitor")), "{faults:?}");
}
