//! The public API of dispatch: the only file (with those below it) that knows both the wire and the rules.

mod call;
mod documents;
mod parse;
mod read;
mod refuse;
mod render;
mod watch;

use std::sync::Arc;

use chassis::access::Access;
use chassis::page::PageKey;
use chassis::serve::MESSAGE_MAX_BYTES;
use chassis::token::Role;
use chassis::wire;
use eventlog::Service;
use proto::dispatch::v1 as pb;
use proto::dispatch::v1::dispatch_service_server::{DispatchService, DispatchServiceServer};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::Dispatch;
use crate::command::Verb;
use crate::duty;
use call::{Target, Who};

pub use refuse::REASONS;

/// Those on our side.
const STAFF: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];
/// Those who have duty.
const DUTY: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Admin];
/// Those who go, and those who decide for them.
const FIELD: &[Role] = &[Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Admin];
/// Those who decide for others.
const ASSIGN: &[Role] = &[Role::Dispatcher, Role::Supervisor, Role::Admin];

/// Which roles may call what.
pub const ACCESS: Access = &[
    ("docket.dispatch.v1.DispatchService/ListMyWork", DUTY),
    ("docket.dispatch.v1.DispatchService/WatchMyWork", DUTY),
    ("docket.dispatch.v1.DispatchService/AcceptOffer", FIELD),
    ("docket.dispatch.v1.DispatchService/DeclineOffer", FIELD),
    ("docket.dispatch.v1.DispatchService/DepartToVisit", FIELD),
    ("docket.dispatch.v1.DispatchService/ArriveAtVisit", FIELD),
    ("docket.dispatch.v1.DispatchService/StartWork", FIELD),
    ("docket.dispatch.v1.DispatchService/PauseWork", FIELD),
    ("docket.dispatch.v1.DispatchService/ContinueWork", FIELD),
    ("docket.dispatch.v1.DispatchService/CompleteVisit", FIELD),
    ("docket.dispatch.v1.DispatchService/StopVisit", FIELD),
    ("docket.dispatch.v1.DispatchService/StartDuty", DUTY),
    ("docket.dispatch.v1.DispatchService/EndDuty", DUTY),
    ("docket.dispatch.v1.DispatchService/BookTimeOff", DUTY),
    ("docket.dispatch.v1.DispatchService/CancelTimeOff", DUTY),
    ("docket.dispatch.v1.DispatchService/ReportPosition", FIELD),
    ("docket.dispatch.v1.DispatchService/AssignVisit", ASSIGN),
    ("docket.dispatch.v1.DispatchService/ReleaseVisit", ASSIGN),
    ("docket.dispatch.v1.DispatchService/HandOverVisit", FIELD),
    ("docket.dispatch.v1.DispatchService/ListVisits", STAFF),
    ("docket.dispatch.v1.DispatchService/ListUnassigned", STAFF),
    ("docket.dispatch.v1.DispatchService/ExplainAssignment", STAFF),
    ("docket.dispatch.v1.DispatchService/WhyNot", STAFF),
    ("docket.dispatch.v1.DispatchService/ListEngineers", STAFF),
    ("docket.dispatch.v1.DispatchService/ApplyDocuments", &[Role::Admin]),
    ("docket.dispatch.v1.DispatchService/ListDocuments", STAFF),
];

/// The API over a running core.
#[derive(Clone)]
pub struct Grpc {
    dispatch: Arc<Service<Dispatch>>,
    pages: PageKey,
}

/// The gRPC server of a running core; `pages` authenticates page tokens, the same on every replica.
pub fn service(dispatch: Arc<Service<Dispatch>>, pages: PageKey) -> DispatchServiceServer<Grpc> {
    DispatchServiceServer::new(Grpc { dispatch, pages }).max_decoding_message_size(MESSAGE_MAX_BYTES)
}

type Answer<T> = Result<Response<T>, Status>;

/// Carries a verb out for a message that names `visit`, `etag` and `request_id`; `at` says when it happened.
macro_rules! carry {
    ($grpc:expr, $request:expr, $rpc:literal, $at:expr, $verb:expr => $response:ident) => {{
        let (who, asked) = Who::of($request)?;
        let ask = who.ask($rpc, &asked, &asked.request_id)?;
        let target = Target { name: &asked.visit, etag: &asked.etag, occur_time: $at(&asked) };
        let (visit, log_position) = $grpc.carry(&who, ask, target, $verb(&asked)?).await?;
        Ok(Response::new(pb::$response { visit: Some(visit), log_position }))
    }};
}

/// Says something about somebody's time for a message that names `engineer` and `request_id`.
macro_rules! say {
    ($grpc:expr, $request:expr, $rpc:literal, $verb:expr => $response:ident) => {{
        let (who, asked) = Who::of($request)?;
        let ask = who.ask($rpc, &asked, &asked.request_id)?;
        let (engineer, log_position) = $grpc.say(&who, ask, &asked.engineer, $verb(&asked)?).await?;
        Ok(Response::new(pb::$response { engineer, log_position }))
    }};
}

#[tonic::async_trait]
impl DispatchService for Grpc {
    type WatchMyWorkStream = ReceiverStream<Result<pb::WatchMyWorkResponse, Status>>;

    async fn list_my_work(&self, request: Request<pb::ListMyWorkRequest>) -> Answer<pb::ListMyWorkResponse> {
        let (who, asked) = Who::of(request)?;
        self.my_work(&who, &asked).await.map(Response::new)
    }

    async fn watch_my_work(&self, request: Request<pb::WatchMyWorkRequest>) -> Answer<Self::WatchMyWorkStream> {
        let (who, asked) = Who::of(request)?;
        self.watch(who, asked).await.map(Response::new)
    }

    async fn accept_offer(&self, request: Request<pb::AcceptOfferRequest>) -> Answer<pb::AcceptOfferResponse> {
        let verb = |_: &pb::AcceptOfferRequest| Ok::<_, Status>(Verb::Accept);
        carry!(self, request, "AcceptOffer", |_: &_| None, verb => AcceptOfferResponse)
    }

    async fn decline_offer(&self, request: Request<pb::DeclineOfferRequest>) -> Answer<pb::DeclineOfferResponse> {
        let verb = |asked: &pb::DeclineOfferRequest| Ok::<_, Status>(Verb::Decline { reason: asked.reason.clone() });
        carry!(self, request, "DeclineOffer", |_: &_| None, verb => DeclineOfferResponse)
    }

    async fn depart_to_visit(&self, request: Request<pb::DepartToVisitRequest>) -> Answer<pb::DepartToVisitResponse> {
        let at = |asked: &pb::DepartToVisitRequest| asked.occur_time;
        let verb = |_: &pb::DepartToVisitRequest| Ok::<_, Status>(Verb::Depart);
        carry!(self, request, "DepartToVisit", at, verb => DepartToVisitResponse)
    }

    async fn arrive_at_visit(&self, request: Request<pb::ArriveAtVisitRequest>) -> Answer<pb::ArriveAtVisitResponse> {
        let at = |asked: &pb::ArriveAtVisitRequest| asked.occur_time;
        let verb =
            |asked: &pb::ArriveAtVisitRequest| Ok::<_, Status>(Verb::Arrive { place: asked.place.map(parse::place) });
        carry!(self, request, "ArriveAtVisit", at, verb => ArriveAtVisitResponse)
    }

    async fn start_work(&self, request: Request<pb::StartWorkRequest>) -> Answer<pb::StartWorkResponse> {
        let at = |asked: &pb::StartWorkRequest| asked.occur_time;
        let verb = |_: &pb::StartWorkRequest| Ok::<_, Status>(Verb::Start);
        carry!(self, request, "StartWork", at, verb => StartWorkResponse)
    }

    async fn pause_work(&self, request: Request<pb::PauseWorkRequest>) -> Answer<pb::PauseWorkResponse> {
        let at = |asked: &pb::PauseWorkRequest| asked.occur_time;
        let verb = |asked: &pb::PauseWorkRequest| Ok::<_, Status>(Verb::Pause { reason: asked.reason.clone() });
        carry!(self, request, "PauseWork", at, verb => PauseWorkResponse)
    }

    async fn continue_work(&self, request: Request<pb::ContinueWorkRequest>) -> Answer<pb::ContinueWorkResponse> {
        let at = |asked: &pb::ContinueWorkRequest| asked.occur_time;
        let verb = |_: &pb::ContinueWorkRequest| Ok::<_, Status>(Verb::Continue);
        carry!(self, request, "ContinueWork", at, verb => ContinueWorkResponse)
    }

    async fn complete_visit(&self, request: Request<pb::CompleteVisitRequest>) -> Answer<pb::CompleteVisitResponse> {
        let at = |asked: &pb::CompleteVisitRequest| asked.occur_time;
        let verb = |asked: &pb::CompleteVisitRequest| {
            Ok::<_, Status>(Verb::Complete { report: asked.report.clone(), evidence: asked.evidence.clone() })
        };
        carry!(self, request, "CompleteVisit", at, verb => CompleteVisitResponse)
    }

    async fn stop_visit(&self, request: Request<pb::StopVisitRequest>) -> Answer<pb::StopVisitResponse> {
        let at = |asked: &pb::StopVisitRequest| asked.occur_time;
        let verb = |asked: &pb::StopVisitRequest| {
            parse::stop_reason(asked.reason()).map(|why| Verb::Stop { why, note: asked.note.clone() })
        };
        carry!(self, request, "StopVisit", at, verb => StopVisitResponse)
    }

    async fn start_duty(&self, request: Request<pb::StartDutyRequest>) -> Answer<pb::StartDutyResponse> {
        let verb = |asked: &pb::StartDutyRequest| {
            wire::micros("until_time", asked.until_time).map(|until| duty::Verb::Start { until })
        };
        say!(self, request, "StartDuty", verb => StartDutyResponse)
    }

    async fn end_duty(&self, request: Request<pb::EndDutyRequest>) -> Answer<pb::EndDutyResponse> {
        let verb = |asked: &pb::EndDutyRequest| {
            let why = parse::off_duty(asked.reason())?;
            Ok::<_, Status>(duty::Verb::End { why, back_at: wire::micros("back_time", asked.back_time)? })
        };
        say!(self, request, "EndDuty", verb => EndDutyResponse)
    }

    async fn book_time_off(&self, request: Request<pb::BookTimeOffRequest>) -> Answer<pb::BookTimeOffResponse> {
        let verb = |asked: &pb::BookTimeOffRequest| {
            let from = parse::instant("start_time", asked.start_time)?;
            Ok::<_, Status>(duty::Verb::Book { from, to: parse::instant("end_time", asked.end_time)? })
        };
        say!(self, request, "BookTimeOff", verb => BookTimeOffResponse)
    }

    async fn cancel_time_off(&self, request: Request<pb::CancelTimeOffRequest>) -> Answer<pb::CancelTimeOffResponse> {
        let verb = |asked: &pb::CancelTimeOffRequest| {
            parse::instant("start_time", asked.start_time).map(|from| duty::Verb::Cancel { from })
        };
        say!(self, request, "CancelTimeOff", verb => CancelTimeOffResponse)
    }

    async fn report_position(&self, request: Request<pb::ReportPositionRequest>) -> Answer<pb::ReportPositionResponse> {
        let verb = |asked: &pb::ReportPositionRequest| {
            let place = asked.place.ok_or_else(|| chassis::refuse::field("place", "is required"))?;
            Ok::<_, Status>(duty::Verb::Report { place: parse::place(place) })
        };
        say!(self, request, "ReportPosition", verb => ReportPositionResponse)
    }

    async fn assign_visit(&self, request: Request<pb::AssignVisitRequest>) -> Answer<pb::AssignVisitResponse> {
        let verb = |asked: &pb::AssignVisitRequest| {
            let arrive_at = wire::micros("arrive_time", asked.arrive_time)?;
            let (engineer, override_reason) = (asked.engineer.clone(), asked.override_reason.clone());
            Ok::<_, Status>(Verb::Assign { engineer, arrive_at, override_reason })
        };
        carry!(self, request, "AssignVisit", |_: &_| None, verb => AssignVisitResponse)
    }

    async fn release_visit(&self, request: Request<pb::ReleaseVisitRequest>) -> Answer<pb::ReleaseVisitResponse> {
        let verb = |asked: &pb::ReleaseVisitRequest| Ok::<_, Status>(Verb::Release { reason: asked.reason.clone() });
        carry!(self, request, "ReleaseVisit", |_: &_| None, verb => ReleaseVisitResponse)
    }

    async fn hand_over_visit(&self, request: Request<pb::HandOverVisitRequest>) -> Answer<pb::HandOverVisitResponse> {
        let verb = |asked: &pb::HandOverVisitRequest| {
            let (engineer, note) = (asked.engineer.clone(), asked.note.clone());
            Ok::<_, Status>(Verb::HandOver { engineer, note, override_reason: asked.override_reason.clone() })
        };
        carry!(self, request, "HandOverVisit", |_: &_| None, verb => HandOverVisitResponse)
    }

    async fn list_visits(&self, request: Request<pb::ListVisitsRequest>) -> Answer<pb::ListVisitsResponse> {
        let (who, asked) = Who::of(request)?;
        self.visits(&who, &asked).await.map(Response::new)
    }

    async fn list_unassigned(&self, request: Request<pb::ListUnassignedRequest>) -> Answer<pb::ListUnassignedResponse> {
        let (who, asked) = Who::of(request)?;
        self.unassigned(&who, &asked).await.map(Response::new)
    }

    async fn explain_assignment(
        &self,
        request: Request<pb::ExplainAssignmentRequest>,
    ) -> Answer<pb::ExplainAssignmentResponse> {
        let (who, asked) = Who::of(request)?;
        self.explain(&who, &asked).await.map(Response::new)
    }

    async fn why_not(&self, request: Request<pb::WhyNotRequest>) -> Answer<pb::WhyNotResponse> {
        let (who, asked) = Who::of(request)?;
        self.why(&who, &asked).await.map(Response::new)
    }

    async fn list_engineers(&self, request: Request<pb::ListEngineersRequest>) -> Answer<pb::ListEngineersResponse> {
        let (who, asked) = Who::of(request)?;
        self.engineers(&who, &asked).await.map(Response::new)
    }

    async fn apply_documents(&self, request: Request<pb::ApplyDocumentsRequest>) -> Answer<pb::ApplyDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.apply(&who, asked).await.map(Response::new)
    }

    async fn list_documents(&self, request: Request<pb::ListDocumentsRequest>) -> Answer<pb::ListDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.documents(&who, &asked).await.map(Response::new)
    }
}
