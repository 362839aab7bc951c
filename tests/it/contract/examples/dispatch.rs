//! Examples of what dispatch records.

use std::collections::BTreeMap;

use ticket::dispatch::{
    Chooser, Decision, Destination, DispatchEvent, Dropped, HardRule, Job, OffDuty, Place, Ranked, Release, Seen, Slot,
    StopReason, Term, VisitEnd, Weights,
};
use ticket::intake::Priority;
use uuid::Uuid;

use super::{HOUR, MONDAY, VISIT, about, pinned};

const TICKET: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0001);
const MINUTE: i64 = HOUR / 60;

/// Every kind, fully set.
pub(super) fn full() -> Vec<DispatchEvent> {
    planning().into_iter().chain(answers()).chain(on_the_way()).chain(endings()).chain(time()).collect()
}

/// The event with everything unset that may be; none where nothing may.
pub(super) fn minimal(event: &DispatchEvent) -> Option<DispatchEvent> {
    use DispatchEvent as E;
    Some(match event.clone() {
        E::VisitPlanned { visit, number, job } => E::VisitPlanned { visit, number, job: plain(*job) },
        E::Offered { visit, engineer, slot, respond_by, attempt, decision } => {
            E::Offered { visit, engineer, slot, respond_by, attempt, decision: bare(*decision) }
        }
        E::Recommended { visit, attempt, decide_by, decision } => {
            E::Recommended { visit, attempt, decide_by, decision: bare(*decision) }
        }
        E::NobodyFound { visit, attempt, retry_at, decision, same_as: _ } => {
            E::NobodyFound { visit, attempt, retry_at, decision: bare(*decision), same_as: None }
        }
        E::VisitReleased { visit, engineer, why, note: _ } => {
            E::VisitReleased { visit, engineer, why, note: String::new() }
        }
        E::Arrived { visit, engineer, place: _ } => E::Arrived { visit, engineer, place: None },
        E::VisitCompleted { visit, engineer, report, evidence: _ } => {
            E::VisitCompleted { visit, engineer, report, evidence: Vec::new() }
        }
        E::DutyStarted { until: _ } => E::DutyStarted { until: None },
        E::DutyEnded { why, back_at: _ } => E::DutyEnded { why, back_at: None },
        E::Routed { .. }
        | E::OfferAccepted { .. }
        | E::OfferDeclined { .. }
        | E::OfferExpired { .. }
        | E::Departed { .. }
        | E::WorkStarted { .. }
        | E::WorkPaused { .. }
        | E::WorkContinued { .. }
        | E::VisitStopped { .. }
        | E::VisitCancelled { .. }
        | E::WorkHandedOver { .. }
        | E::SlotHeld { .. }
        | E::SlotReleased { .. }
        | E::TimeOffBooked { .. }
        | E::TimeOffCancelled { .. }
        | E::PositionReported { .. } => return None,
    })
}

fn planning() -> [DispatchEvent; 5] {
    use DispatchEvent as E;
    let broken = Chooser::Override { rules: vec![HardRule::Region], reason: "She lives next door.".into() };
    [
        E::Routed { rule: "north".into(), routing: pinned("main"), to: Destination::Team("field".into()) },
        E::VisitPlanned { visit: VISIT, number: 1, job: job() },
        E::NobodyFound {
            visit: VISIT,
            attempt: 4,
            retry_at: MONDAY + 15 * MINUTE,
            decision: Box::new(Decision { ranked: Vec::new(), ..decision(Chooser::Policy) }),
            same_as: Some(1),
        },
        E::Recommended {
            visit: VISIT,
            attempt: 2,
            decide_by: MONDAY + 15 * MINUTE,
            decision: Box::new(decision(Chooser::Policy)),
        },
        E::Offered {
            visit: VISIT,
            engineer: eve(),
            slot: slot(),
            respond_by: MONDAY + 10 * MINUTE,
            attempt: 3,
            decision: Box::new(decision(broken)),
        },
    ]
}

fn answers() -> [DispatchEvent; 4] {
    use DispatchEvent as E;
    [
        E::OfferAccepted { visit: VISIT, engineer: eve(), slot: slot(), depart_by: slot().from + 15 * MINUTE },
        E::OfferDeclined { visit: VISIT, engineer: eve(), reason: "The car is in repair.".into() },
        E::OfferExpired { visit: VISIT, engineer: eve() },
        E::VisitReleased {
            visit: VISIT,
            engineer: eve(),
            why: Release::Reassigned,
            note: "Mia is nearer by now.".into(),
        },
    ]
}

fn on_the_way() -> [DispatchEvent; 5] {
    use DispatchEvent as E;
    [
        E::Departed { visit: VISIT, engineer: eve() },
        E::Arrived { visit: VISIT, engineer: eve(), place: Some(site()) },
        E::WorkStarted { visit: VISIT },
        E::WorkPaused { visit: VISIT, reason: "The power is off for half an hour.".into() },
        E::WorkContinued { visit: VISIT },
    ]
}

fn endings() -> [DispatchEvent; 4] {
    use DispatchEvent as E;
    [
        E::VisitCompleted {
            visit: VISIT,
            engineer: eve(),
            report: about("Fuser exchanged.".into()),
            evidence: vec!["photo:after.jpg".into()],
        },
        E::VisitStopped {
            visit: VISIT,
            engineer: eve(),
            why: StopReason::Parts,
            note: about("The fuser is worn out.".into()),
        },
        E::VisitCancelled { visit: VISIT, why: VisitEnd::TicketEnded },
        E::WorkHandedOver {
            visit: VISIT,
            from: eve(),
            to: "mia".into(),
            slot: slot(),
            depart_by: slot().from + 15 * MINUTE,
            note: about("The key is at the reception.".into()),
        },
    ]
}

fn time() -> [DispatchEvent; 7] {
    use DispatchEvent as E;
    [
        E::SlotHeld { ticket: TICKET, visit: VISIT, slot: slot() },
        E::SlotReleased { ticket: TICKET, visit: VISIT },
        E::DutyStarted { until: Some(MONDAY + 8 * HOUR) },
        E::DutyEnded { why: OffDuty::ShiftOver, back_at: Some(MONDAY + 24 * HOUR) },
        E::TimeOffBooked { from: MONDAY + 24 * HOUR, to: MONDAY + 48 * HOUR },
        E::TimeOffCancelled { from: MONDAY + 24 * HOUR },
        E::PositionReported { place: site() },
    ]
}

fn eve() -> String {
    "eve".into()
}

fn site() -> Place {
    Place { lat_udeg: 52_520_000, lon_udeg: 13_405_000 }
}

fn slot() -> Slot {
    Slot { from: MONDAY + HOUR, arrive: MONDAY + HOUR + 12 * MINUTE, to: MONDAY + 2 * HOUR + 12 * MINUTE }
}

fn job() -> Box<Job> {
    Box::new(Job {
        job_type: pinned("repair"),
        skills: BTreeMap::from([("printers".into(), 2)]),
        region: Some("north".into()),
        site: Some(site()),
        team: Some("field".into()),
        person: Some(eve()),
        duration_secs: 3_600,
        arrive_by: MONDAY + 4 * HOUR,
        priority: Priority::High,
        evidence_required: 1,
    })
}

/// The job with nothing that need not be said.
fn plain(job: Job) -> Box<Job> {
    Box::new(Job { skills: BTreeMap::new(), region: None, site: None, team: None, person: None, ..job })
}

fn decision(chooser: Chooser) -> Decision {
    let weights = Weights {
        travel_permille: 1_000,
        wait_permille: 200,
        late_permille: 3_000,
        load_permille: 300,
        overskill_permille: 1_000,
        stranger_permille: 500,
    };
    let dropped =
        |engineer: &str, rule, detail: &str| Dropped { engineer: engineer.into(), rule, detail: detail.into() };
    Decision {
        chooser,
        policy: pinned("standard"),
        weights,
        at: MONDAY,
        candidates: 3,
        dropped: vec![
            dropped("bob", HardRule::Skill, "printers 1, needed 2"),
            dropped("mia", HardRule::SkillExpired, "printers until 2026-02-28"),
        ],
        ranked: vec![Ranked {
            engineer: eve(),
            slot: slot(),
            seen: Seen {
                version: 17,
                start: Some(Place { lat_udeg: 52_450_000, ..site() }),
                distance_m: 7_783,
                amounts: amounts([720, 4_320, 0, 7_200, 60, 60]),
            },
            costs: amounts([720, 864, 0, 2_160, 60, 30]),
            score_secs: 3_834,
        }],
    }
}

fn amounts(secs: [i64; 6]) -> Vec<(Term, i64)> {
    [Term::Travel, Term::Wait, Term::Late, Term::Load, Term::Overskill, Term::Stranger].into_iter().zip(secs).collect()
}

/// The decision with nothing that need not be said: of those looked at nobody was dropped and nobody is named.
fn bare(decision: Decision) -> Box<Decision> {
    Box::new(Decision { chooser: Chooser::Dispatcher, dropped: Vec::new(), ranked: Vec::new(), ..decision })
}
