//! Replay of other reminder rules on the wire.

use chassis::refuse::{field, internal};
use chassis::wire::{micros, ticket_name};
use decider::Tenant;
use eventlog::service::recorded;
use proto::config::v1::{Document, DocumentFault};
use proto::notifier::v1 as pb;
use serde_json::Value;
use ticket::batch::{self, MAX_BATCH};
use ticket::codec::KINDS;
use ticket::document::Fault;
use tonic::Status;

use super::parse::Who;
use super::{Grpc, documents, refuse, render};
use crate::document::REMINDER_RULE;
use crate::replay::{Difference, Replay};
use crate::rule::Rule;

/// Longest log that is replayed for an answer, events; the command replays longer ones.
const MAX_EVENTS: i64 = 1_000_000;

impl Grpc {
    pub(super) async fn replay(
        &self,
        who: &Who,
        asked: pb::ReplayRemindersRequest,
    ) -> Result<pb::ReplayRemindersResponse, Status> {
        if !(1..=MAX_BATCH).contains(&asked.documents.len()) {
            return Err(field("documents", &format!("must be 1 to {MAX_BATCH}")).into());
        }
        let start = micros("start_time", asked.start_time)?.unwrap_or(i64::MIN);
        let end = micros("end_time", asked.end_time)?.unwrap_or(i64::MAX);
        let log_position = self.reached(&asked.min_position).await?;
        let rules = match rules(asked.documents) {
            Ok(rules) => rules,
            Err(faults) => return Ok(pb::ReplayRemindersResponse { faults, log_position, ..Default::default() }),
        };
        let Ok(_turn) = self.replays.try_acquire() else { return Err(refuse::unknown("REPLAY_BUSY")) };
        let replay = Replay::new(who.tenant.clone(), (start, end), rules);
        let found = self.replayed(replay).await?;
        Ok(pb::ReplayRemindersResponse { log_position, ..rendered(&who.tenant, found) })
    }

    /// Runs the log through a replay, page by page, away from the threads that serve.
    async fn replayed(&self, mut replay: Replay) -> Result<Difference, Status> {
        let log = self.notifier.log();
        let to = log.head().await.map_err(refuse::store)?.position;
        if to > MAX_EVENTS {
            return Err(refuse::unknown("REPLAY_TOO_LONG"));
        }
        let wanted: Vec<_> = KINDS.keys().copied().filter(|kind| Replay::wants(kind)).collect();
        let mut scan = log.scan(0, to, Some(&wanted));
        loop {
            let mut rows = scan.next().await.map_err(refuse::store)?;
            if rows.is_empty() {
                break;
            }
            rows.retain(|row| wanted.contains(&row.kind.as_str()));
            let page = move || {
                for row in &rows {
                    replay.take(&recorded(row)?);
                }
                Ok(replay)
            };
            replay = tokio::task::spawn_blocking(page).await.map_err(internal)?.map_err(refuse::store)?;
        }
        tokio::task::spawn_blocking(move || replay.finish()).await.map_err(internal)
    }
}

/// The rules by name, or every fault of every document.
fn rules(documents: Vec<Document>) -> Result<Vec<(String, Value)>, Vec<DocumentFault>> {
    let (mut rules, mut faults) = (Vec::new(), Vec::new());
    for Document { kind, name, spec_json, .. } in documents {
        let spec: Value = serde_json::from_str(&spec_json).unwrap_or_default();
        let found = if kind == REMINDER_RULE {
            Rule::read(&spec).err().unwrap_or_default()
        } else {
            vec![Fault { path: String::new(), message: format!("must be of the kind {REMINDER_RULE}") }]
        };
        let (of_kind, named) = (kind.clone(), name.clone());
        let placed =
            |fault| documents::fault(batch::DocumentFault { kind: of_kind.clone(), name: named.clone(), fault });
        faults.extend(found.into_iter().map(placed));
        rules.push((name, spec));
    }
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

fn rendered(tenant: &Tenant, found: Difference) -> pb::ReplayRemindersResponse {
    let int = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let messages = found.messages.into_iter().map(|((rule, medium), messages)| pb::ReplayedMessages {
        rule,
        medium: render::medium(medium).into(),
        was: int(messages.was),
        would_be: int(messages.would_be),
    });
    let at_risk = found
        .at_risk
        .into_iter()
        .map(|one| pb::TicketAtRisk { ticket: ticket_name(tenant.as_str(), one.ticket), rules: one.rules });
    pb::ReplayRemindersResponse {
        faults: Vec::new(),
        recorded: int(found.recorded),
        reminders_was: int(found.planned.was),
        reminders_would_be: int(found.planned.would_be),
        messages: messages.collect(),
        reminded: int(found.reminded),
        risks: int(found.risks),
        at_risk: at_risk.collect(),
        log_position: String::new(),
    }
}
