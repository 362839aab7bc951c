//! What concerns more than one ticket: imports and erasures.

use std::sync::Arc;

use chassis::refuse::{Refused, field, internal};
use decider::Tenant;
use eventlog::service::{Ask, Failure};
use eventlog::{Service, StoreError};
use proto::intake::v1::{
    EraseCustomerRequest, EraseCustomerResponse, ImportRefusal, ImportTicketsRequest, ImportTicketsResponse,
    ImportedTicket,
};
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use super::call::Who;
use super::{Grpc, parse, refuse};
use crate::Intake;
use crate::command::Command;
use crate::import::{self, Import, Line, ticket_id};
use crate::refusal::Refusal;
use crate::state::House;

/// Most tickets of one import.
const MAX_IMPORTS: usize = 100;
/// Tickets taken in side by side, so that the log can gather their lines.
const IMPORTS_AT_ONCE: usize = 16;

/// Destroys the keys of every customer whose erasure is recorded: what a crash between fact and effect left undone.
/// To be called once at start.
pub async fn settle_erasures(intake: &Service<Intake>) -> Result<(), StoreError> {
    let owed: Vec<_> = intake.view(|state| state.erased().map(|(tenant, id)| (tenant.clone(), id)).collect());
    for (tenant, customer) in owed {
        intake.log().erase(&tenant, customer).await?;
    }
    Ok(())
}

impl Grpc {
    /// The pseudonym of a caller's reference of a customer.
    pub(super) fn customer(&self, tenant: &Tenant, reference: &str) -> Uuid {
        self.intake.log().pseudonym(tenant, "customer", reference)
    }

    pub(super) async fn import(&self, who: &Who, asked: ImportTicketsRequest) -> Result<ImportTicketsResponse, Status> {
        if asked.tickets.len() > MAX_IMPORTS {
            return Err(field("tickets", &format!("must be at most {MAX_IMPORTS}")).into());
        }
        let (rows, places) = (asked.tickets.len(), Arc::new(tokio::sync::Semaphore::new(IMPORTS_AT_ONCE)));
        let mut running = JoinSet::new();
        for (n, row) in asked.tickets.into_iter().enumerate() {
            let (grpc, who, source, places) = (self.clone(), who.clone(), asked.source.clone(), Arc::clone(&places));
            running.spawn(async move {
                let _place = places.acquire_owned().await;
                let reference = row.reference.clone();
                (n, reference, grpc.import_row(&who, &source, row, asked.validate_only).await)
            });
        }
        let mut refused = Vec::new();
        while let Some(row) = running.join_next().await {
            let (n, reference, outcome) = row.map_err(internal)?;
            if let Err(why) = outcome? {
                refused.push((n, ImportRefusal { reference, reason: why.reason.to_owned(), message: why.message }));
            }
        }
        refused.sort_by_key(|(n, _)| *n);
        let accepted = i32::try_from(rows - refused.len()).unwrap_or_default();
        Ok(ImportTicketsResponse { accepted, refused: refused.into_iter().map(|(_, refusal)| refusal).collect() })
    }

    /// One row: refused by itself, or an error of the whole call.
    async fn import_row(
        &self,
        who: &Who,
        source: &str,
        row: ImportedTicket,
        validate_only: bool,
    ) -> Result<Result<(), Refused>, Status> {
        let id = ticket_id(&who.tenant, source, &row.reference);
        let mut ask = who.ask("ImportTickets", &row, "")?;
        // The claim is the ticket's: whoever sends the row again, it comes in once.
        ask.request = Uuid::new_v5(&id, b"import");
        let import = match self.import_of(&who.tenant, source, row) {
            Ok(import) => import,
            Err(status) => return Ok(Err(refuse::listed("FIELDS_INVALID", status.message()))),
        };
        let now = self.intake.clock().now();
        let checked = self.intake.view(|state| {
            let nothing = House::default();
            import::check(&import, state.house(&who.tenant).unwrap_or(&nothing), now)
        });
        if let Err(refusal) = checked {
            return Ok(Err(refuse::refused(&refusal)));
        }
        if validate_only {
            return Ok(Ok(()));
        }
        match self.take_in(ask, id, import).await {
            Ok(()) => Ok(Ok(())),
            Err(failure) => refuse::failed(&failure).map(Err),
        }
    }

    fn import_of(&self, tenant: &Tenant, source: &str, row: ImportedTicket) -> Result<Import, Status> {
        let pseudonym = |reference: &str| self.customer(tenant, reference);
        let lines = row.activities.into_iter().enumerate().map(|(n, line)| parse::activity(n, line));
        Ok(Import {
            source: source.to_owned(),
            reference: row.reference,
            opening: parse::opening(row.ticket.unwrap_or_default(), pseudonym)?,
            lines: lines.collect::<Result<_, _>>()?,
        })
    }

    /// The ticket, then each line, each when it happened; a crash in between is finished by sending the row again.
    async fn take_in(&self, mut ask: Ask, ticket: Uuid, import: Import) -> Result<(), Failure<Refusal>> {
        let (claim, lines) = (ask.request, import.lines.clone());
        let (source, reference) = (import.source.clone(), import.reference.clone());
        ask.occurred_at = lines.first().map(|(occurred_at, _)| *occurred_at);
        self.intake.ask(&ask, &Command::Import(Box::new(import))).await?;
        for (ordinal, (occurred_at, line)) in (1u16..).zip(lines) {
            ask.request = Uuid::new_v5(&claim, &ordinal.to_be_bytes());
            ask.occurred_at = Some(occurred_at);
            let (source, reference) = (source.clone(), reference.clone());
            let line = Line { ticket, ordinal, source, reference, line };
            self.intake.ask(&ask, &Command::ImportLine(Box::new(line))).await?;
        }
        Ok(())
    }

    pub(super) async fn erase(&self, who: &Who, asked: EraseCustomerRequest) -> Result<EraseCustomerResponse, Status> {
        let ask = who.ask("EraseCustomer", &asked, &asked.request_id)?;
        let customer = match (asked.customer.as_str(), asked.customer_id.as_str()) {
            ("", "") => return Err(field("customer", "is required, or customer_id").into()),
            (reference, "") => self.customer(&who.tenant, reference),
            ("", id) => id.parse().map_err(|_| field("customer_id", "must be a UUID"))?,
            _ => return Err(field("customer", "must be named alone, or else customer_id").into()),
        };
        let command = Command::EraseCustomer { customer, reason: asked.reason };
        let done = self.intake.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?;
        self.intake.log().erase(&who.tenant, customer).await.map_err(refuse::store)?;
        Ok(EraseCustomerResponse { customer_id: customer.to_string(), log_position: self.mark(done.position).await? })
    }
}
