//! The wire: `docket.analytics.v1` as the contract has it, over the figures this crate computes.

use std::sync::Arc;

use chassis::access::Access;
use chassis::page::{PageKey, page_size};
use chassis::refuse::internal;
use chassis::serve::MESSAGE_MAX_BYTES;
use chassis::token::Role;
use decider::Tenant;
use eventlog::Service;
use proto::analytics::v1 as pb;
use proto::analytics::v1::analytics_service_server::{AnalyticsService, AnalyticsServiceServer};
use tonic::{Request, Response, Status};
use uuid::Uuid;

mod documents;
mod parse;
mod refuse;
mod render;
mod service_report;

use parse::{Query, Who};
pub use refuse::REASONS;

use crate::{Analytics, Definition, State, Window, csv};

/// Tickets on a page, if the caller does not say, and at most.
const PAGE: (usize, usize) = (100, 1_000);

const READERS: &[Role] = &[Role::Agent, Role::Supervisor, Role::Manager, Role::Admin];
/// Who leads people, and may see what each did.
const LEADERS: &[Role] = &[Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];

/// Who may call what.
pub const ACCESS: Access = &[
    ("docket.analytics.v1.AnalyticsService/ApplyDocuments", &[Role::Admin]),
    ("docket.analytics.v1.AnalyticsService/ExportTicketFigures", READERS),
    ("docket.analytics.v1.AnalyticsService/GetReport", READERS),
    ("docket.analytics.v1.AnalyticsService/GetServiceReport", LEADERS),
    ("docket.analytics.v1.AnalyticsService/ListDocuments", READERS),
    ("docket.analytics.v1.AnalyticsService/ListTicketFigures", READERS),
];

/// The service as a server takes it.
pub fn service(analytics: Arc<Service<Analytics>>, pages: PageKey) -> AnalyticsServiceServer<Grpc> {
    AnalyticsServiceServer::new(Grpc::new(analytics, pages)).max_decoding_message_size(MESSAGE_MAX_BYTES)
}

/// The service behind the wire.
pub struct Grpc {
    analytics: Arc<Service<Analytics>>,
    pages: PageKey,
}

impl Grpc {
    /// The service over a core and the key of its page tokens.
    pub fn new(analytics: Arc<Service<Analytics>>, pages: PageKey) -> Self {
        Self { analytics, pages }
    }

    /// The opaque text of a position.
    async fn mark(&self, position: u64) -> Result<String, Status> {
        self.analytics.mark_at(position).await.map_err(refuse::store)
    }

    /// Waits until what the caller has seen is folded; answers the opaque text of what is.
    async fn reached(&self, min_position: &str) -> Result<String, Status> {
        self.analytics.reach_mark(min_position).await.map_err(refuse::unreached)
    }

    /// Looks at the state away from the threads that serve, since figures of many tickets take a while.
    async fn look<T: Send + 'static>(
        &self,
        tenant: &Tenant,
        query: Query,
        look: impl FnOnce(&State, &Definition, u64, &Window) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let (analytics, tenant) = (Arc::clone(&self.analytics), tenant.clone());
        let looking = move || {
            analytics.view(|state| {
                let ledger = state.ledger(&tenant);
                let found = ledger.and_then(|ledger| Definition::of(ledger, &query.report));
                let (definition, version) = found.ok_or_else(|| refuse::no_report(&query.report))?;
                let window = query.window(&definition)?;
                look(state, &definition, version, &window)
            })
        };
        tokio::task::spawn_blocking(looking).await.map_err(internal)?
    }
}

#[tonic::async_trait]
impl AnalyticsService for Grpc {
    async fn get_report(
        &self,
        request: Request<pb::GetReportRequest>,
    ) -> Result<Response<pb::GetReportResponse>, Status> {
        let (Who { tenant, .. }, message) = Who::of(request)?;
        let log_position = self.reached(&message.min_position).await?;
        let daily = message.daily_backlog;
        let query = Query::report(message)?;
        let of = tenant.clone();
        let look = move |state: &State, definition: &Definition, version, window: &Window| {
            let report = crate::report(state, &of, definition, window);
            Ok((render::report(&report, daily), version))
        };
        let (report, report_version) = self.look(&tenant, query, look).await?;
        Ok(Response::new(pb::GetReportResponse { report: Some(report), report_version, log_position }))
    }

    async fn get_service_report(
        &self,
        request: Request<pb::GetServiceReportRequest>,
    ) -> Result<Response<pb::GetServiceReportResponse>, Status> {
        let (who, asked) = Who::of(request)?;
        self.service_report(who, asked).await.map(Response::new)
    }

    async fn list_ticket_figures(
        &self,
        request: Request<pb::ListTicketFiguresRequest>,
    ) -> Result<Response<pb::ListTicketFiguresResponse>, Status> {
        let (Who { tenant, .. }, message) = Who::of(request)?;
        let log_position = self.reached(&message.min_position).await?;
        let size = page_size(message.page_size, PAGE.0, PAGE.1)?;
        let token = message.page_token.clone();
        let query = Query::list(message)?;
        let filter = query.filter();
        let cursor = self.pages.open::<(Arc<str>, Uuid)>(tenant.as_str(), &filter, &token)?;
        let of = tenant.clone();
        let look = move |state: &State, definition: &Definition, _, window: &Window| {
            let found = crate::tickets(state, &of, (definition, window), cursor, size + 1);
            let more = found.len() > size;
            let last =
                size.checked_sub(1).filter(|_| more).map(|last| (found[last].reference.clone(), found[last].ticket));
            let figures: Vec<_> =
                found.iter().take(size).map(|figures| render::figures(&of, figures, definition)).collect();
            Ok((figures, last))
        };
        let (figures, last) = self.look(&tenant, query, look).await?;
        let next = last.map(|last| self.pages.seal(tenant.as_str(), &filter, &last)).transpose().map_err(internal)?;
        let next_page_token = next.unwrap_or_default();
        Ok(Response::new(pb::ListTicketFiguresResponse { figures, next_page_token, log_position }))
    }

    type ExportTicketFiguresStream =
        tokio_stream::Iter<std::vec::IntoIter<Result<pb::ExportTicketFiguresResponse, Status>>>;

    async fn export_ticket_figures(
        &self,
        request: Request<pb::ExportTicketFiguresRequest>,
    ) -> Result<Response<Self::ExportTicketFiguresStream>, Status> {
        let (Who { tenant, .. }, message) = Who::of(request)?;
        self.reached(&message.min_position).await?;
        let query = Query::export(message)?;
        let of = tenant.clone();
        let look = move |state: &State, definition: &Definition, _, window: &Window| {
            let tickets = crate::tickets(state, &of, (definition, window), None, usize::MAX);
            csv::pieces(&tickets, definition).map_err(internal)
        };
        let pieces = self.look(&tenant, query, look).await?;
        let answers: Vec<_> = pieces.into_iter().map(|csv| Ok(pb::ExportTicketFiguresResponse { csv })).collect();
        Ok(Response::new(tokio_stream::iter(answers)))
    }

    async fn apply_documents(
        &self,
        request: Request<pb::ApplyDocumentsRequest>,
    ) -> Result<Response<pb::ApplyDocumentsResponse>, Status> {
        let (who, asked) = Who::of(request)?;
        self.apply(&who, asked).await.map(Response::new)
    }

    async fn list_documents(
        &self,
        request: Request<pb::ListDocumentsRequest>,
    ) -> Result<Response<pb::ListDocumentsResponse>, Status> {
        let (who, asked) = Who::of(request)?;
        self.documents(&who, &asked).await.map(Response::new)
    }
}
