//! The public API of sla-monitor: the only file (with those below it) that knows both the wire and the rules.

mod documents;
mod major;
mod nminus;
mod parse;
mod refuse;
mod render;
mod whatif;

use std::sync::Arc;

use chassis::access::Access;
use chassis::page::{PageKey, page_size};
use chassis::refuse::internal;
use chassis::serve::MESSAGE_MAX_BYTES;
use chassis::token::Role;
use chassis::wire::micros;
use decider::{Micros, Tenant};
use eventlog::Service;
use eventlog::service::Ask;
use proto::sla_monitor::v1::sla_monitor_service_server::{SlaMonitorService, SlaMonitorServiceServer};
use proto::sla_monitor::v1::{
    AcknowledgeEscalationRequest, AcknowledgeEscalationResponse, ApplyDocumentsRequest, ApplyDocumentsResponse,
    CheckTicketsRequest, CheckTicketsResponse, CompareClocksRequest, CompareClocksResponse, DeclareMajorEventRequest,
    DeclareMajorEventResponse, EndMajorEventRequest, EndMajorEventResponse, ExplainBreachRequest,
    ExplainBreachResponse, GetOnCallRequest, GetOnCallResponse, ListBreachesRequest, ListBreachesResponse,
    ListClocksRequest, ListClocksResponse, ListDeadlinesRequest, ListDeadlinesResponse, ListDocumentsRequest,
    ListDocumentsResponse, ListMajorEventsRequest, ListMajorEventsResponse, ProveNoDropRequest, ProveNoDropResponse,
    ReportClocksRequest, ReportClocksResponse, WithdrawShadowRequest, WithdrawShadowResponse,
};
use serde::Serialize;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::check;
use crate::command::{Command, Refusal, SlaMonitor};
use crate::figures;
use crate::view::{self, BreachFilter};
use parse::Who;

pub use refuse::REASONS;

/// Those on our side.
const STAFF: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];
/// Those who answer for what was late.
const REVIEW: &[Role] = &[Role::Supervisor, Role::Admin];

/// Those who look back.
const FIGURES: &[Role] = &[Role::Supervisor, Role::Manager, Role::Admin];

/// Which roles may call what.
pub const ACCESS: Access = &[
    ("docket.sla_monitor.v1.SlaMonitorService/ListClocks", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/ListBreaches", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/ExplainBreach", REVIEW),
    ("docket.sla_monitor.v1.SlaMonitorService/ListDeadlines", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/CheckTickets", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/ProveNoDrop", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/AcknowledgeEscalation", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/GetOnCall", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/DeclareMajorEvent", REVIEW),
    ("docket.sla_monitor.v1.SlaMonitorService/EndMajorEvent", REVIEW),
    ("docket.sla_monitor.v1.SlaMonitorService/ListMajorEvents", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/ReportClocks", STAFF),
    ("docket.sla_monitor.v1.SlaMonitorService/CompareClocks", FIGURES),
    ("docket.sla_monitor.v1.SlaMonitorService/WithdrawShadow", &[Role::Admin]),
    ("docket.sla_monitor.v1.SlaMonitorService/ApplyDocuments", &[Role::Admin]),
    ("docket.sla_monitor.v1.SlaMonitorService/ListDocuments", STAFF),
];

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The API over a running core.
#[derive(Clone)]
pub struct Grpc {
    monitor: Arc<Service<SlaMonitor>>,
    pages: PageKey,
}

/// The gRPC server of a running core; `pages` authenticates page tokens, the same on every replica.
pub fn service(monitor: Arc<Service<SlaMonitor>>, pages: PageKey) -> SlaMonitorServiceServer<Grpc> {
    SlaMonitorServiceServer::new(Grpc { monitor, pages }).max_decoding_message_size(MESSAGE_MAX_BYTES)
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SlaMonitorService for Grpc {
    async fn list_clocks(&self, request: Request<ListClocksRequest>) -> Answer<ListClocksResponse> {
        let (who, asked) = Who::of(request)?;
        let ticket = who.ticket_id(&asked.ticket)?;
        let log_position = self.reached(&asked.min_position).await?;
        let clocks = self.monitor.view(|state| view::clocks(state, &who.tenant, ticket));
        let clocks = clocks.ok_or_else(|| refuse::refused(&Refusal::TicketUnknown))?;
        let clocks = clocks.into_iter().map(render::clock).collect();
        Ok(Response::new(ListClocksResponse { clocks, log_position }))
    }

    async fn list_breaches(&self, request: Request<ListBreachesRequest>) -> Answer<ListBreachesResponse> {
        let (who, asked) = Who::of(request)?;
        let filter = BreachFilter {
            clock: asked.clock,
            unexplained: asked.unexplained,
            start: micros("start_time", asked.start_time)?,
            end: micros("end_time", asked.end_time)?,
        };
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = format!("ListBreaches\0{filter:?}");
        let after = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let page = |state: &_| view::breaches(state, &who.tenant, &filter, after, limit);
        let (breaches, next) = self.monitor.view(page);
        let breaches = breaches.iter().map(|breach| render::breach(&who.tenant, breach)).collect();
        let next_page_token = self.token(&who.tenant, &bound, next.as_ref())?;
        Ok(Response::new(ListBreachesResponse { breaches, next_page_token, log_position }))
    }

    async fn explain_breach(&self, request: Request<ExplainBreachRequest>) -> Answer<ExplainBreachResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("ExplainBreach", &asked, &asked.request_id)?;
        let ticket = who.ticket_id(&asked.ticket)?;
        let cause = parse::cause(&asked.cause)?;
        let command = Command::Explain { ticket, clock: asked.clock.clone(), cause, note: asked.note };
        let done = self.monitor.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?;
        let breach = self.monitor.view(|state| view::breach(state, &who.tenant, ticket, &asked.clock));
        let breach = breach.map(|breach| render::breach(&who.tenant, &breach));
        Ok(Response::new(ExplainBreachResponse { breach, log_position: self.mark(done.position).await? }))
    }

    async fn list_deadlines(&self, request: Request<ListDeadlinesRequest>) -> Answer<ListDeadlinesResponse> {
        let (who, asked) = Who::of(request)?;
        let end = micros("end_time", asked.end_time)?;
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = format!("ListDeadlines\0{end:?}");
        let after = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let page = |state: &_| view::deadlines(state, &who.tenant, end, after, limit);
        let (deadlines, next) = self.monitor.view(page);
        let deadlines = deadlines.iter().map(|deadline| render::deadline(&who.tenant, deadline)).collect();
        let next_page_token = self.token(&who.tenant, &bound, next.as_ref())?;
        Ok(Response::new(ListDeadlinesResponse { deadlines, next_page_token, log_position }))
    }

    async fn check_tickets(&self, request: Request<CheckTicketsRequest>) -> Answer<CheckTicketsResponse> {
        let (who, asked) = Who::of(request)?;
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = format!("CheckTickets\0{}", asked.holes_only);
        let after: Option<(bool, Micros, Uuid)> = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.monitor.clock().now();
        let mut checks = self.monitor.view(|state| check::checks(state, &who.tenant, now));
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let open_tickets = count(checks.len());
        let holes = count(checks.iter().filter(|check| check.hole.is_some()).count());
        checks.retain(|check| check.hole.is_some() || !asked.holes_only);
        checks.retain(|check| after.is_none_or(|after| check.order() > after));
        let more = checks.len() > limit;
        checks.truncate(limit);
        let next = checks.last().filter(|_| more).map(check::TicketCheck::order);
        let next_page_token = self.token(&who.tenant, &bound, next.as_ref())?;
        let checks = checks.into_iter().map(|check| render::check(&who.tenant, check)).collect();
        Ok(Response::new(CheckTicketsResponse { checks, open_tickets, holes, next_page_token, log_position }))
    }

    async fn prove_no_drop(&self, request: Request<ProveNoDropRequest>) -> Answer<ProveNoDropResponse> {
        let (who, asked) = Who::of(request)?;
        self.proof(&who, asked).await.map(Response::new)
    }

    async fn acknowledge_escalation(
        &self,
        request: Request<AcknowledgeEscalationRequest>,
    ) -> Answer<AcknowledgeEscalationResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("AcknowledgeEscalation", &asked, &asked.request_id)?;
        let (ticket, by) = (who.ticket_id(&asked.ticket)?, who.subject().to_owned());
        let log_position = self.done(&ask, &Command::Acknowledge { ticket, clock: asked.clock, by }).await?;
        Ok(Response::new(AcknowledgeEscalationResponse { log_position }))
    }

    async fn get_on_call(&self, request: Request<GetOnCallRequest>) -> Answer<GetOnCallResponse> {
        let (who, asked) = Who::of(request)?;
        self.on_call(&who, asked).await.map(Response::new)
    }

    async fn declare_major_event(
        &self,
        request: Request<DeclareMajorEventRequest>,
    ) -> Answer<DeclareMajorEventResponse> {
        let (who, asked) = Who::of(request)?;
        self.declare(&who, asked).await.map(Response::new)
    }

    async fn end_major_event(&self, request: Request<EndMajorEventRequest>) -> Answer<EndMajorEventResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("EndMajorEvent", &asked, &asked.request_id)?;
        let command = Command::End { name: asked.name, reason: asked.reason };
        Ok(Response::new(EndMajorEventResponse { log_position: self.done(&ask, &command).await? }))
    }

    async fn list_major_events(&self, request: Request<ListMajorEventsRequest>) -> Answer<ListMajorEventsResponse> {
        let (who, asked) = Who::of(request)?;
        self.majors(&who, &asked).await.map(Response::new)
    }

    async fn report_clocks(&self, request: Request<ReportClocksRequest>) -> Answer<ReportClocksResponse> {
        let (who, asked) = Who::of(request)?;
        let (start, end) = (micros("start_time", asked.start_time)?, micros("end_time", asked.end_time)?);
        let log_position = self.reached(&asked.min_position).await?;
        let counts = self.monitor.view(|state| figures::report(state, &who.tenant, start, end));
        let clocks = counts.into_iter().map(|(name, count)| render::report(name, &count)).collect();
        Ok(Response::new(ReportClocksResponse { clocks, log_position }))
    }

    async fn compare_clocks(&self, request: Request<CompareClocksRequest>) -> Answer<CompareClocksResponse> {
        let (who, asked) = Who::of(request)?;
        self.compare(&who, asked).await.map(Response::new)
    }

    async fn withdraw_shadow(&self, request: Request<WithdrawShadowRequest>) -> Answer<WithdrawShadowResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("WithdrawShadow", &asked, &asked.request_id)?;
        let log_position = self.done(&ask, &Command::Withdraw { name: asked.name }).await?;
        Ok(Response::new(WithdrawShadowResponse { log_position }))
    }

    async fn apply_documents(&self, request: Request<ApplyDocumentsRequest>) -> Answer<ApplyDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.apply(&who, asked).await.map(Response::new)
    }

    async fn list_documents(&self, request: Request<ListDocumentsRequest>) -> Answer<ListDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.documents(&who, &asked).await.map(Response::new)
    }
}

impl Grpc {
    /// The token of the page behind this cursor; empty if there is none.
    fn token<T: Serialize>(&self, tenant: &Tenant, bound: &str, next: Option<&T>) -> Result<String, Status> {
        let seal = |cursor| self.pages.seal(tenant.as_str(), bound, cursor).map_err(internal);
        Ok(next.map(seal).transpose()?.unwrap_or_default())
    }

    /// Carries a command out; the opaque text of where it was done.
    async fn done(&self, ask: &Ask, command: &Command) -> Result<String, Status> {
        let done = self.monitor.ask(ask, command).await.map_err(|failure| refuse::status(&failure))?;
        self.mark(done.position).await
    }

    /// The opaque text of a position.
    async fn mark(&self, position: u64) -> Result<String, Status> {
        self.monitor.mark_at(position).await.map_err(refuse::store)
    }

    /// Waits until what the caller has seen is folded; answers the opaque text of what is.
    async fn reached(&self, min_position: &str) -> Result<String, Status> {
        self.monitor.reach_mark(min_position).await.map_err(refuse::unreached)
    }
}
