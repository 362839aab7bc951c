//! From what was asked for to messages of the wire.

use chassis::wire::{ticket_name, timestamp};
use decider::Tenant;
use proto::dispatch::v1 as pb;
use ticket::dispatch::{Chooser, Dropped, HardRule, Place, Ranked, Term, Weights};

use crate::rank::weight;
use crate::refusal::rule_name;
use crate::view::{self, Decided, EngineerView, Shown, Status};
use crate::work::VisitState;

fn place(place: Place) -> pb::Place {
    pb::Place { lat_udeg: place.lat_udeg, lon_udeg: place.lon_udeg }
}

fn state(state: VisitState) -> pb::VisitState {
    match state {
        VisitState::Planned => pb::VisitState::Planned,
        VisitState::Offered => pb::VisitState::Offered,
        VisitState::Accepted => pb::VisitState::Accepted,
        VisitState::EnRoute => pb::VisitState::EnRoute,
        VisitState::OnSite => pb::VisitState::OnSite,
        VisitState::Working => pb::VisitState::Working,
        VisitState::Paused => pb::VisitState::Paused,
        VisitState::Complete => pb::VisitState::Complete,
        VisitState::Incomplete => pb::VisitState::Incomplete,
        VisitState::Cancelled => pb::VisitState::Cancelled,
    }
}

fn term(term: Term) -> &'static str {
    match term {
        Term::Travel => "travel",
        Term::Wait => "wait",
        Term::Late => "late",
        Term::Load => "load",
        Term::Overskill => "overskill",
        Term::Stranger => "stranger",
    }
}

pub(super) fn visit(tenant: &Tenant, shown: &Shown) -> pb::Visit {
    let (visit, ticket) = (&shown.visit, ticket_name(tenant.as_str(), shown.ticket));
    let offered = visit.state == VisitState::Offered;
    pb::Visit {
        name: format!("{ticket}/visits/{}", visit.id),
        ticket,
        number: visit.number,
        state: state(visit.state).into(),
        engineer: visit.engineer.clone().unwrap_or_default(),
        depart_time: visit.slot.map(|slot| timestamp(slot.from)),
        arrive_time: visit.arrived_at.or(visit.slot.map(|slot| slot.arrive)).map(timestamp),
        end_time: visit.slot.map(|slot| timestamp(slot.to)),
        respond_by_time: visit.wait_until.filter(|_| offered).map(timestamp),
        arrive_by_time: Some(timestamp(visit.job.arrive_by)),
        job_type: visit.job.job_type.name.clone(),
        job_type_version: visit.job.job_type.version,
        skills: visit.job.skills.iter().map(|(name, level)| (name.clone(), u32::from(*level))).collect(),
        region: visit.job.region.clone().unwrap_or_default(),
        site: visit.job.site.map(place),
        priority: visit.job.priority.name().to_owned(),
        evidence_required: visit.job.evidence_required,
        attempt: visit.attempt,
        etag: shown.version.to_string(),
        recommended: visit.recommended.clone().unwrap_or_default(),
        urgent: shown.urgent,
    }
}

pub(super) fn unassigned(tenant: &Tenant, shown: &Shown) -> pb::Unassigned {
    let dropped = shown.visit.findings.as_ref().map(|findings| findings.first.clone()).unwrap_or_default();
    pb::Unassigned {
        visit: Some(visit(tenant, shown)),
        why: view::why_unassigned(&shown.visit),
        dropped: dropped.into_iter().map(self::dropped).collect(),
        retry_time: shown.visit.wait_until.map(timestamp),
    }
}

pub(super) fn dropped(dropped: Dropped) -> pb::Dropped {
    pb::Dropped { engineer: dropped.engineer, rule: rule_name(dropped.rule).to_owned(), detail: dropped.detail }
}

pub(super) fn ranked(ranked: &Ranked, weights: &Weights) -> pb::Ranked {
    let cost = |((of, amount_secs), (_, cost_secs)): (&(Term, i64), &(Term, i64))| pb::Cost {
        term: term(*of).to_owned(),
        amount_secs: *amount_secs,
        weight_permille: weight(weights, *of),
        cost_secs: *cost_secs,
    };
    pb::Ranked {
        engineer: ranked.engineer.clone(),
        depart_time: Some(timestamp(ranked.slot.from)),
        arrive_time: Some(timestamp(ranked.slot.arrive)),
        end_time: Some(timestamp(ranked.slot.to)),
        version: ranked.seen.version,
        distance_m: ranked.seen.distance_m,
        costs: ranked.seen.amounts.iter().zip(&ranked.costs).map(cost).collect(),
        score_secs: ranked.score_secs,
    }
}

pub(super) fn decision(decided: &Decided, log_position: String) -> pb::Decision {
    let decision = &decided.decision;
    let (chooser, overridden, reason): (_, &[HardRule], _) = match &decision.chooser {
        Chooser::Policy => ("policy", &[], ""),
        Chooser::Dispatcher => ("dispatcher", &[], ""),
        Chooser::Override { rules, reason } => ("override", rules, reason.as_str()),
    };
    pb::Decision {
        decide_time: Some(timestamp(decision.at)),
        chooser: chooser.to_owned(),
        overridden: overridden.iter().map(|rule| rule_name(*rule).to_owned()).collect(),
        reason: reason.to_owned(),
        policy: decision.policy.name.clone(),
        policy_version: decision.policy.version,
        candidates: decision.candidates,
        dropped: decision.dropped.iter().cloned().map(dropped).collect(),
        ranked: decision.ranked.iter().map(|one| ranked(one, &decision.weights)).collect(),
        event_id: decided.event.to_string(),
        log_position,
    }
}

pub(super) fn engineer(view: EngineerView) -> pb::Engineer {
    let status = match view.status {
        Status::Idle => pb::EngineerStatus::Idle,
        Status::Travelling => pb::EngineerStatus::Travelling,
        Status::Serving => pb::EngineerStatus::Serving,
        Status::Off => pb::EngineerStatus::Off,
    };
    pb::Engineer {
        subject: view.subject,
        status: status.into(),
        skills: view.roster.skills.iter().map(|(name, skill)| (name.clone(), u32::from(skill.level))).collect(),
        regions: view.roster.regions.into_iter().collect(),
        teams: view.roster.teams.into_iter().collect(),
        position: view.position.map(|(at, _)| place(at)),
        position_time: view.position.and_then(|(_, since)| since).map(timestamp),
        visits_ahead: u32::try_from(view.visits_ahead).unwrap_or(u32::MAX),
        off_until_time: view.off_until.map(timestamp),
        etag: view.version.to_string(),
    }
}
