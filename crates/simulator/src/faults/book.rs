//! The requests of all callers: what each was told, and whether what it is told again is the same.

use std::collections::{BTreeMap, BTreeSet};

use decider::Tenant;
use eventlog::Rejected;
use eventlog::service::{Ask, Done, Failure};
use uuid::Uuid;

use super::Invariant;
use super::law::{Broken, Holds};
use super::truth::Truth;

/// A command for one of the services.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Intake(intake::Command),
    Monitor(sla_monitor::command::Command),
    Dispatch(dispatch::Command),
    Notifier(notifier::Command),
    Analytics(analytics::Command),
}

/// A command under its request id.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The command's name, for counting.
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
    pub(crate) asked: Asked,
    /// Whether it names another tenant's ticket.
    pub(crate) foreign: bool,
    /// What the caller asks next, once this is answered.
    pub(crate) then: Vec<Request>,
}

/// What a caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// These events came of it; none if its goal held.
    Done(Vec<Uuid>),
    /// The rules say no.
    Refused(String),
    /// The request id was used for something else.
    Reused,
    /// Nobody knows.
    Unknown,
    /// What must not be.
    Broken(String),
}

impl Answer {
    /// The answer to what a service came to.
    pub(crate) fn of<R: std::fmt::Display>(outcome: Result<Done, Failure<R>>) -> Self {
        match outcome {
            Ok(done) => Self::Done(done.events.iter().map(|event| event.id).collect()),
            Err(Failure::Refused(refusal)) => Self::Refused(refusal.to_string()),
            Err(Failure::Rejected(Rejected::Reused)) => Self::Reused,
            Err(Failure::Rejected(Rejected::Erased(subject))) => Self::Refused(format!("{subject} was erased")),
            Err(Failure::Aborted | Failure::Rejected(Rejected::Store(_))) => Self::Unknown,
            Err(Failure::Undecidable(stream)) => Self::Broken(format!("{stream} is undecidable")),
            Err(Failure::Rejected(other)) => Self::Broken(other.to_string()),
        }
    }
}

/// What was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Requests whose answer is not known: they will be asked again.
    pub(crate) open: Vec<Request>,
    /// Requests that were answered, for asking again.
    pub(crate) answered: Vec<Request>,
    /// What came of each request that was acknowledged with events.
    acknowledged: BTreeMap<Uuid, Vec<Uuid>>,
    refused: BTreeSet<Uuid>,
    /// Customers whose erasure was acknowledged and is not yet carried out.
    pub(crate) to_erase: Vec<(Tenant, Uuid)>,
}

impl Book {
    /// Notes an answer; `tampered` if the request id came with other content than before.
    pub(crate) fn note(&mut self, mut request: Request, answer: &Answer, tampered: bool) -> Holds {
        let id = request.ask.request;
        let before = self.acknowledged.get(&id);
        let name = request.name;
        match answer {
            Answer::Broken(what) => return Err(Invariant::Progress.broken(format!("{name}: {what}"))),
            Answer::Unknown => {
                if !tampered {
                    self.open.push(request);
                }
                return Ok(());
            }
            Answer::Reused if tampered => return Ok(()),
            _ if tampered => return Err(wrong(name, id, "came with other content and was taken", answer)),
            Answer::Reused => return Err(wrong(name, id, "came with the same content and was refused", answer)),
            Answer::Refused(_) if before.is_some() => return Err(wrong(name, id, "had been acknowledged", answer)),
            Answer::Refused(_) => drop(self.refused.insert(id)),
            Answer::Done(events) if before.is_some_and(|before| before != events) => {
                return Err(wrong(name, id, &format!("had been answered by {before:?}"), answer));
            }
            Answer::Done(events) => {
                if request.foreign {
                    return Err(Invariant::Tenants.broken(format!("{name} {id} moved another tenant's ticket")));
                }
                self.refused.remove(&id);
                if !events.is_empty() {
                    self.acknowledged.insert(id, events.clone());
                }
                self.effects(&request);
            }
        }
        if !request.then.is_empty() && matches!(answer, Answer::Done(_)) {
            let mut next = request.then.remove(0);
            next.then = std::mem::take(&mut request.then);
            self.open.push(next);
        }
        self.answered.push(request);
        Ok(())
    }

    /// Whether events came of this request.
    pub(crate) fn is_acknowledged(&self, request: Uuid) -> bool {
        self.acknowledged.contains_key(&request)
    }

    /// What was acknowledged is in the log, and nothing that was refused.
    pub(crate) fn check(&self, truth: &Truth) -> Holds {
        for (request, events) in &self.acknowledged {
            let kept = truth.events_of(*request);
            Invariant::Requests.holds(kept == events.as_slice(), || {
                format!("request {request} was acknowledged with {events:?}, the log holds {kept:?}")
            })?;
        }
        for request in &self.refused {
            Invariant::Requests.holds(truth.events_of(*request).is_empty(), || {
                format!("request {request} was refused and is written")
            })?;
        }
        Ok(())
    }

    fn effects(&mut self, request: &Request) {
        if let Asked::Intake(intake::Command::EraseCustomer { customer, .. }) = &request.asked {
            self.to_erase.push((request.ask.tenant.clone(), *customer));
        }
    }
}

fn wrong(name: &str, id: Uuid, how: &str, answer: &Answer) -> Broken {
    Invariant::Requests.broken(format!("{name} {id} {how}, now: {answer:?}"))
}
