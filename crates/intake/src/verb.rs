//! What each verb makes of a ticket, by where it stands. Every verb has a goal; where it holds, nothing happens.

use std::collections::BTreeSet;

use decider::Micros;
use ticket::Personal;
use ticket::intake::{Accountable, Attention, Author, Impact, IntakeEvent, Priority, Urgency, WaitReason, Weight};
use ticket::lifecycle::Phase;

use crate::command::{Scene, Verb};
use crate::priority::matrix;
use crate::refusal::{FieldFault, Refusal};
use crate::{attention, text};

const SECOND_US: Micros = 1_000_000;

type Outcome = Result<Vec<IntakeEvent>, Refusal>;

/// The events a verb makes of a ticket.
pub(crate) fn decide(verb: &Verb, scene: &Scene<'_>) -> Outcome {
    match verb {
        Verb::Triage { priority, queue } => scene.triage(*priority, queue.as_deref()),
        Verb::Comment { author, public, text } => scene.comment(*author, *public, text),
        Verb::LogContact { channel, inbound, reached, summary } => {
            let summary = scene.speech("summary", summary)?;
            let contact = |summary| {
                let (channel, inbound, reached) = (*channel, *inbound, *reached);
                IntakeEvent::ContactLogged { channel, inbound, reached, summary }
            };
            Ok(summary.map(contact).into_iter().collect())
        }
        Verb::Weigh { impact, urgency } => scene.weigh(*impact, *urgency),
        Verb::Prioritise { priority, reason } => {
            text::check(&[text::required("reason", reason, text::REASON_MAX_CHARS)])?;
            scene.prioritise(*priority, None, reason.clone())
        }
        Verb::Transfer { queue, person, reason } => scene.transfer(queue.as_deref(), person.as_deref(), reason),
        Verb::Take { agent } => scene.take(agent),
        Verb::Hold { reasons, look_again_at } => scene.hold(reasons, *look_again_at),
        Verb::Resume { reasons } => scene.resume(reasons),
        Verb::Resolve { solution, evidence } => scene.resolve(solution, evidence),
        Verb::Confirm => scene.confirm(),
        Verb::Reject { reason } => scene.reject(reason),
        Verb::Close { review } => scene.close(review),
        Verb::Reopen { reason } => scene.reopen(reason),
        Verb::Cancel { reason, force } => scene.cancel(reason, *force),
    }
}

impl Scene<'_> {
    /// Goal: the ticket lies in this queue with this priority, and somebody has looked at it.
    fn triage(&self, priority: Option<Priority>, queue: Option<&str>) -> Outcome {
        self.open()?;
        let (priority, queue) = (priority.unwrap_or(self.ticket.priority), self.known_queue(queue)?);
        match self.phase() {
            Phase::Received | Phase::Triaged => {}
            _ if self.placed(priority, queue) => return Ok(Vec::new()),
            _ => return Err(Refusal::PastTriage),
        }
        if *self.phase() == Phase::Triaged && self.placed(priority, queue) {
            return Ok(Vec::new());
        }
        let duty = Accountable::Queue(queue.to_owned());
        let next = attention::next(self.house, duty, queue, priority, self.at.now);
        Ok(vec![IntakeEvent::Triaged { queue: queue.to_owned(), priority, next }])
    }

    fn placed(&self, priority: Priority, queue: &str) -> bool {
        self.ticket.priority == priority && self.queue() == queue
    }

    /// Goal: this request's comment stands on the ticket.
    fn comment(&self, author: Author, public: bool, words: &str) -> Outcome {
        let Some(text) = self.speech("text", words)? else { return Ok(Vec::new()) };
        let answered = author == Author::Customer;
        let next = match self.phase() {
            Phase::WorkDone { .. } | Phase::Confirmed if answered => Some(self.next(self.duty())),
            _ => None,
        };
        let mut events = vec![IntakeEvent::Commented { author, public: public || answered, text, next }];
        if answered
            && let Phase::Waiting(held) = self.phase()
            && held.contains(&WaitReason::Customer)
        {
            events.push(self.wait_ended(held, [WaitReason::Customer].into()));
        }
        Ok(events)
    }

    /// Something said on an open ticket; nothing if this request said it before.
    fn speech(&self, field: &'static str, words: &str) -> Result<Option<Personal<String>>, Refusal> {
        if self.ticket.heard(self.at.request) {
            return Ok(None);
        }
        self.open()?;
        text::check(&[text::required(field, words, text::BODY_MAX_CHARS)])?;
        Ok(Some(Personal::new(self.subject(), words.to_owned())))
    }

    /// Goal: the priority is the matrix's.
    fn weigh(&self, impact: Impact, urgency: Urgency) -> Outcome {
        let word = |debug: String| debug.to_lowercase();
        let (touched, needed) = (word(format!("{impact:?}")), word(format!("{urgency:?}")));
        let weight = Some(Weight { impact, urgency });
        self.prioritise(matrix(impact, urgency), weight, format!("impact {touched}, urgency {needed}"))
    }

    /// Goal: the ticket has this priority.
    fn prioritise(&self, to: Priority, weight: Option<Weight>, reason: String) -> Outcome {
        self.open()?;
        let from = self.ticket.priority;
        let owed = self.ticket.course.next.as_ref().map(|next| next.accountable.clone());
        let next = match self.phase() {
            // Whoever waits, for parts or for consent, owes the next step when the waiting ends, however urgent it is.
            Phase::Waiting(_) | Phase::WorkDone { .. } => None,
            _ => owed.map(|owed| attention::next(self.house, owed, self.queue(), to, self.at.now)),
        };
        Ok(match to.cmp(&from) {
            std::cmp::Ordering::Equal => Vec::new(),
            std::cmp::Ordering::Greater => vec![IntakeEvent::PriorityRaised { from, to, weight, reason, next }],
            std::cmp::Ordering::Less => vec![IntakeEvent::PriorityLowered { from, to, weight, reason, next }],
        })
    }

    /// Goal: the ticket lies in this queue, and this person, else the queue's duty, is accountable.
    fn transfer(&self, queue: Option<&str>, person: Option<&str>, reason: &str) -> Outcome {
        self.open()?;
        text::check(&[
            text::bounded("reason", reason, text::REASON_MAX_CHARS),
            text::bounded("person", person.unwrap_or_default(), text::NAME_MAX_CHARS),
        ])?;
        let queue = self.known_queue(queue)?;
        let accountable = match person {
            Some(person) => Accountable::Person(person.to_owned()),
            None => Accountable::Queue(queue.to_owned()),
        };
        let owed = self.ticket.course.next.as_ref().map(|next| &next.accountable);
        if self.queue() == queue && owed == Some(&accountable) {
            return Ok(Vec::new());
        }
        let now = self.at.now;
        let next = match self.phase() {
            Phase::WorkDone { confirm_by } => attention::consent(accountable, *confirm_by, now),
            _ => attention::next(self.house, accountable, queue, self.ticket.priority, now),
        };
        let (from, queue, reason) = (self.queue().to_owned(), queue.to_owned(), reason.to_owned());
        Ok(vec![IntakeEvent::Transferred { from, queue, reason, next }])
    }

    /// Goal: this agent works on the ticket.
    fn take(&self, agent: &str) -> Outcome {
        self.open()?;
        let mine = self.ticket.agent.is_some_and(|name| self.house.names.text(name) == agent);
        match self.phase() {
            Phase::InProgress if mine => Ok(Vec::new()),
            Phase::Waiting(_) => Err(Refusal::Waiting),
            Phase::WorkDone { .. } | Phase::Confirmed => Err(Refusal::WorkDone),
            _ => {
                let next = self.next(Accountable::Person(agent.to_owned()));
                Ok(vec![IntakeEvent::TakenInCharge { agent: agent.to_owned(), next }])
            }
        }
    }

    /// Goal: the ticket waits for all of these.
    fn hold(&self, reasons: &BTreeSet<WaitReason>, look_again_at: Option<Micros>) -> Outcome {
        self.open()?;
        let none = BTreeSet::new();
        let held = match self.phase() {
            Phase::InProgress => &none,
            Phase::Waiting(held) => held,
            Phase::WorkDone { .. } | Phase::Confirmed => return Err(Refusal::WorkDone),
            _ => return Err(Refusal::NotInProgress),
        };
        let added: BTreeSet<_> = reasons.difference(held).copied().collect();
        let mut faults = Vec::new();
        if reasons.is_empty() {
            faults.push(FieldFault::new("reasons", "must name at least one"));
        } else if added.is_empty() {
            return Ok(Vec::new());
        }
        if look_again_at.is_some_and(|at| at <= self.at.now) {
            faults.push(FieldFault::new("look_again_time", "must lie in the future"));
        }
        if !faults.is_empty() {
            return Err(Refusal::Invalid(faults));
        }
        let next = attention::look_again(self.house, self.worker(), self.queue(), look_again_at, self.at.now);
        Ok(vec![IntakeEvent::WaitStarted { reasons: added, next }])
    }

    /// Goal: the ticket waits for none of these.
    fn resume(&self, reasons: &BTreeSet<WaitReason>) -> Outcome {
        self.open()?;
        match self.phase() {
            Phase::InProgress => Ok(Vec::new()),
            Phase::Waiting(held) => {
                let ended: BTreeSet<_> =
                    if reasons.is_empty() { held.clone() } else { held.intersection(reasons).copied().collect() };
                if ended.is_empty() { Ok(Vec::new()) } else { Ok(vec![self.wait_ended(held, ended)]) }
            }
            _ => Err(Refusal::NotWaiting),
        }
    }

    fn wait_ended(&self, held: &BTreeSet<WaitReason>, reasons: BTreeSet<WaitReason>) -> IntakeEvent {
        let remaining: BTreeSet<_> = held.difference(&reasons).copied().collect();
        IntakeEvent::WaitEnded { reasons, remaining, next: self.next(self.worker()) }
    }

    /// Goal: the work is done.
    fn resolve(&self, solution: &str, evidence: &[String]) -> Outcome {
        self.open()?;
        match self.phase() {
            Phase::WorkDone { .. } | Phase::Confirmed => return Ok(Vec::new()),
            Phase::Received | Phase::Triaged => return Err(Refusal::NotInProgress),
            _ => {}
        }
        let mut checks = vec![text::required("solution", solution, text::BODY_MAX_CHARS)];
        checks.extend(evidence.iter().map(|reference| text::required("evidence", reference, text::NAME_MAX_CHARS)));
        if evidence.len() > text::MAX_EVIDENCE {
            let message = format!("names more than {} references", text::MAX_EVIDENCE);
            checks.push(Some(FieldFault::new("evidence", message)));
        }
        text::check(&checks)?;
        let template = self.house.template(self.house.names.text(self.ticket.ticket_type));
        let required = template.map_or(0, |template| template.evidence_required);
        if evidence.len() < required {
            return Err(Refusal::EvidenceMissing { required });
        }
        let solution = Personal::new(self.subject(), solution.to_owned());
        Ok(vec![self.resolved(solution, evidence.to_vec())])
    }

    /// The work is done: the customer has the next word.
    pub(crate) fn resolved(&self, solution: Personal<String>, evidence: Vec<String>) -> IntakeEvent {
        let template = self.house.template(self.house.names.text(self.ticket.ticket_type));
        let confirm_by = attention::confirm_by(self.house, template, self.at.now);
        let next = attention::consent(self.duty(), confirm_by, self.at.now);
        IntakeEvent::Resolved { solution, evidence, confirm_by, next }
    }

    /// Goal: the customer agreed.
    fn confirm(&self) -> Outcome {
        self.open()?;
        match self.phase() {
            Phase::Confirmed => Ok(Vec::new()),
            Phase::WorkDone { .. } => {
                Ok(vec![IntakeEvent::Confirmed { implicit: false, next: self.next(self.duty()) }])
            }
            _ => Err(Refusal::NotWorkDone),
        }
    }

    /// Goal: work goes on.
    fn reject(&self, reason: &str) -> Outcome {
        self.open()?;
        match self.phase() {
            Phase::InProgress | Phase::Waiting(_) => Ok(Vec::new()),
            Phase::WorkDone { .. } | Phase::Confirmed => {
                text::check(&[text::required("reason", reason, text::BODY_MAX_CHARS)])?;
                let reason = Personal::new(self.subject(), reason.to_owned());
                Ok(vec![IntakeEvent::ConfirmationRejected { reason, next: self.next(self.worker()) }])
            }
            _ => Err(Refusal::NotWorkDone),
        }
    }

    /// Goal: the ticket is closed.
    fn close(&self, review: &str) -> Outcome {
        match self.phase() {
            Phase::Closed { .. } => Ok(Vec::new()),
            Phase::Cancelled { .. } => Err(Refusal::Ended),
            Phase::Confirmed => {
                text::check(&[text::bounded("review", review, text::REASON_MAX_CHARS)])?;
                Ok(vec![IntakeEvent::Closed { review: review.to_owned() }])
            }
            _ => Err(Refusal::NotConfirmed),
        }
    }

    /// Goal: a ticket that was closed is worked on again.
    fn reopen(&self, reason: &str) -> Outcome {
        let closed_at = match self.phase() {
            Phase::Closed { at } => *at,
            Phase::InProgress | Phase::Waiting(_) if self.ticket.course.reopened > 0 => return Ok(Vec::new()),
            _ => return Err(Refusal::NotClosed),
        };
        text::check(&[text::required("reason", reason, text::REASON_MAX_CHARS)])?;
        let template = self.house.template(self.house.names.text(self.ticket.ticket_type));
        let grace_us = template.map_or(0, |template| template.reopen_within_secs).saturating_mul(SECOND_US);
        if self.at.occurred_at > closed_at.saturating_add(grace_us) {
            return Err(Refusal::GraceOver);
        }
        let reason = Personal::new(self.subject(), reason.to_owned());
        Ok(vec![IntakeEvent::Reopened { reason, next: self.next(self.duty()) }])
    }

    /// Goal: the ticket is called off; while an engineer is on site, only by force.
    fn cancel(&self, reason: &str, force: bool) -> Outcome {
        if matches!(self.phase(), Phase::Cancelled { .. }) {
            return Ok(Vec::new());
        }
        self.open()?;
        text::check(&[text::required("reason", reason, text::REASON_MAX_CHARS)])?;
        if self.ticket.field.on_site() && !force {
            return Err(Refusal::VisitOnSite);
        }
        Ok(vec![IntakeEvent::Cancelled { reason: Personal::new(self.subject(), reason.to_owned()) }])
    }

    fn open(&self) -> Result<(), Refusal> {
        if self.phase().ended() { Err(Refusal::Ended) } else { Ok(()) }
    }

    /// The duty of the queue it lies in.
    pub(crate) fn duty(&self) -> Accountable {
        Accountable::Queue(self.queue().to_owned())
    }

    /// The next step, as soon as the priority demands.
    pub(crate) fn next(&self, accountable: Accountable) -> Attention {
        attention::next(self.house, accountable, self.queue(), self.ticket.priority, self.at.now)
    }

    /// The queue named, which must be in force, or the one the ticket lies in.
    pub(crate) fn known_queue<'a>(&'a self, named: Option<&'a str>) -> Result<&'a str, Refusal> {
        match named {
            None => Ok(self.queue()),
            Some(queue) if self.house.queue(queue).is_some() => Ok(queue),
            Some(queue) => Err(Refusal::Invalid(vec![FieldFault::new("queue", format!("there is no queue {queue}"))])),
        }
    }
}
