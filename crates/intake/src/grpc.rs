//! The public API of intake: the only file (with those below it) that knows both the wire and the rules.

mod bulk;
mod call;
mod documents;
mod history;
mod parse;
mod read;
mod refuse;
mod render;
mod watch;

use std::sync::Arc;

use chassis::access::Access;
use chassis::page::PageKey;
use chassis::refuse::field;
use chassis::serve::MESSAGE_MAX_BYTES;
use chassis::token::Role;
use chassis::wire;
use eventlog::Service;
use proto::intake::v1 as pb;
use proto::intake::v1::intake_service_server::{IntakeService, IntakeServiceServer};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::Intake;
use crate::command::{Command, Verb};
use call::{Target, Who};

pub use bulk::settle_erasures;
pub use refuse::REASONS;

/// Every role.
const ANYONE: &[Role] =
    &[Role::Requester, Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];
/// Those on our side.
const STAFF: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];
/// Those who work on tickets.
const DESK: &[Role] = &[Role::Agent, Role::Dispatcher, Role::Supervisor, Role::Admin];
/// Those who write down what was said.
const FIELD: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Admin];
/// The customer's side, and those who speak for it.
const REPORTING: &[Role] =
    &[Role::Requester, Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Admin];
/// Those who review.
const REVIEW: &[Role] = &[Role::Supervisor, Role::Admin];

/// Which roles may call what.
pub const ACCESS: Access = &[
    ("docket.intake.v1.IntakeService/OpenTicket", REPORTING),
    ("docket.intake.v1.IntakeService/GetTicket", ANYONE),
    ("docket.intake.v1.IntakeService/ListTickets", ANYONE),
    ("docket.intake.v1.IntakeService/WatchTickets", ANYONE),
    ("docket.intake.v1.IntakeService/ListTimeline", STAFF),
    ("docket.intake.v1.IntakeService/TriageTicket", DESK),
    ("docket.intake.v1.IntakeService/AddComment", REPORTING),
    ("docket.intake.v1.IntakeService/LogContact", FIELD),
    ("docket.intake.v1.IntakeService/SetPriority", DESK),
    ("docket.intake.v1.IntakeService/TransferTicket", DESK),
    ("docket.intake.v1.IntakeService/TakeTicket", DESK),
    ("docket.intake.v1.IntakeService/HoldTicket", DESK),
    ("docket.intake.v1.IntakeService/ResumeTicket", DESK),
    ("docket.intake.v1.IntakeService/ResolveTicket", DESK),
    ("docket.intake.v1.IntakeService/ConfirmTicket", REPORTING),
    ("docket.intake.v1.IntakeService/RejectTicket", REPORTING),
    ("docket.intake.v1.IntakeService/CloseTicket", REVIEW),
    ("docket.intake.v1.IntakeService/ReopenTicket", REPORTING),
    ("docket.intake.v1.IntakeService/CancelTicket", DESK),
    ("docket.intake.v1.IntakeService/ImportTickets", DESK),
    ("docket.intake.v1.IntakeService/EraseCustomer", REVIEW),
    ("docket.intake.v1.IntakeService/ApplyDocuments", &[Role::Admin]),
    ("docket.intake.v1.IntakeService/ListDocuments", STAFF),
];

/// The API over a running core.
#[derive(Clone)]
pub struct Grpc {
    intake: Arc<Service<Intake>>,
    pages: PageKey,
}

/// The gRPC server of a running core; `pages` authenticates page tokens, the same on every replica.
pub fn service(intake: Arc<Service<Intake>>, pages: PageKey) -> IntakeServiceServer<Grpc> {
    IntakeServiceServer::new(Grpc { intake, pages }).max_decoding_message_size(MESSAGE_MAX_BYTES)
}

type Answer<T> = Result<Response<T>, Status>;

/// Carries a verb out for a message that names `name`, `etag`, `occur_time` and `request_id`, as all of them do.
macro_rules! carry {
    ($grpc:expr, $who:expr, $asked:expr, $rpc:literal, $verb:expr => $response:ident) => {{
        let ask = $who.ask($rpc, &$asked, &$asked.request_id)?;
        let (name, etag) = ($asked.name.clone(), $asked.etag.clone());
        let target = Target { name: &name, etag: &etag, occur_time: $asked.occur_time };
        let (ticket, log_position) = $grpc.carry(&$who, ask, target, $verb).await?;
        Ok(Response::new(pb::$response { ticket: Some(ticket), log_position }))
    }};
}

#[tonic::async_trait]
impl IntakeService for Grpc {
    type WatchTicketsStream = ReceiverStream<Result<pb::WatchTicketsResponse, Status>>;

    async fn open_ticket(&self, request: Request<pb::OpenTicketRequest>) -> Answer<pb::OpenTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let mut ask = who.ask("OpenTicket", &asked, &asked.request_id)?;
        ask.occurred_at = wire::micros("occur_time", asked.occur_time)?;
        let pseudonym = |reference: &str| self.customer(&who.tenant, reference);
        let opening = parse::opening(asked.ticket.unwrap_or_default(), pseudonym)?;
        let command = Command::Open(Box::new(opening));
        let done = self.intake.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?;
        let opened = done.events.first().and_then(|event| event.correlation);
        let opened = opened.ok_or_else(|| chassis::refuse::internal("a ticket was opened without an event"))?;
        let (ticket, log_position) = self.outcome(&who.tenant, opened, &done).await?;
        Ok(Response::new(pb::OpenTicketResponse { ticket: Some(ticket), log_position }))
    }

    async fn get_ticket(&self, request: Request<pb::GetTicketRequest>) -> Answer<pb::GetTicketResponse> {
        let (who, asked) = Who::of(request)?;
        self.get(&who, asked).await.map(Response::new)
    }

    async fn list_tickets(&self, request: Request<pb::ListTicketsRequest>) -> Answer<pb::ListTicketsResponse> {
        let (who, asked) = Who::of(request)?;
        self.list(&who, asked).await.map(Response::new)
    }

    async fn watch_tickets(&self, request: Request<pb::WatchTicketsRequest>) -> Answer<Self::WatchTicketsStream> {
        let (who, asked) = Who::of(request)?;
        self.watch(who, asked).await.map(Response::new)
    }

    async fn list_timeline(&self, request: Request<pb::ListTimelineRequest>) -> Answer<pb::ListTimelineResponse> {
        let (who, asked) = Who::of(request)?;
        self.timeline(&who, asked).await.map(Response::new)
    }

    async fn triage_ticket(&self, request: Request<pb::TriageTicketRequest>) -> Answer<pb::TriageTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let (priority, queue) = (parse::priority(asked.priority)?, parse::said(asked.queue.clone()));
        carry!(self, who, asked, "TriageTicket", Verb::Triage { priority, queue } => TriageTicketResponse)
    }

    async fn add_comment(&self, request: Request<pb::AddCommentRequest>) -> Answer<pb::AddCommentResponse> {
        let (who, asked) = Who::of(request)?;
        let author = parse::author(asked.author, who.reach)?;
        let comment = Verb::Comment { author, public: !asked.internal, text: asked.text.clone() };
        carry!(self, who, asked, "AddComment", comment => AddCommentResponse)
    }

    async fn log_contact(&self, request: Request<pb::LogContactRequest>) -> Answer<pb::LogContactResponse> {
        let (who, asked) = Who::of(request)?;
        let channel = parse::channel(asked.channel)?;
        let (inbound, reached, summary) = (asked.inbound, asked.reached, asked.summary.clone());
        let contact = Verb::LogContact { channel, inbound, reached, summary };
        carry!(self, who, asked, "LogContact", contact => LogContactResponse)
    }

    async fn set_priority(&self, request: Request<pb::SetPriorityRequest>) -> Answer<pb::SetPriorityResponse> {
        let (who, asked) = Who::of(request)?;
        let weights = (parse::impact(asked.impact)?, parse::urgency(asked.urgency)?);
        let verb = match (parse::priority(asked.priority)?, weights) {
            (Some(priority), (None, None)) => Verb::Prioritise { priority, reason: asked.reason.clone() },
            (None, (Some(impact), Some(urgency))) => Verb::Weigh { impact, urgency },
            _ => return Err(field("priority", "must be named alone, or else both impact and urgency").into()),
        };
        carry!(self, who, asked, "SetPriority", verb => SetPriorityResponse)
    }

    async fn transfer_ticket(&self, request: Request<pb::TransferTicketRequest>) -> Answer<pb::TransferTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let (queue, person) = (parse::said(asked.queue.clone()), parse::said(asked.person.clone()));
        let transfer = Verb::Transfer { queue, person, reason: asked.reason.clone() };
        carry!(self, who, asked, "TransferTicket", transfer => TransferTicketResponse)
    }

    async fn take_ticket(&self, request: Request<pb::TakeTicketRequest>) -> Answer<pb::TakeTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let agent = who.caller().subject.clone();
        carry!(self, who, asked, "TakeTicket", Verb::Take { agent } => TakeTicketResponse)
    }

    async fn hold_ticket(&self, request: Request<pb::HoldTicketRequest>) -> Answer<pb::HoldTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let reasons = parse::wait_reasons(&asked.reasons)?;
        let look_again_at = wire::micros("look_again_time", asked.look_again_time)?;
        carry!(self, who, asked, "HoldTicket", Verb::Hold { reasons, look_again_at } => HoldTicketResponse)
    }

    async fn resume_ticket(&self, request: Request<pb::ResumeTicketRequest>) -> Answer<pb::ResumeTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let reasons = parse::wait_reasons(&asked.reasons)?;
        carry!(self, who, asked, "ResumeTicket", Verb::Resume { reasons } => ResumeTicketResponse)
    }

    async fn resolve_ticket(&self, request: Request<pb::ResolveTicketRequest>) -> Answer<pb::ResolveTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let (solution, evidence) = (asked.solution.clone(), asked.evidence.clone());
        carry!(self, who, asked, "ResolveTicket", Verb::Resolve { solution, evidence } => ResolveTicketResponse)
    }

    async fn confirm_ticket(&self, request: Request<pb::ConfirmTicketRequest>) -> Answer<pb::ConfirmTicketResponse> {
        let (who, asked) = Who::of(request)?;
        carry!(self, who, asked, "ConfirmTicket", Verb::Confirm => ConfirmTicketResponse)
    }

    async fn reject_ticket(&self, request: Request<pb::RejectTicketRequest>) -> Answer<pb::RejectTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let reason = asked.reason.clone();
        carry!(self, who, asked, "RejectTicket", Verb::Reject { reason } => RejectTicketResponse)
    }

    async fn close_ticket(&self, request: Request<pb::CloseTicketRequest>) -> Answer<pb::CloseTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let review = asked.review.clone();
        carry!(self, who, asked, "CloseTicket", Verb::Close { review } => CloseTicketResponse)
    }

    async fn reopen_ticket(&self, request: Request<pb::ReopenTicketRequest>) -> Answer<pb::ReopenTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let reason = asked.reason.clone();
        carry!(self, who, asked, "ReopenTicket", Verb::Reopen { reason } => ReopenTicketResponse)
    }

    async fn cancel_ticket(&self, request: Request<pb::CancelTicketRequest>) -> Answer<pb::CancelTicketResponse> {
        let (who, asked) = Who::of(request)?;
        let (reason, force) = (asked.reason.clone(), asked.force);
        carry!(self, who, asked, "CancelTicket", Verb::Cancel { reason, force } => CancelTicketResponse)
    }

    async fn import_tickets(&self, request: Request<pb::ImportTicketsRequest>) -> Answer<pb::ImportTicketsResponse> {
        let (who, asked) = Who::of(request)?;
        self.import(&who, asked).await.map(Response::new)
    }

    async fn erase_customer(&self, request: Request<pb::EraseCustomerRequest>) -> Answer<pb::EraseCustomerResponse> {
        let (who, asked) = Who::of(request)?;
        self.erase(&who, asked).await.map(Response::new)
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
