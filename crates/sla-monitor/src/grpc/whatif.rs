//! What other documents would have come to, on the wire.

use chassis::page::page_size;
use chassis::refuse::field;
use chassis::wire::{micros, ticket_name, timestamp};
use decider::{Core, Micros, Tenant};
use proto::sla_monitor::v1 as pb;
use ticket::batch::{self, DocumentFault, Draft, MAX_DOCUMENTS};
use ticket::document::Fault;
use tonic::Status;
use uuid::Uuid;

use super::documents::fault;
use super::parse::Who;
use super::render::{basis_points, party};
use super::{Grpc, refuse};
use crate::SlaMonitor;
use crate::documents::{CALENDAR, SLA_POLICY};
use crate::state::{Desk, State};
use crate::whatif::{Change, Difference, Page, Period, Plan, Sum};

const PAGE_DEFAULT: usize = 20_000;
const PAGE_MAX: usize = 50_000;
/// A page ends with the ticket that brings it to so many changes.
const MAX_CHANGES: usize = 5_000;
/// Most changes of one ticket that are listed.
const MAX_LISTED: usize = 1_000;
/// Tickets compared before the state may move on.
const STRETCH: usize = 1_000;

/// Where a comparison goes on: behind this ticket, up to the same instant.
type Cursor = (Uuid, Micros);

impl Grpc {
    pub(super) async fn compare(
        &self,
        who: &Who,
        asked: pb::CompareClocksRequest,
    ) -> Result<pb::CompareClocksResponse, Status> {
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let (start, end) = (micros("start_time", asked.start_time)?, micros("end_time", asked.end_time)?);
        if !asked.shadow.is_empty() && !asked.documents.is_empty() {
            return Err(field("shadow", "is laid alone, without documents").into());
        }
        let bound = format!("CompareClocks\0{:?}\0{}\0{start:?}\0{end:?}", asked.documents, asked.shadow);
        let after: Option<Cursor> = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let drafts = match self.laid(&who.tenant, &asked) {
            Ok(drafts) => drafts,
            Err(faults) => {
                let faults = faults.into_iter().map(fault).collect();
                return Ok(pb::CompareClocksResponse { faults, log_position, ..Default::default() });
            }
        };
        let period = (start, after.map_or(end.unwrap_or(Micros::MAX), |(_, end)| end));
        let plan = self.plan(&who.tenant, &asked.shadow, &drafts, period)?;
        let page = self.compared(&who.tenant, &plan, after.map(|(id, _)| id), limit).await;
        let next_page_token = self.token(&who.tenant, &bound, page.next.map(|id| (id, plan.end)).as_ref())?;
        Ok(pb::CompareClocksResponse {
            faults: Vec::new(),
            differences: page.differences.iter().map(|one| difference(&who.tenant, one)).collect(),
            clocks: page.sums.iter().map(|(clock, sum)| comparison(clock, sum)).collect(),
            tickets: i64::try_from(page.tickets).unwrap_or(i64::MAX),
            start_time: Some(plan.start).filter(|start| *start > Micros::MIN).map(timestamp),
            end_time: Some(timestamp(plan.end)),
            next_page_token,
            log_position,
        })
    }

    /// The documents that are to be laid, or every fault of every one.
    fn laid(&self, tenant: &Tenant, asked: &pb::CompareClocksRequest) -> Result<Vec<Draft>, Vec<DocumentFault>> {
        let given = asked.documents.iter().map(|one| (one.kind.as_str(), one.name.as_str(), one.spec_json.as_str()));
        let (drafts, mut faults) = batch::parse(SlaMonitor::NAME, given.clone());
        let wrong = |kind: &str, name: &str, message: String| {
            let fault = Fault { path: String::new(), message };
            DocumentFault { kind: kind.to_owned(), name: name.to_owned(), fault }
        };
        for (n, (kind, name, _)) in given.enumerate() {
            if ![SLA_POLICY, CALENDAR].contains(&kind) {
                let message = format!("only {SLA_POLICY} and {CALENDAR} can be laid under the past");
                faults.push(wrong(kind, name, message));
            } else if n == MAX_DOCUMENTS {
                faults.push(wrong(kind, name, format!("is one too many: at most {MAX_DOCUMENTS} are laid at once")));
            }
        }
        let nothing = Desk::default();
        let rehearsed = self
            .monitor
            .view(|state| batch::rehearse(state.desk(tenant).unwrap_or(&nothing), &drafts, faults).map(drop));
        rehearsed.map(|()| drafts)
    }

    fn plan(&self, tenant: &Tenant, shadow: &str, drafts: &[Draft], period: Period) -> Result<Plan, Status> {
        let now = self.monitor.clock().now();
        self.monitor.view(|state| match shadow {
            "" => Ok(Plan::of(state, tenant, drafts, period, now)),
            name => Plan::of_shadow(state, tenant, name, period, now)
                .map_err(|refusal| refuse::refused(&refusal).into_status()),
        })
    }

    /// Compares tickets, stretch by stretch: what happens meanwhile is folded in between.
    async fn compared(&self, tenant: &Tenant, plan: &Plan, after: Option<Uuid>, limit: usize) -> Page {
        let mut page = Page { next: after, ..Page::default() };
        let mut changes = 0;
        let stretch = |state: &State| {
            let tickets = STRETCH.min(limit - page.tickets);
            let next = plan.page(state, tenant, page.next, (tickets, MAX_CHANGES - changes));
            changes += next.differences.iter().map(|one| one.changes.len()).sum::<usize>();
            page.add(next);
            page.next.is_some() && page.tickets < limit && changes < MAX_CHANGES
        };
        self.monitor.view_by_parts(stretch).await;
        page
    }
}

fn difference(tenant: &Tenant, of: &Difference) -> pb::TicketDifference {
    let ticket = ticket_name(tenant.as_str(), of.ticket);
    pb::TicketDifference { ticket, changes: of.changes.iter().take(MAX_LISTED).map(change).collect() }
}

fn change(of: &Change) -> pb::ClockChange {
    pb::ClockChange {
        clock: of.clock.clone(),
        share_bp: basis_points(of.share_bp),
        was_time: of.was.map(timestamp),
        would_be_time: of.would_be.map(timestamp),
        wakes: of.wakes.iter().map(party).collect(),
    }
}

fn comparison(clock: &str, sum: &Sum) -> pb::ClockComparison {
    pb::ClockComparison {
        clock: clock.to_owned(),
        warnings_were: sum.warnings_were,
        warnings_would_be: sum.warnings_would_be,
        breaches_were: sum.breaches_were,
        breaches_would_be: sum.breaches_would_be,
        moved: sum.moved,
    }
}
