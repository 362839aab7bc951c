//! Reading: one's own work, a ticket's visits, what nobody has, why, and who does what.

use chassis::page::page_size;
use chassis::refuse::internal;
use decider::Tenant;
use eventlog::service::recorded;
use eventlog::store::Select;
use eventlog::{Row, StoreError};
use proto::dispatch::v1 as pb;
use serde::Serialize;
use ticket::intake::Priority;
use ticket::stream;
use tonic::Status;
use uuid::Uuid;

use super::call::Who;
use super::{Grpc, parse, refuse, render};
use crate::refusal::Refusal;
use crate::view::{self, Decided, Dossier, Shown};
use crate::work::Visit;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Rows read at once.
const ROWS: i64 = 1_000;

/// Up to which of its events a ticket's field work is folded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Upto {
    /// The last one.
    Last,
    /// The one with this version.
    Version(u64),
}

impl Grpc {
    pub(super) async fn my_work(
        &self,
        who: &Who,
        asked: &pb::ListMyWorkRequest,
    ) -> Result<pb::ListMyWorkResponse, Status> {
        let log_position = self.reached(&asked.min_position).await?;
        let (now, subject) = (self.dispatch.clock().now(), &who.caller().subject);
        let mine = |state: &crate::State| state.board(&who.tenant).map(|board| view::my_work(board, subject, now));
        let mine = self.dispatch.view(mine).unwrap_or_default();
        let visits = mine.iter().map(|shown| render::visit(&who.tenant, shown)).collect();
        Ok(pb::ListMyWorkResponse { visits, log_position })
    }

    pub(super) async fn visits(
        &self,
        who: &Who,
        asked: &pb::ListVisitsRequest,
    ) -> Result<pb::ListVisitsResponse, Status> {
        let log_position = self.reached(&asked.min_position).await?;
        let ticket = self.known(who, &asked.ticket)?;
        let dossier = self.dossier(&who.tenant, ticket, Upto::Last).await.map_err(refuse::store)?;
        let shown = dossier.work.visits.iter().map(|visit| {
            let shown = self.shown(&who.tenant, ticket, (visit.clone(), dossier.version));
            render::visit(&who.tenant, &shown)
        });
        Ok(pb::ListVisitsResponse { visits: shown.collect(), log_position })
    }

    pub(super) async fn unassigned(
        &self,
        who: &Who,
        asked: &pb::ListUnassignedRequest,
    ) -> Result<pb::ListUnassignedResponse, Status> {
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = "ListUnassigned";
        let after = self.pages.open(who.tenant.as_str(), bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.dispatch.clock().now();
        let page =
            |state: &crate::State| state.board(&who.tenant).map(|board| view::unassigned(board, now, after, limit));
        let (found, next) = self.dispatch.view(page).unwrap_or_default();
        let unassigned = found.iter().map(|shown| render::unassigned(&who.tenant, shown)).collect();
        let next_page_token = self.token(&who.tenant, bound, next.as_ref())?;
        Ok(pb::ListUnassignedResponse { unassigned, next_page_token, log_position })
    }

    pub(super) async fn explain(
        &self,
        who: &Who,
        asked: &pb::ExplainAssignmentRequest,
    ) -> Result<pb::ExplainAssignmentResponse, Status> {
        let log_position = self.reached(&asked.min_position).await?;
        let name = parse::visit_id(who.tenant.as_str(), &asked.visit)?;
        let (shown, decided) = self.visit(&who.tenant, name, Upto::Last).await?;
        let decision = match decided {
            Some(decided) => Some(render::decision(&decided, self.mark(decided.position).await?)),
            None => None,
        };
        let visit = Some(render::visit(&who.tenant, &shown));
        Ok(pb::ExplainAssignmentResponse { visit, decision, log_position })
    }

    pub(super) async fn why(&self, who: &Who, asked: &pb::WhyNotRequest) -> Result<pb::WhyNotResponse, Status> {
        let log_position = self.reached(&asked.min_position).await?;
        let ticket = self.known(who, &asked.ticket)?;
        let dossier = self.dossier(&who.tenant, ticket, Upto::Last).await.map_err(refuse::store)?;
        let weights = dossier.work.visits.last().and_then(|visit| dossier.decisions.get(&visit.id));
        let weights = weights.map(|decided| decided.decision.weights.clone());
        let why = dossier.why_not(&asked.engineer);
        let ranked = |ranked| weights.as_ref().map(|weights| render::ranked(&ranked, weights));
        Ok(pb::WhyNotResponse {
            answer: why.answer,
            dropped: why.dropped.map(render::dropped),
            asked: why.asked.and_then(ranked),
            chosen: why.chosen.and_then(ranked),
            log_position,
        })
    }

    pub(super) async fn engineers(
        &self,
        who: &Who,
        asked: &pb::ListEngineersRequest,
    ) -> Result<pb::ListEngineersResponse, Status> {
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = "ListEngineers";
        let after: Option<String> = self.pages.open(who.tenant.as_str(), bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.dispatch.clock().now();
        let page =
            |state: &crate::State| state.board(&who.tenant).map(|board| view::engineers(board, now, after, limit));
        let (found, next) = self.dispatch.view(page).unwrap_or_default();
        let next_page_token = self.token(&who.tenant, bound, next.as_ref())?;
        let engineers = found.into_iter().map(render::engineer).collect();
        Ok(pb::ListEngineersResponse { engineers, next_page_token, log_position })
    }

    /// A visit as its stream tells it, with the last decision about it.
    pub(super) async fn visit(
        &self,
        tenant: &Tenant,
        (ticket, visit): (Uuid, Uuid),
        upto: Upto,
    ) -> Result<(Shown, Option<Decided>), Status> {
        let mut dossier = self.dossier(tenant, ticket, upto).await.map_err(refuse::store)?;
        let found = dossier.work.visit(visit).cloned();
        let found = found.ok_or_else(|| refuse::refused(&Refusal::VisitUnknown).into_status())?;
        Ok((self.shown(tenant, ticket, (found, dossier.version)), dossier.decisions.remove(&visit)))
    }

    /// A ticket's field work as its stream tells it.
    pub(super) async fn dossier(&self, tenant: &Tenant, ticket: Uuid, upto: Upto) -> Result<Dossier, StoreError> {
        let select = Select::Stream { tenant: tenant.to_string(), stream: stream::work(ticket).to_string() };
        let includes = |row: &Row| match upto {
            Upto::Last => true,
            Upto::Version(version) => row.version.unsigned_abs() <= version,
        };
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let after = rows.last().map_or(0, |row| row.position);
            let page = self.dispatch.log().read(&select, None, after, ROWS).await?;
            rows.extend(page.into_iter().take_while(includes));
            if rows.last().is_none_or(|row| row.position == after) {
                break;
            }
        }
        let events = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        Ok(Dossier::fold(&events))
    }

    /// A visit as it is shown; `version` is that of the field work it was folded from.
    pub(super) fn shown(&self, tenant: &Tenant, ticket: Uuid, (visit, version): (Visit, u64)) -> Shown {
        let now = self.dispatch.clock().now();
        let priority = self.dispatch.view(|state| Some(state.board(tenant)?.tickets.get(&ticket)?.priority));
        let urgent = view::urgent(&visit, priority.unwrap_or(Priority::Low), now);
        Shown { ticket, version, visit, urgent }
    }

    /// The ticket a name stands for, if the tenant has it.
    fn known(&self, who: &Who, name: &str) -> Result<Uuid, Status> {
        let id = parse::ticket_id(who.tenant.as_str(), name)?;
        let known =
            |state: &crate::State| state.board(&who.tenant).is_some_and(|board| board.tickets.contains_key(&id));
        if self.dispatch.view(known) { Ok(id) } else { Err(refuse::refused(&Refusal::TicketUnknown).into_status()) }
    }

    /// The token of the page behind this cursor; empty if there is none.
    fn token<T: Serialize>(&self, tenant: &Tenant, bound: &str, next: Option<&T>) -> Result<String, Status> {
        let seal = |cursor| self.pages.seal(tenant.as_str(), bound, cursor).map_err(internal);
        Ok(next.map(seal).transpose()?.unwrap_or_default())
    }

    /// The opaque text of a position.
    pub(super) async fn mark(&self, position: u64) -> Result<String, Status> {
        self.dispatch.mark_at(position).await.map_err(refuse::store)
    }

    /// Waits until what the caller has seen is folded; answers the opaque text of what is.
    pub(super) async fn reached(&self, min_position: &str) -> Result<String, Status> {
        self.dispatch.reach_mark(min_position).await.map_err(refuse::unreached)
    }
}
