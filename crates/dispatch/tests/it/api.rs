//! The API over a log in memory, through the generated client and server: the whole service under a hand-moved clock.

use std::sync::Arc;

use chassis::page::PageKey;
use chassis::token::{Caller, Role};
use chassis::wire::timestamp;
use decider::{Guards, Stream, Tenant};
use dispatch::Dispatch;
use dispatch::grpc::Grpc;
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use proto::config::v1::Document;
use proto::dispatch::v1::dispatch_service_client::DispatchServiceClient;
use proto::dispatch::v1::dispatch_service_server::DispatchServiceServer;
use proto::dispatch::v1::{
    AcceptOfferRequest, ApplyDocumentsRequest, ArriveAtVisitRequest, AssignVisitRequest, CompleteVisitRequest,
    DeclineOfferRequest, DepartToVisitRequest, EndDutyRequest, EngineerStatus, ExplainAssignmentRequest,
    HandOverVisitRequest, ListDocumentsRequest, ListEngineersRequest, ListMyWorkRequest, ListUnassignedRequest,
    ListVisitsRequest, OffDutyReason, StartDutyRequest, StartWorkRequest, Visit, VisitState, WatchMyWorkRequest,
    WhyNotRequest,
};
use serde_json::{Value, json};
use ticket::house::HouseEvent;
use ticket::{Event, codec, stream};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::world::{TICKET, north, received, shift, us};

struct Cluster {
    service: Arc<Service<Dispatch>>,
    client: DispatchServiceClient<DispatchServiceServer<Grpc>>,
    appended: u128,
}

fn of<T>(tenant: &str, (subject, role): (&str, Role), message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller { tenant: tenant.into(), subject: subject.into(), roles: vec![role] };
    request.extensions_mut().insert(caller);
    request
}

fn by<T>(subject: &str, message: T) -> Request<T> {
    let role = match subject {
        "root" => Role::Admin,
        "dora" => Role::Dispatcher,
        _ => Role::Engineer,
    };
    of("acme", (subject, role), message)
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default())
}

fn document(kind: &str, name: &str, spec: &Value) -> Document {
    Document { kind: kind.into(), name: name.into(), spec_json: spec.to_string(), version: 0 }
}

fn documents() -> ApplyDocumentsRequest {
    let job = json!({
        "ticket_type": "repair", "policy": "standard", "skills": {"printers": 1}, "duration": "1h",
        "arrive_within": "8h", "lat_field": "lat_udeg", "lon_field": "lon_udeg", "evidence_required": 1,
    });
    let engineer = |metres: i64, skill: &str| json!({"skills": {skill: 2}, "home": north(metres), "shift": "day"});
    let documents = vec![
        document("DispatchPolicy", "standard", &json!({"retry_every": "1h"})),
        document("JobType", "printer-repair", &job),
        document("Engineer", "ann", &engineer(1_000, "printers")),
        document("Engineer", "bob", &engineer(4_000, "printers")),
        document("Engineer", "zoe", &engineer(2_000, "network")),
    ];
    ApplyDocumentsRequest { documents, ..ApplyDocumentsRequest::default() }
}

fn ticket_name(ticket: Uuid) -> String {
    format!("tenants/acme/tickets/{ticket}")
}

impl Cluster {
    /// Three engineers, of whom two know printers; on Monday at 09:00.
    async fn new() -> Self {
        let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
        let service = Service::<Dispatch>::start(log, Clock::by_hand(us("09:00"))).await.unwrap();
        let client = DispatchServiceClient::new(dispatch::service(Arc::clone(&service), PageKey::new(&[7; 32])));
        let mut cluster = Self { service, client, appended: 0 };
        for (kind, name, spec) in [("Calendar", "day", shift("08:00-18:00")), ("TicketType", "repair", json!({}))] {
            let (kind, name) = (kind.to_owned(), name.to_owned());
            let stream = stream::config("other", &kind, &name);
            cluster.happened(stream, Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None })).await;
        }
        let applied = cluster.client.apply_documents(by("root", documents())).await.unwrap().into_inner();
        assert_eq!((applied.faults.len(), applied.documents.len()), (0, 5), "{applied:?}");
        cluster
    }

    async fn happened(&mut self, stream: Stream, event: Event) {
        self.appended += 1;
        let (kind, body) = codec::encode(&event).unwrap();
        let append = Append {
            tenant: Tenant::new("acme"),
            actor: "user/test".into(),
            request: Uuid::from_u128(self.appended),
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: self.service.clock().now(),
            occurred_at: self.service.clock().now(),
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream, kind, body }],
        };
        self.service.log().append(append).await.unwrap();
        self.service.step().await.unwrap();
    }

    async fn opened(&mut self, ticket: Uuid) {
        self.happened(stream::ticket(ticket), Event::Intake(received("repair"))).await;
    }

    async fn until(&self, at: &str) {
        self.service.clock().advance(us(at));
        self.service.step().await.unwrap();
    }

    async fn visit(&mut self, ticket: Uuid) -> Visit {
        let asked = ListVisitsRequest { ticket: ticket_name(ticket), ..Default::default() };
        self.client.list_visits(by("dora", asked)).await.unwrap().into_inner().visits.remove(0)
    }
}

/// Proves part of: D7, D8, D14
#[tokio::test]
async fn an_engineer_finds_the_offer_and_follows_it_to_its_end() {
    let mut cluster = Cluster::new().await;
    let watched = cluster.client.watch_my_work(by("ann", WatchMyWorkRequest::default())).await.unwrap();
    cluster.opened(TICKET).await;
    let mine = cluster.client.list_my_work(by("ann", ListMyWorkRequest::default())).await.unwrap().into_inner();
    let offer = mine.visits[0].clone();
    assert_eq!((offer.state(), offer.engineer.as_str(), offer.urgent), (VisitState::Offered, "ann", false));
    assert_eq!(offer.respond_by_time, Some(timestamp(us("09:10"))));
    let visit = offer.name;

    let stale = AcceptOfferRequest { visit: visit.clone(), etag: "1".into(), ..Default::default() };
    let stale = cluster.client.accept_offer(by("ann", stale)).await.unwrap_err();
    assert_eq!(reason(&stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    let accept = AcceptOfferRequest {
        visit: visit.clone(),
        etag: offer.etag,
        request_id: "0198a1b2-0000-7000-8000-000000000001".into(),
    };
    let theirs = cluster.client.accept_offer(by("bob", accept.clone())).await.unwrap_err();
    assert_eq!(reason(&theirs), (Code::PermissionDenied, "NOT_YOURS".into()));
    let first = cluster.client.accept_offer(by("ann", accept.clone())).await.unwrap().into_inner();
    cluster.until("09:05").await;
    let depart = DepartToVisitRequest { visit: visit.clone(), ..Default::default() };
    cluster.client.depart_to_visit(by("ann", depart)).await.unwrap();
    let again = cluster.client.accept_offer(by("ann", accept)).await.unwrap().into_inner();
    assert_eq!((first.visit, first.log_position), (again.visit, again.log_position), "twice asked, twice the same");

    let early = CompleteVisitRequest { visit: visit.clone(), report: "done".into(), ..Default::default() };
    let early = cluster.client.complete_visit(by("ann", early)).await.unwrap_err();
    assert_eq!(reason(&early), (Code::FailedPrecondition, "OUT_OF_ORDER".into()));
    assert_eq!(early.get_error_details().error_info().unwrap().metadata["next"], "ArriveAtVisit");
    let status = |engineers: Vec<proto::dispatch::v1::Engineer>| engineers[0].status();
    let asked = || by("dora", ListEngineersRequest { page_size: 1, ..Default::default() });
    let engineers = cluster.client.list_engineers(asked()).await.unwrap().into_inner();
    assert_eq!(
        (status(engineers.engineers), engineers.next_page_token.is_empty()),
        (EngineerStatus::Travelling, false)
    );
    let arrive = ArriveAtVisitRequest { visit: visit.clone(), ..Default::default() };
    cluster.client.arrive_at_visit(by("ann", arrive)).await.unwrap();
    let start = StartWorkRequest { visit: visit.clone(), ..Default::default() };
    cluster.client.start_work(by("ann", start)).await.unwrap();
    assert_eq!(
        status(cluster.client.list_engineers(asked()).await.unwrap().into_inner().engineers),
        EngineerStatus::Serving
    );
    let mut complete = CompleteVisitRequest { visit, report: "a new drum".into(), ..Default::default() };
    let bare = cluster.client.complete_visit(by("ann", complete.clone())).await.unwrap_err();
    assert_eq!(reason(&bare), (Code::FailedPrecondition, "EVIDENCE_MISSING".into()));
    complete.evidence = vec!["photo/1".into()];
    let done = cluster.client.complete_visit(by("ann", complete)).await.unwrap().into_inner();
    assert_eq!(done.visit.unwrap().state(), VisitState::Complete);
    let asked = ListMyWorkRequest { min_position: done.log_position };
    let mine = cluster.client.list_my_work(by("ann", asked)).await.unwrap().into_inner();
    assert!(mine.visits.is_empty());

    let kinds: Vec<_> = watched.into_inner().take(6).map(|change| change.unwrap().kind).collect().await;
    assert_eq!(kinds, ["Offered", "OfferAccepted", "Departed", "Arrived", "WorkStarted", "VisitCompleted"]);
}

/// Proves part of: D5, D13
#[tokio::test]
async fn every_decision_is_explained() {
    let mut cluster = Cluster::new().await;
    cluster.opened(TICKET).await;
    let visit = cluster.visit(TICKET).await.name;
    let asked = ExplainAssignmentRequest { visit: visit.clone(), ..Default::default() };
    let decision = cluster.client.explain_assignment(by("dora", asked.clone())).await.unwrap().into_inner().decision;
    let decision = decision.unwrap();
    assert_eq!(
        (decision.chooser.as_str(), decision.policy.as_str(), decision.policy_version),
        ("policy", "standard", 1)
    );
    assert_eq!(
        (decision.candidates, decision.dropped[0].engineer.as_str(), decision.dropped[0].rule.as_str()),
        (3, "zoe", "skill")
    );
    let names: Vec<_> = decision.ranked.iter().map(|one| one.engineer.as_str()).collect();
    assert_eq!(names, ["ann", "bob"]);
    for one in &decision.ranked {
        assert_eq!(
            one.score_secs,
            one.costs.iter().map(|cost| cost.amount_secs * cost.weight_permille / 1_000).sum::<i64>()
        );
    }
    let why = |engineer: &str| {
        by("dora", WhyNotRequest { ticket: ticket_name(TICKET), engineer: engineer.into(), ..Default::default() })
    };
    let zoe = cluster.client.why_not(why("zoe")).await.unwrap().into_inner();
    assert_eq!(
        (zoe.answer.as_str(), zoe.dropped.unwrap().rule.as_str()),
        ("zoe was dropped by skill: printers 1", "skill")
    );
    let bob = cluster.client.why_not(why("bob")).await.unwrap().into_inner();
    assert!(bob.asked.unwrap().score_secs > bob.chosen.unwrap().score_secs, "{}", bob.answer);
    assert_eq!(cluster.client.why_not(why("ann")).await.unwrap().into_inner().answer, "ann was chosen");
    assert_eq!(cluster.client.why_not(why("sue")).await.unwrap().into_inner().answer, "sue was not looked at");

    let mut assign = AssignVisitRequest { visit, engineer: "zoe".into(), ..Default::default() };
    let refused = cluster.client.assign_visit(by("dora", assign.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "HARD_RULE".into()));
    assert_eq!(refused.get_error_details().error_info().unwrap().metadata["rules"], "skill");
    assign.override_reason = "she is next door".into();
    let given = cluster.client.assign_visit(by("dora", assign)).await.unwrap().into_inner().visit.unwrap();
    assert_eq!((given.engineer.as_str(), given.attempt), ("zoe", 2));
    let decision = cluster.client.explain_assignment(by("dora", asked)).await.unwrap().into_inner().decision.unwrap();
    assert_eq!((decision.chooser.as_str(), decision.overridden[0].as_str()), ("override", "skill"));
    assert_eq!(decision.reason, "she is next door");
}

/// Proves part of: D7, D13
#[tokio::test]
async fn what_nobody_has_is_listed_with_its_reasons() {
    let mut cluster = Cluster::new().await;
    for engineer in ["ann", "bob"] {
        let end =
            EndDutyRequest { engineer: engineer.into(), reason: OffDutyReason::Sick.into(), ..Default::default() };
        let ended = cluster.client.end_duty(by("dora", end)).await.unwrap().into_inner();
        assert_eq!(ended.engineer.unwrap().status(), EngineerStatus::Off);
    }
    for n in 1..=3 {
        cluster.opened(Uuid::from_u128(n)).await;
    }
    let asked = ListUnassignedRequest { page_size: 2, ..Default::default() };
    let page = cluster.client.list_unassigned(by("dora", asked.clone())).await.unwrap().into_inner();
    assert_eq!((page.unassigned.len(), page.unassigned[0].why.as_str()), (2, "nobody passes the rules"));
    let rules: Vec<_> = page.unassigned[0].dropped.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["off_duty", "off_duty", "skill"]);
    assert_eq!(page.unassigned[0].retry_time, Some(timestamp(us("10:00"))));
    let more = ListUnassignedRequest { page_token: page.next_page_token, ..asked };
    let more = cluster.client.list_unassigned(by("dora", more)).await.unwrap().into_inner();
    assert_eq!((more.unassigned.len(), more.next_page_token.as_str()), (1, ""));

    let other = StartDutyRequest { engineer: "ann".into(), ..Default::default() };
    let other = cluster.client.start_duty(by("bob", other)).await.unwrap_err();
    assert_eq!(reason(&other), (Code::PermissionDenied, "NOT_YOURS".into()));
    cluster.client.start_duty(by("ann", StartDutyRequest::default())).await.unwrap();
    cluster.service.step().await.unwrap();
    let mine = cluster.client.list_my_work(by("ann", ListMyWorkRequest::default())).await.unwrap().into_inner();
    assert_eq!(mine.visits.len(), 3, "one after the other");
    let times: Vec<_> = mine.visits.iter().map(|visit| visit.arrive_time.unwrap().seconds).collect();
    assert!(times.is_sorted());
    let desk = StartDutyRequest { until_time: Some(timestamp(us("17:00"))), ..Default::default() };
    let desk = cluster.client.start_duty(of("acme", ("amy", Role::Agent), desk)).await.unwrap().into_inner();
    assert_eq!(desk.engineer, None, "duty holds for those on no roster too");
}

/// Proves part of: D7, D10
#[tokio::test]
async fn declined_and_handed_over_work_is_told_to_whom_it_concerns() {
    let mut cluster = Cluster::new().await;
    let watched = cluster.client.watch_my_work(by("bob", WatchMyWorkRequest::default())).await.unwrap();
    cluster.opened(TICKET).await;
    let visit = cluster.visit(TICKET).await.name;
    let decline = DeclineOfferRequest { visit: visit.clone(), reason: String::new(), ..Default::default() };
    let silent = cluster.client.decline_offer(by("ann", decline.clone())).await.unwrap_err();
    assert_eq!(reason(&silent), (Code::InvalidArgument, "FIELDS_INVALID".into()));
    let decline = DeclineOfferRequest { reason: "no car".into(), ..decline };
    cluster.client.decline_offer(by("ann", decline)).await.unwrap();
    cluster.service.step().await.unwrap();
    let accept = AcceptOfferRequest { visit: visit.clone(), ..Default::default() };
    cluster.client.accept_offer(by("bob", accept)).await.unwrap();
    let pass = |override_reason: &str| HandOverVisitRequest {
        visit: visit.clone(),
        engineer: "ann".into(),
        note: "the key is at the desk".into(),
        override_reason: override_reason.into(),
        ..Default::default()
    };
    let declined = cluster.client.hand_over_visit(by("bob", pass("please"))).await.unwrap_err();
    assert_eq!(reason(&declined), (Code::FailedPrecondition, "HARD_RULE".into()), "an engineer overrides nothing");
    let passed = cluster.client.hand_over_visit(by("dora", pass("her car is back"))).await.unwrap().into_inner();
    assert_eq!(passed.visit.unwrap().engineer, "ann");
    let changes: Vec<_> = watched.into_inner().take(3).map(Result::unwrap).collect().await;
    let kinds: Vec<_> = changes.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["Offered", "OfferAccepted", "WorkHandedOver"]);
}

/// Proves part of: X3
#[tokio::test]
async fn another_tenant_sees_nothing() {
    let mut cluster = Cluster::new().await;
    cluster.opened(TICKET).await;
    let visit = cluster.visit(TICKET).await.name;
    let stranger = ("root", Role::Admin);
    let asked = ListVisitsRequest { ticket: ticket_name(TICKET), ..Default::default() };
    let refused = cluster.client.list_visits(of("other", stranger, asked)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "TICKET_NOT_FOUND".into()));
    for visit in [visit.clone(), visit.replace("acme", "other"), "x".into()] {
        let asked = ExplainAssignmentRequest { visit: visit.clone(), ..Default::default() };
        let refused = cluster.client.explain_assignment(of("other", stranger, asked)).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::NotFound, "VISIT_NOT_FOUND".into()));
        let accept = AcceptOfferRequest { visit, ..Default::default() };
        assert_eq!(
            cluster.client.accept_offer(of("other", stranger, accept)).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    let documents =
        cluster.client.list_documents(of("other", stranger, ListDocumentsRequest::default())).await.unwrap();
    assert!(documents.into_inner().documents.is_empty());
    let engineers =
        cluster.client.list_engineers(of("other", stranger, ListEngineersRequest::default())).await.unwrap();
    assert!(engineers.into_inner().engineers.is_empty());
}

/// Proves part of: X1
#[tokio::test]
async fn documents_are_checked_before_they_are_put_in_force() {
    let mut cluster = Cluster::new().await;
    let mut asked = documents();
    asked.documents[1].spec_json = r#"{"ticket_type": "repair", "policy": "none", "duration": "1h"}"#.into();
    asked.documents[2].spec_json = r#"{"shift": "night"}"#.into();
    let answer = cluster.client.apply_documents(by("root", asked)).await.unwrap().into_inner();
    let paths: Vec<_> = answer.faults.iter().map(|fault| (fault.name.as_str(), fault.path.as_str())).collect();
    assert_eq!(paths, [("printer-repair", "/arrive_within"), ("printer-repair", "/policy"), ("ann", "/shift")]);
    let same = cluster.client.apply_documents(by("root", documents())).await.unwrap().into_inner();
    assert!(same.faults.is_empty() && same.documents.is_empty(), "what says the same is no change");
    let asked = ListDocumentsRequest { kind: "Engineer".into(), ..Default::default() };
    let listed = cluster.client.list_documents(by("dora", asked)).await.unwrap().into_inner().documents;
    assert_eq!(listed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["ann", "bob", "zoe"]);
}

#[test]
fn every_rpc_has_its_roles() {
    let faults = chassis::access::uncovered(proto::DESCRIPTORS, &[dispatch::ACCESS]).unwrap();
    assert!(!faults.iter().any(|fault| fault.contains("dispatch")), "{faults:?}");
}
