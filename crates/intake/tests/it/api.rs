//! The API over a log in memory, through the generated client and server.

use std::sync::Arc;

use chassis::page::PageKey;
use chassis::token::{Caller, Role};
use eventlog::{Clock, Keys, Log, Memory, Service};
use intake::Intake;
use intake::grpc::{Grpc, settle_erasures};
use proto::config::v1::Document;
use proto::intake::v1::intake_service_client::IntakeServiceClient;
use proto::intake::v1::intake_service_server::IntakeServiceServer;
use proto::intake::v1::*;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::desk::{HOUR, MONDAY};

type Client = IntakeServiceClient<IntakeServiceServer<Grpc>>;

pub(crate) struct Cluster {
    pub(crate) service: Arc<Service<Intake>>,
    pub(crate) client: Client,
}

const ID: &str = "0198a1b2-0000-7000-8000-000000000001";

pub(crate) async fn cluster() -> Cluster {
    let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
    let service = Service::<Intake>::start(log, Clock::by_hand(MONDAY)).await.unwrap();
    let client = IntakeServiceClient::new(intake::service(Arc::clone(&service), PageKey::new(&[7; 32])));
    let mut cluster = Cluster { service, client };
    let answer = cluster.client.apply_documents(by("root", apply())).await.unwrap().into_inner();
    assert!(answer.faults.is_empty(), "{answer:?}");
    assert_eq!(answer.documents.iter().map(|document| document.version).collect::<Vec<_>>(), [1, 1]);
    cluster
}

fn apply() -> ApplyDocumentsRequest {
    let document = |kind: &str, name: &str, spec: &str| Document {
        kind: kind.into(),
        name: name.into(),
        spec_json: spec.into(),
        version: 0,
    };
    let phone = r#"{"queue":"desk","fields":{"phone":{"type":"text","personal":true}},"confirm_working_days":1}"#;
    let documents = vec![
        document("Queue", "desk", r#"{"members":["ann"],"attend_within":"4h"}"#),
        document("TicketType", "incident", phone),
    ];
    ApplyDocumentsRequest { documents, ..ApplyDocumentsRequest::default() }
}

pub(crate) fn by<T>(subject: &str, message: T) -> Request<T> {
    of("acme", subject, message)
}

/// A request as chassis hands it on, its caller verified.
fn of<T>(tenant: &str, subject: &str, message: T) -> Request<T> {
    let role = if subject == "rita" { Role::Requester } else { Role::Admin };
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller { tenant: tenant.into(), subject: subject.into(), roles: vec![role] });
    request
}

fn fire() -> OpenTicketRequest {
    let phone = FieldValue { value: Some(field_value::Value::Text("555-1234".into())) };
    let ticket = Ticket {
        ticket_type: "incident".into(),
        title: "The printer is on fire".into(),
        customer: "C-7".into(),
        contact: Some(Contact { name: "Rita".into(), phone: "555-1234".into(), email: String::new() }),
        fields: [("phone".to_owned(), phone)].into(),
        ..Ticket::default()
    };
    OpenTicketRequest { ticket: Some(ticket), ..OpenTicketRequest::default() }
}

impl Cluster {
    pub(crate) async fn opened(&mut self) -> Ticket {
        self.client.open_ticket(by("ann", fire())).await.unwrap().into_inner().ticket.unwrap()
    }

    pub(crate) async fn get(&mut self, name: &str) -> Ticket {
        let asked = GetTicketRequest { name: name.into(), ..GetTicketRequest::default() };
        self.client.get_ticket(by("ann", asked)).await.unwrap().into_inner().ticket.unwrap()
    }
}

pub(crate) fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().unwrap().reason.clone())
}

/// Proves part of: I9, I12
#[tokio::test]
async fn from_the_first_call_to_the_reviewed_close() {
    let mut it = cluster().await;
    let opened = it.opened().await;
    assert_eq!((opened.title.as_str(), opened.customer.as_str()), ("The printer is on fire", "C-7"));
    assert_eq!((opened.etag.as_str(), opened.queue.as_str()), ("1", "desk"));
    assert_eq!(opened.fields["phone"].value, Some(field_value::Value::Text("555-1234".into())));
    let name = opened.name;
    let take = TakeTicketRequest { name: name.clone(), etag: "1".into(), ..TakeTicketRequest::default() };
    let taken = it.client.take_ticket(by("ann", take)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!((taken.agent.as_str(), taken.state()), ("ann", TicketState::InProgress));
    let (solution, request_id) = ("water".to_owned(), ID.to_owned());
    let resolve = ResolveTicketRequest { name: name.clone(), solution, request_id, ..ResolveTicketRequest::default() };
    let resolved = it.client.resolve_ticket(by("ann", resolve.clone())).await.unwrap().into_inner();
    it.client
        .confirm_ticket(by("ann", ConfirmTicketRequest { name: name.clone(), ..Default::default() }))
        .await
        .unwrap();
    let close = CloseTicketRequest { name: name.clone(), review: "well done".into(), ..Default::default() };
    let closed = it.client.close_ticket(by("sue", close)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!((closed.state(), closed.accountable), (TicketState::Closed, None));
    let again = it.client.resolve_ticket(by("ann", resolve)).await.unwrap().into_inner();
    assert_eq!(again, resolved, "sent twice, it answers twice the same");
    assert_eq!(it.get(&name).await.solution, "water");
    assert_eq!(it.get(&name).await.state(), TicketState::Closed);
}

/// Proves part of: X5
#[tokio::test]
async fn every_error_is_the_documented_one() {
    let mut it = cluster().await;
    let name = it.opened().await.name;
    let take = |name: &str, etag: &str, request_id: &str| TakeTicketRequest {
        name: name.into(),
        etag: etag.into(),
        request_id: request_id.into(),
        ..TakeTicketRequest::default()
    };
    let stale = it.client.take_ticket(by("ann", take(&name, "9", ""))).await.unwrap_err();
    assert_eq!(reason(&stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    for nowhere in [name.replace("acme", "globex"), "tickets/1".into(), format!("tenants/acme/tickets/{ID}")] {
        let unknown = it.client.take_ticket(by("ann", take(&nowhere, "", ""))).await.unwrap_err();
        assert_eq!(reason(&unknown), (Code::NotFound, "TICKET_NOT_FOUND".into()), "{nowhere}");
    }
    let foreign = it.client.take_ticket(of("globex", "ann", take(&name, "", ""))).await.unwrap_err();
    assert_eq!(reason(&foreign), (Code::NotFound, "TICKET_NOT_FOUND".into()));
    it.client.take_ticket(by("ann", take(&name, "", ID))).await.unwrap();
    let reused = it.client.take_ticket(by("ann", take(&name, "1", ID))).await.unwrap_err();
    assert_eq!(reason(&reused), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    let early = CloseTicketRequest { name: name.clone(), ..Default::default() };
    let early = it.client.close_ticket(by("ann", early)).await.unwrap_err();
    assert_eq!(reason(&early), (Code::FailedPrecondition, "NOT_CONFIRMED".into()));
    let mut bad = fire();
    bad.ticket.as_mut().unwrap().title = String::new();
    bad.ticket
        .as_mut()
        .unwrap()
        .fields
        .insert("colour".into(), FieldValue { value: Some(field_value::Value::Flag(true)) });
    let bad = it.client.open_ticket(by("ann", bad)).await.unwrap_err();
    assert_eq!(reason(&bad), (Code::InvalidArgument, "FIELDS_INVALID".into()));
    let fields = bad.get_error_details().bad_request().unwrap().field_violations.clone();
    let fields: Vec<_> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["ticket.title", "ticket.fields.colour"]);
    let filter = ListTicketsRequest { filter: "colour = red".into(), ..Default::default() };
    let filter = it.client.list_tickets(by("ann", filter)).await.unwrap_err();
    assert_eq!(reason(&filter), (Code::InvalidArgument, "FILTER_INVALID".into()));
    let behind = GetTicketRequest { name, min_position: "5".into(), ..Default::default() };
    let behind = it.client.get_ticket(by("ann", behind)).await.unwrap_err();
    assert_eq!(reason(&behind), (Code::InvalidArgument, "POSITION_INVALID".into()));
}

/// Proves part of: X5
#[tokio::test]
async fn listings_come_newest_first_by_filter_and_page() {
    let mut it = cluster().await;
    let mut names = Vec::new();
    for n in 0..5 {
        it.service.clock().advance(MONDAY + n);
        names.push(it.opened().await.name);
    }
    it.client.take_ticket(by("ann", TakeTicketRequest { name: names[2].clone(), ..Default::default() })).await.unwrap();
    let list = |page_token: String| ListTicketsRequest {
        filter: "state = received AND priority >= medium".into(),
        page_size: 3,
        page_token,
        ..Default::default()
    };
    let first = it.client.list_tickets(by("ann", list(String::new()))).await.unwrap().into_inner();
    let second = it.client.list_tickets(by("ann", list(first.next_page_token.clone()))).await.unwrap().into_inner();
    let found: Vec<_> = first.tickets.iter().chain(&second.tickets).map(|ticket| ticket.name.as_str()).collect();
    assert_eq!(found, [&*names[4], &names[3], &names[1], &names[0]]);
    assert_eq!(second.next_page_token, "");
    let stolen = it.client.list_tickets(by("bob", list(first.next_page_token))).await.unwrap_err();
    assert_eq!(reason(&stolen), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    let rita = it.client.list_tickets(by("rita", ListTicketsRequest::default())).await.unwrap().into_inner();
    assert!(rita.tickets.is_empty(), "who only reports sees their own");
    let other = it.client.list_tickets(of("globex", "ann", ListTicketsRequest::default())).await.unwrap().into_inner();
    assert!(other.tickets.is_empty());
}

/// Proves part of: I20
#[tokio::test]
async fn a_ticket_and_its_timeline_as_of_then() {
    let mut it = cluster().await;
    let name = it.opened().await.name;
    it.service.clock().advance(MONDAY + HOUR);
    it.client.take_ticket(by("ann", TakeTicketRequest { name: name.clone(), ..Default::default() })).await.unwrap();
    let then = Some(proto::prost_types::Timestamp { seconds: MONDAY / 1_000_000 + 60, nanos: 0 });
    let asked = GetTicketRequest { name: name.clone(), as_of_time: then, ..Default::default() };
    let before = it.client.get_ticket(by("ann", asked)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!((before.state(), before.etag.as_str()), (TicketState::Received, "1"));
    let mut asked = ListTimelineRequest { name: name.clone(), page_size: 1, ..Default::default() };
    let first = it.client.list_timeline(by("ann", asked.clone())).await.unwrap().into_inner();
    asked.page_token = first.next_page_token;
    let second = it.client.list_timeline(by("ann", asked)).await.unwrap().into_inner();
    let kinds: Vec<_> = first.entries.iter().chain(&second.entries).map(|entry| entry.kind.as_str()).collect();
    assert_eq!((kinds, second.next_page_token.as_str()), (vec!["Received", "TakenInCharge"], ""));
    assert!(format!("{:?}", first.entries[0].body).contains("on fire"));
    let asked = ListTimelineRequest { name, as_of_time: then, ..Default::default() };
    assert_eq!(it.client.list_timeline(by("ann", asked)).await.unwrap().into_inner().entries.len(), 1);
}

/// Proves part of: X2
#[tokio::test]
async fn a_watcher_sees_every_change_and_resumes_where_it_stopped() {
    let mut it = cluster().await;
    let watch = WatchTicketsRequest { filter: "queue = desk".into(), ..Default::default() };
    let mut changes = it.client.watch_tickets(by("ann", watch)).await.unwrap().into_inner();
    let name = it.opened().await.name;
    it.client.take_ticket(by("ann", TakeTicketRequest { name, ..Default::default() })).await.unwrap();
    let first = changes.next().await.unwrap().unwrap();
    let second = changes.next().await.unwrap().unwrap();
    assert_eq!((first.kind.as_str(), second.kind.as_str()), ("Received", "TakenInCharge"));
    assert_eq!(first.ticket.unwrap().state(), TicketState::Received);
    let resume = WatchTicketsRequest { from_position: first.log_position, ..Default::default() };
    let mut resumed = it.client.watch_tickets(by("ann", resume)).await.unwrap().into_inner();
    assert_eq!(resumed.next().await.unwrap().unwrap(), second);
}

/// Proves part of: X6
#[tokio::test]
async fn an_erased_customer_is_found_nowhere() {
    let mut it = cluster().await;
    let ticket = it.opened().await;
    let erase = || EraseCustomerRequest { customer: "C-7".into(), reason: "asked".into(), ..Default::default() };
    let erased = it.client.erase_customer(by("sue", erase())).await.unwrap().into_inner();
    assert_eq!(erased.customer_id, ticket.customer_id);
    let after = it.get(&ticket.name).await;
    let contact = after.contact.unwrap();
    assert_eq!([&after.title, &after.customer, &contact.name, &contact.phone], ["(erased)"; 4]);
    assert_eq!(after.fields["phone"].value, Some(field_value::Value::Text("(erased)".into())));
    assert_eq!(after.customer_id, ticket.customer_id);
    let refused = it.client.open_ticket(by("ann", fire())).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "CUSTOMER_ERASED".into()));
    let comment = AddCommentRequest { name: ticket.name, text: "hello".into(), ..Default::default() };
    let refused = it.client.add_comment(by("ann", comment)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "CUSTOMER_ERASED".into()));
    it.client.erase_customer(by("sue", erase())).await.unwrap();
    settle_erasures(&it.service).await.unwrap();
}

fn imported(reference: &str, states: &[&str]) -> ImportedTicket {
    let at = |n: i64| Some(proto::prost_types::Timestamp { seconds: MONDAY / 1_000_000 - 9_000_000 + n, nanos: 0 });
    let line = |(n, state): (i64, &&str)| ImportedActivity {
        occur_time: at(n),
        activity: "moved".into(),
        kind: "note".into(),
        state: (*state).to_owned(),
        ..ImportedActivity::default()
    };
    let ticket = Ticket { fields: [].into(), ..fire().ticket.unwrap() };
    ImportedTicket {
        reference: reference.into(),
        ticket: Some(ticket),
        activities: (0..).zip(states).map(line).collect(),
    }
}

/// Proves part of: I22
#[tokio::test]
async fn accepted_and_refused_are_the_rows() {
    let mut it = cluster().await;
    let tickets = vec![
        imported("R-1", &["open", "waiting"]),
        imported("R-2", &["open", "lost"]),
        imported("R-3", &["open", "closed"]),
        imported("R-4", &[]),
    ];
    let mut asked = ImportTicketsRequest { source: "old".into(), tickets, validate_only: true };
    let checked = it.client.import_tickets(by("ann", asked.clone())).await.unwrap().into_inner();
    let before = it.service.log().head().await.unwrap().position;
    asked.validate_only = false;
    let first = it.client.import_tickets(by("ann", asked.clone())).await.unwrap().into_inner();
    assert_eq!(first, checked);
    assert_eq!((first.accepted, first.refused.len()), (2, 2));
    assert_eq!([&*first.refused[0].reference, &*first.refused[1].reference], ["R-2", "R-4"]);
    let written = it.service.log().head().await.unwrap().position;
    assert_eq!(written - before, 6, "two tickets with two lines each");
    assert_eq!(it.client.import_tickets(by("bob", asked)).await.unwrap().into_inner(), first);
    assert_eq!(it.service.log().head().await.unwrap().position, written, "whoever repeats it, it comes in once");
    let listed =
        it.client.list_tickets(by("ann", ListTicketsRequest { filter: "open = true".into(), ..Default::default() }));
    let listed = listed.await.unwrap().into_inner().tickets;
    assert_eq!((listed.len(), listed[0].imported_from.as_str(), listed[0].state()), (1, "R-1", TicketState::Waiting));
}

/// Proves part of: X1
#[tokio::test]
async fn documents_are_validated_applied_and_listed() {
    let mut it = cluster().await;
    let mut changed = apply();
    changed.documents[0].spec_json = r#"{"members":["bob"],"attend_within":"2h"}"#.into();
    changed.validate_only = true;
    let would = it.client.apply_documents(by("root", changed.clone())).await.unwrap().into_inner().documents;
    assert_eq!(would.iter().map(|document| (&*document.name, document.version)).collect::<Vec<_>>(), [("desk", 1)]);
    changed.validate_only = false;
    let done = it.client.apply_documents(by("root", changed.clone())).await.unwrap().into_inner().documents;
    assert_eq!(done.iter().map(|document| (&*document.name, document.version)).collect::<Vec<_>>(), [("desk", 2)]);
    changed.documents[1].spec_json = "{".into();
    let faulty = it.client.apply_documents(by("root", changed)).await.unwrap().into_inner();
    assert_eq!((faulty.faults.len(), faulty.documents.len()), (1, 0));
    let queues = ListDocumentsRequest { kind: "Queue".into(), ..Default::default() };
    let queues = it.client.list_documents(by("root", queues)).await.unwrap().into_inner().documents;
    assert_eq!((queues.len(), queues[0].version), (1, 2));
    assert!(queues[0].spec_json.contains("bob"));
}

/// Proves part of: X1
#[tokio::test]
async fn documents_of_other_services_count_while_a_batch_is_checked_only() {
    let mut it = cluster().await;
    let mut asked = apply();
    asked.documents[1].spec_json = r#"{"queue":"desk","calendar":"office"}"#.into();
    let office = Document { kind: "Calendar".into(), name: "office".into(), spec_json: "{}".into(), version: 0 };
    asked.documents.push(office);
    asked.validate_only = true;
    let checked = it.client.apply_documents(by("root", asked.clone())).await.unwrap().into_inner();
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert_eq!(checked.documents.iter().map(|document| &*document.name).collect::<Vec<_>>(), ["incident"]);
    asked.validate_only = false;
    let applied = it.client.apply_documents(by("root", asked.clone())).await.unwrap().into_inner();
    let faults: Vec<_> = applied.faults.iter().map(|fault| (&*fault.name, &*fault.path)).collect();
    assert_eq!((faults, applied.documents.len()), (vec![("incident", "/calendar")], 0));
    asked.documents = vec![asked.documents[0].clone(); 501];
    let many = it.client.apply_documents(by("root", asked)).await.unwrap_err();
    assert_eq!(reason(&many), (Code::InvalidArgument, "FIELDS_INVALID".into()));
}

#[test]
fn every_rpc_of_the_service_has_its_row() {
    let faults = chassis::access::uncovered(proto::DESCRIPTORS, &[intake::ACCESS]).unwrap();
    let own: Vec<_> = faults.iter().filter(|fault| fault.contains("docket.intake")).collect();
    assert!(own.is_empty(), "{own:?}");
}
