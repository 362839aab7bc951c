//! From what was asked for to messages of the wire.

use chassis::wire::{ticket_name, timestamp};
use decider::Tenant;
use proto::sla_monitor::v1 as pb;
use ticket::intake::Accountable;
use ticket::sla::BreachCause;

use crate::check::TicketCheck;
use crate::clock::Phase;
use crate::figures::{Count, Reattachment};
use crate::view::{BreachView, ClockView, Deadline, Share};

pub(super) fn basis_points(share_bp: u32) -> i32 {
    i32::try_from(share_bp).unwrap_or(i32::MAX)
}

pub(super) fn party(accountable: &Accountable) -> String {
    match accountable {
        Accountable::Queue(queue) => format!("queue/{queue}"),
        Accountable::Person(person) => format!("person/{person}"),
    }
}

fn cause(cause: BreachCause) -> &'static str {
    match cause {
        BreachCause::Capacity => "capacity",
        BreachCause::Misrouted => "misrouted",
        BreachCause::CustomerUnreachable => "customer_unreachable",
        BreachCause::Parts => "parts",
        BreachCause::ThirdParty => "third_party",
        BreachCause::Overlooked => "overlooked",
        BreachCause::System => "system",
    }
}

fn explained(breach: &BreachView) -> (String, String) {
    breach.explained.as_ref().map(|(why, note)| (cause(*why).to_owned(), note.clone())).unwrap_or_default()
}

pub(super) fn clock(view: ClockView) -> pb::Clock {
    let state = match view.phase {
        Phase::Running => pb::ClockState::Running,
        Phase::Paused => pb::ClockState::Paused,
        Phase::Stopped { .. } => pb::ClockState::Stopped,
        Phase::Cancelled => pb::ClockState::Cancelled,
    };
    let mark = |share: &Share| pb::Mark {
        share_bp: basis_points(share.share_bp),
        fire_time: Some(timestamp(share.at)),
        reached: share.reached,
    };
    let (escalation_step, escalation_wakes, acknowledged_by) = view.called.unwrap_or_default();
    pb::Clock {
        name: view.name,
        state: state.into(),
        policy: view.policy.0,
        policy_version: view.policy.1,
        calendar: view.calendar.0,
        calendar_version: view.calendar.1,
        budget_secs: view.budget_secs,
        elapsed_secs: view.elapsed_us / 1_000_000,
        marks: view.shares.iter().map(mark).collect(),
        breached: view.breach.is_some(),
        breach_time: view.breach.as_ref().map(|breach| timestamp(breach.at)),
        breach_cause: view.breach.as_ref().map(|breach| explained(breach).0).unwrap_or_default(),
        generation: view.generation,
        paused_though_replied_secs: view.paused_though_replied_us / 1_000_000,
        escalation_step,
        escalation_wakes,
        acknowledged_by: acknowledged_by.unwrap_or_default(),
        major_event: view.major.unwrap_or_default(),
    }
}

pub(super) fn report(clock: String, count: &Count) -> pb::ClockReport {
    pb::ClockReport {
        clock,
        going: count.going,
        going_late: count.going_late,
        met: count.met,
        missed: count.missed,
        cancelled: count.cancelled,
        completion_bp: count.completion_bp().and_then(|share| i32::try_from(share).ok()).unwrap_or_default(),
        paused_though_replied_secs: count.paused_though_replied_us / 1_000_000,
    }
}

pub(super) fn reattachment(effect: Reattachment) -> pb::Reattachment {
    let Reattachment { tickets, clocks, breaches, cancelled, revoked } = effect;
    pb::Reattachment { tickets, clocks, breaches, cancelled, revoked }
}

pub(super) fn breach(tenant: &Tenant, view: &BreachView) -> pb::Breach {
    let (cause, note) = explained(view);
    pb::Breach {
        ticket: ticket_name(tenant.as_str(), view.ticket),
        clock: view.clock.clone(),
        breach_time: Some(timestamp(view.at)),
        revoked: view.revoked,
        cause,
        note,
        accountable: view.accountable.as_ref().map(party).unwrap_or_default(),
    }
}

pub(super) fn deadline(tenant: &Tenant, deadline: &Deadline) -> pb::Deadline {
    pb::Deadline {
        ticket: ticket_name(tenant.as_str(), deadline.ticket),
        clock: deadline.clock.clone(),
        share_bp: basis_points(deadline.share_bp),
        due_time: Some(timestamp(deadline.at)),
    }
}

pub(super) fn check(tenant: &Tenant, check: TicketCheck) -> pb::TicketCheck {
    pb::TicketCheck {
        ticket: ticket_name(tenant.as_str(), check.ticket),
        state: check.phase.to_owned(),
        accountable: party(&check.accountable),
        next: Some(deadline(tenant, &check.next)),
        wakes: check.wakes,
        hole: check.hole.unwrap_or_default(),
    }
}
