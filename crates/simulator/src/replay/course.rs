//! The course of a replay: facts and deadlines in the order of their instants.

use std::sync::Arc;

use analytics::Analytics;
use decider::{Guards, Micros, Tenant};
use eventlog::append::MAX_EVENTS;
use eventlog::service::{Ask, Failure};
use eventlog::{Append, Clock, Log, NewEvent, Rejected, Service};
use serde_json::Value;
use sla_monitor::command::SlaMonitor;
use ticket::batch::{DocumentFault, Draft};
use ticket::codec::{self, rfc3339};
use ticket::intake::IntakeEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use super::ReplayError;
use super::documents::Documents;
use super::rows::{Row, Rows};

/// Who brings facts in.
const ACTOR: &str = "import";
/// Documents come in force so long before the first fact.
const AHEAD_US: Micros = 1_000_000;

/// Whose data a replayed log is.
pub(super) fn tenant() -> Tenant {
    Tenant::new("replay")
}

/// A replay under way.
pub(super) struct Course {
    log: Arc<Log>,
    clock: Clock,
    name: String,
    sla: Arc<Service<SlaMonitor>>,
    pub(super) analytics: Arc<Service<Analytics>>,
}

impl Course {
    /// Starts the services over an empty log and puts the documents in force.
    pub(super) async fn begin(log: &Arc<Log>, documents: &Documents, rows: &Rows) -> Result<Self, ReplayError> {
        let clock = Clock::by_hand(rows.rows.first().map_or(0, |row| row.at - AHEAD_US));
        let course = Self {
            sla: Service::start(log.clone(), clock.clone()).await?,
            analytics: Service::start(log.clone(), clock.clone()).await?,
            log: log.clone(),
            name: rows.log.clone(),
            clock,
        };
        course.apply(documents).await?;
        Ok(course)
    }

    async fn apply(&self, documents: &Documents) -> Result<(), ReplayError> {
        let draft = |kind: &str, (name, spec): &(String, Value)| Draft {
            kind: kind.into(),
            name: name.clone(),
            spec: spec.clone(),
            reason: None,
        };
        let calendars = documents.calendars.iter().map(|calendar| draft("Calendar", calendar));
        let ours = calendars.chain([draft("SlaPolicy", &documents.policy)]).collect();
        let clocks = sla_monitor::Command::Apply(ours);
        self.sla.ask(&asked("clocks"), &clocks).await.map_err(|failure| match failure {
            Failure::Refused(sla_monitor::Refusal::Documents(faults)) => refused(&faults),
            other => ReplayError::Documents(vec![other.to_string()]),
        })?;
        self.analytics.catch_up().await?;
        let figures = analytics::Command::Apply(vec![draft("Report", &documents.report)]);
        self.analytics.ask(&asked("figures"), &figures).await.map(drop).map_err(|failure| match failure {
            Failure::Refused(analytics::Refusal::Documents(faults)) => refused(&faults),
            other => ReplayError::Documents(vec![other.to_string()]),
        })
    }

    /// The id of a ticket by its name.
    pub(super) fn ticket(&self, name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}\0{name}", self.name).as_bytes())
    }

    /// Appends every fact at its own instant, after what fell due before it; then fires what falls due until the last.
    pub(super) async fn run(&self, rows: &Rows, progress: &mut dyn FnMut(u64, u64)) -> Result<(), ReplayError> {
        let all = rows.rows.len() as u64;
        let mut done = 0;
        let mut next_due = self.sla.step_unmarked().await?;
        for instant in rows.rows.chunk_by(|a, b| a.at == b.at) {
            let at = instant[0].at;
            self.fire(&mut next_due, at).await?;
            self.clock.advance(at);
            for part in instant.chunks(MAX_EVENTS) {
                self.take(part, at).await?;
            }
            next_due = self.sla.step_unmarked().await?;
            done += instant.len() as u64;
            progress(done, all);
        }
        if let Some(last) = rows.rows.last() {
            self.fire(&mut next_due, last.at + 1).await?;
        }
        self.sla.step().await?;
        Ok(())
    }

    /// Fires what falls due before `until`, in order, each under the clock that has just passed it.
    async fn fire(&self, next_due: &mut Option<Micros>, until: Micros) -> Result<(), ReplayError> {
        while let Some(at) = next_due.filter(|at| *at <= until) {
            self.clock.advance(at);
            *next_due = self.sla.step_unmarked().await?;
            if *next_due == Some(at) {
                return Err(ReplayError::Unexpected(format!("what falls due at {} does not fire", rfc3339(at))));
            }
        }
        Ok(())
    }

    /// Appends rows of one instant, as they are: nobody decides what has happened.
    async fn take(&self, rows: &[Row], at: Micros) -> Result<(), ReplayError> {
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let (source, reference, line) = (self.name.clone(), row.ticket.clone(), row.line.clone());
            let event = Event::Intake(IntakeEvent::ActivityImported { source, reference, line });
            let (kind, body) = codec::encode(&event).map_err(|error| ReplayError::Unexpected(error.to_string()))?;
            events.push(NewEvent { stream: stream::ticket(self.ticket(&row.ticket)), kind, body });
        }
        let name = format!("import\0{}\0{}\0{}", self.name, rows[0].ticket, rows[0].seq);
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let append = Append {
            tenant: tenant(),
            actor: ACTOR.into(),
            request,
            content: request.as_bytes().to_vec(),
            causation: None,
            trace: String::new(),
            now: at,
            occurred_at: at,
            holds_until: None,
            guards: Guards::new(),
            events,
        };
        self.log.append(append).await.map(drop).map_err(|rejected| match rejected {
            Rejected::Store(error) => error.into(),
            other => ReplayError::Unexpected(other.to_string()),
        })
    }
}

/// Who puts documents in force, under a request named for them.
fn asked(what: &str) -> Ask {
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes());
    Ask {
        tenant: tenant(),
        actor: ACTOR.into(),
        request,
        content: request.as_bytes().to_vec(),
        occurred_at: None,
        causation: None,
        trace: String::new(),
    }
}

fn refused(faults: &[DocumentFault]) -> ReplayError {
    let told = |DocumentFault { kind, name, fault }: &DocumentFault| {
        format!("{kind} {name}: {} {}", fault.path, fault.message)
    };
    ReplayError::Documents(faults.iter().map(told).collect())
}
