//! A dispatcher's hand: giving a visit to somebody, taking it back, passing it on. Hard rules hold unless a reason is given;
//! two visits at once and ended tickets are refused to everybody.

use decider::Micros;
use ticket::dispatch::{Chooser, Decision, DispatchEvent, HardRule, Release, Slot};
use ticket::{Event, stream};

use crate::command::on_engineer;
use crate::person::Person;
use crate::plan::{free, guard_chosen, offer};
use crate::policy::Policy;
use crate::rank::{Candidate, Question, broken, weigh};
use crate::refusal::{BODY_MAX_CHARS, FieldFault, NAME_MAX_CHARS, REASON_MAX_CHARS, Refusal, bounded, check, required};
use crate::slot::Found;
use crate::visit::{Outcome, Scene};
use crate::work::VisitState;

/// Somebody a person chose, with the time they would come and the rules that break.
struct Chosen<'a> {
    who: Candidate<'a>,
    slot: Slot,
    broken: Vec<HardRule>,
}

impl Scene<'_> {
    /// Goal: this engineer is asked or has it, on site at that time if one is said.
    pub(crate) fn assign(&self, engineer: &str, arrive_at: Option<Micros>, reason: &str) -> Outcome {
        let visit = self.visit;
        let there = arrive_at.is_none_or(|at| visit.slot.is_some_and(|slot| slot.arrive == at));
        if visit.engineer.as_deref() == Some(engineer) && there && visit.state <= VisitState::Complete {
            return Ok(Vec::new());
        }
        self.movable()?;
        check([
            required("engineer", engineer, NAME_MAX_CHARS),
            bounded("override_reason", reason, REASON_MAX_CHARS),
            arrive_at.filter(|at| *at < self.at.now).map(|_| FieldFault::new("arrive_time", "lies in the past")),
        ])?;
        let (nobody, crew) = (Person::default(), self.board.crew(self.ticket));
        let (pinned, policy) = self.board.policy(&visit.job.job_type.name);
        let asked = self.question(&policy, &crew);
        let chosen = self.choose((engineer, &nobody), &asked, (arrive_at, reason))?;
        let chooser = if chosen.broken.is_empty() {
            Chooser::Dispatcher
        } else {
            Chooser::Override { rules: chosen.broken.clone(), reason: reason.to_owned() }
        };
        let decision = Decision {
            chooser,
            policy: pinned,
            weights: policy.weights.clone(),
            at: self.at.now,
            candidates: 1,
            dropped: Vec::new(),
            ranked: vec![weigh(&chosen.who, &asked, chosen.slot)],
        };
        let respond_by = chosen.who.diary.answers_from(self.at.now).saturating_add(policy.respond_within_us);
        let mut events = self.taken_back(Release::Reassigned, "");
        let to = (engineer.to_owned(), chosen.slot);
        events.extend(offer(self.asked.ticket, visit, to, (Box::new(decision), respond_by)));
        Ok(events)
    }

    /// Goal: nobody has it.
    pub(crate) fn release(&self, reason: &str) -> Outcome {
        if self.visit.state == VisitState::Planned {
            return Ok(Vec::new());
        }
        self.movable()?;
        check([required("reason", reason, REASON_MAX_CHARS)])?;
        Ok(self.taken_back(Release::Withdrawn, reason))
    }

    /// Goal: this engineer has it.
    pub(crate) fn hand_over(&self, engineer: &str, note: &str, reason: &str) -> Outcome {
        let visit = self.visit;
        if visit.engineer.as_deref() == Some(engineer)
            && (VisitState::Accepted..=VisitState::Complete).contains(&visit.state)
        {
            return Ok(Vec::new());
        }
        if !self.asked.by.dispatcher && visit.engineer.as_ref() != Some(&self.asked.by.subject) {
            return Err(Refusal::NotYours);
        }
        self.movable()?;
        let (Some(from), Some(held), VisitState::Accepted) = (&visit.engineer, visit.slot, visit.state) else {
            let next = if visit.state == VisitState::Offered { "AcceptOffer" } else { "AssignVisit" };
            return Err(Refusal::OutOfOrder { state: visit.state, next });
        };
        check([
            required("engineer", engineer, NAME_MAX_CHARS),
            bounded("note", note, BODY_MAX_CHARS),
            bounded("override_reason", reason, REASON_MAX_CHARS),
        ])?;
        // Rules are broken by those who decide for others alone.
        let reason = if self.asked.by.dispatcher { reason } else { "" };
        let (nobody, crew) = (Person::default(), self.board.crew(self.ticket));
        let (_, policy) = self.board.policy(&visit.job.job_type.name);
        let asked = self.question(&policy, &crew);
        let promised = Some(held.arrive).filter(|arrive| *arrive >= self.at.now);
        let slot = self.choose((engineer, &nobody), &asked, (promised, reason))?.slot;
        self.read.guard(&stream::engineer(from));
        let (ticket, visit) = (self.asked.ticket, visit.id);
        let (old, new) = (from.clone(), engineer.to_owned());
        let (depart_by, note) = (self.depart_by(&slot, &policy), self.personal(note));
        let passed = DispatchEvent::WorkHandedOver { visit, from: old, to: new, slot, depart_by, note };
        let held = on_engineer(engineer, DispatchEvent::SlotHeld { ticket, visit, slot });
        Ok(vec![self.on_work(passed), free(ticket, visit, from), held])
    }

    fn question<'b>(&'b self, policy: &'b Policy, crew: &'b std::collections::BTreeSet<String>) -> Question<'b> {
        let visit = self.visit;
        Question { visit: visit.id, job: &visit.job, policy, now: self.at.now, refused: &visit.refused, crew }
    }

    /// Refuses what has begun, is over, or belongs to a ticket that has ended.
    fn movable(&self) -> Result<(), Refusal> {
        self.open()?;
        match self.visit.state {
            VisitState::Planned | VisitState::Offered | VisitState::Accepted => Ok(()),
            state if state.ended() => Err(Refusal::VisitEnded(state)),
            state => Err(Refusal::VisitBegun(state)),
        }
    }

    /// The events that take the visit from whoever has it.
    fn taken_back(&self, why: Release, note: &str) -> Vec<(decider::Stream, Event)> {
        let Some(engineer) = self.visit.engineer.clone().filter(|_| self.visit.given()) else { return Vec::new() };
        self.read.guard(&stream::engineer(&engineer));
        let (visit, note) = (self.visit.id, note.to_owned());
        let freed = free(self.asked.ticket, visit, &engineer);
        vec![self.on_work(DispatchEvent::VisitReleased { visit, engineer, why, note }), freed]
    }

    /// Looks at somebody a person chose: when they would come, and which rules break; refused if one does and no reason
    /// is given, and always if they have another visit then.
    fn choose<'b>(
        &'b self,
        (engineer, nobody): (&'b str, &'b Person),
        asked: &Question<'b>,
        (arrive_at, reason): (Option<Micros>, &str),
    ) -> Result<Chosen<'b>, Refusal> {
        guard_chosen(engineer, self.read);
        let unknown = || Refusal::EngineerUnknown(engineer.to_owned());
        let who = self.board.candidate(engineer, nobody).ok_or_else(unknown)?;
        let (wanted, diary) = (asked.wanted(), &who.diary);
        let found = match arrive_at {
            None => diary.earliest(&wanted),
            Some(arrive) => {
                let slot = diary.arriving(arrive, &wanted);
                if diary.overlaps(&slot, &wanted) {
                    return Err(Refusal::Overlap(engineer.to_owned()));
                }
                if diary.full(&slot, asked.visit) { Found::Full(slot) } else { Found::Free(slot) }
            }
        };
        let rules = broken(&who, asked, found);
        if reason.trim().is_empty() && !rules.is_empty() {
            return Err(Refusal::HardRule(rules));
        }
        let slot = match found {
            Found::Free(slot) | Found::Full(slot) => Some(slot),
            Found::Nothing => diary.gap(&wanted),
        };
        let slot = slot.ok_or_else(|| Refusal::Overlap(engineer.to_owned()))?;
        Ok(Chosen { who, slot, broken: rules.into_iter().map(|(rule, _)| rule).collect() })
    }
}
