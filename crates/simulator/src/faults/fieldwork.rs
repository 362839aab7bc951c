//! What engineers and dispatchers ask, mostly with an eye to where a visit stands, sometimes blindly.

use decider::{Micros, Tenant};
use dispatch::command::{By, Move, Verb};
use dispatch::{Command, duty};
use ticket::dispatch::{OffDuty, Place, StopReason};
use uuid::Uuid;

use super::book::Asked;
use super::config::{AGENTS, ENGINEERS};
use super::dice::Dice;
use super::people::CANARY;
use super::truth::{Stage, Truth, Visit};

/// The verbs for a visit.
pub(crate) const VERBS: [&str; 12] = [
    "Accept", "Decline", "Depart", "Arrive", "Start", "Pause", "Continue", "Complete", "Stop", "Assign", "Release",
    "HandOver",
];
/// What people say of their time.
pub(crate) const DUTY: [&str; 5] = ["StartDuty", "EndDuty", "BookTimeOff", "CancelTimeOff", "ReportPosition"];

const MINUTE_US: Micros = 60_000_000;
const HOUR_US: Micros = 60 * MINUTE_US;

/// A verb somebody sensible would use at this stage.
fn sensible(dice: &mut Dice, stage: Stage) -> &'static str {
    let fitting: &[&str] = match stage {
        Stage::Planned => &["Assign"],
        Stage::Offered => &["Accept", "Accept", "Accept", "Accept", "Accept", "Decline", "Assign", "Release"],
        Stage::Accepted => &["Depart", "Depart", "Depart", "Depart", "HandOver", "HandOver", "Release", "Assign"],
        Stage::EnRoute => &["Arrive", "Arrive", "Arrive", "Arrive", "Arrive", "Stop"],
        Stage::OnSite => &["Start", "Start", "Start", "Start", "Stop"],
        Stage::Working => &["Complete", "Complete", "Complete", "Pause", "Pause", "Stop"],
        Stage::Paused => &["Continue", "Continue", "Continue", "Continue", "Stop"],
        Stage::Complete | Stage::Incomplete | Stage::Cancelled => &VERBS,
    };
    dice.pick(fitting)
}

/// What somebody wants of a visit.
pub(crate) struct Wish {
    pub(crate) tenant: Tenant,
    pub(crate) ticket: Uuid,
    pub(crate) name: &'static str,
    pub(crate) asked: Asked,
    /// When it is said to have happened; now, if not said.
    pub(crate) occurred_at: Option<Micros>,
}

/// What somebody does with a visit next: often of the ticket that others turned to.
pub(crate) fn visit(dice: &mut Dice, truth: &Truth, last: Option<Uuid>, now: Micros) -> Option<Wish> {
    // What somebody has goes on, rather than what waits or is over.
    let all: Vec<_> = truth.field.visits.iter().collect();
    let under_way: Vec<_> = all.iter().copied().filter(|(_, visit)| visit.open() && visit.taken.is_some()).collect();
    let of_last = under_way.iter().copied().find(|(_, visit)| Some(visit.ticket) == last && dice.chance(40));
    let chosen = of_last.or_else(|| if dice.chance(85) { dice.any(&under_way).copied() } else { None });
    let chosen = chosen.or_else(|| dice.any(&all).copied())?;
    let (id, visit) = chosen;
    let name = if dice.chance(90) { sensible(dice, visit.stage) } else { dice.pick(&VERBS) };
    let occurred_at = dice.chance(15).then(|| now - dice.between(-1, 90) * MINUTE_US);
    let manual = matches!(name, "Assign" | "Release" | "HandOver");
    let holder = visit.taken.as_ref().filter(|_| !dice.chance(6)).map(|(engineer, _)| engineer.clone());
    let subject = holder.unwrap_or_else(|| dice.pick(&ENGINEERS).to_owned());
    let by = By { subject, dispatcher: dice.chance(if manual { 95 } else { 10 }) };
    let verb = verb(dice, name, visit, now);
    let asked = Move { ticket: visit.ticket, visit: *id, etag: dice.chance(2).then_some(1), by, verb };
    let (tenant, ticket, asked) = (visit.tenant.clone(), visit.ticket, Asked::Dispatch(Command::Move(Box::new(asked))));
    Some(Wish { tenant, ticket, name, asked, occurred_at })
}

/// The verb of this name, in words and values the dice choose.
fn verb(dice: &mut Dice, name: &str, visit: &Visit, now: Micros) -> Verb {
    let spoken = |what: &str| format!("{CANARY} {what}");
    let reason = if dice.chance(95) { "because" } else { "" }.to_owned();
    let override_reason = if dice.chance(30) { "there is nobody else" } else { "" }.to_owned();
    match name {
        "Accept" => Verb::Accept,
        "Decline" => Verb::Decline { reason },
        "Depart" => Verb::Depart,
        "Arrive" => Verb::Arrive { place: dice.chance(30).then(|| place(dice)) },
        "Start" => Verb::Start,
        "Pause" => Verb::Pause { reason },
        "Continue" => Verb::Continue,
        "Complete" => {
            let demanded = usize::try_from(visit.job.evidence_required).unwrap_or(0);
            let given = if dice.chance(90) { demanded } else { dice.below(2) };
            Verb::Complete { report: spoken("report"), evidence: (0..given).map(|n| format!("photo {n}")).collect() }
        }
        "Stop" => {
            let all = [StopReason::Parts, StopReason::CustomerAbsent, StopReason::OtherSkills, StopReason::MoreTime];
            Verb::Stop { why: dice.pick(&all), note: spoken("note") }
        }
        "Assign" => {
            let arrive_at = dice.chance(20).then(|| now + dice.between(-10, 3_000) * MINUTE_US);
            Verb::Assign { engineer: dice.pick(&ENGINEERS).to_owned(), arrive_at, override_reason }
        }
        "Release" => Verb::Release { reason },
        _ => Verb::HandOver { engineer: dice.pick(&ENGINEERS).to_owned(), note: spoken("hint"), override_reason },
    }
}

/// What somebody says of their time.
pub(crate) fn duty(dice: &mut Dice, truth: &Truth, tenant: &Tenant, now: Micros) -> (&'static str, Asked) {
    let hours = |dice: &mut Dice, most: i64| dice.between(1, most * 60) * MINUTE_US;
    let (off, booked) = (truth.duty.off(tenant, now), truth.duty.booked(tenant));
    let anybody = if dice.chance(60) { dice.pick(&ENGINEERS) } else { dice.pick(&AGENTS) };
    let (name, subject, verb) = match dice.below(100) {
        0..45 if !off.is_empty() => {
            let until = dice.chance(30).then(|| now + hours(dice, 12));
            ("StartDuty", dice.one(&off).clone(), duty::Verb::Start { until })
        }
        0..55 => {
            let back_at = dice.chance(75).then(|| now + hours(dice, 20));
            let why = dice.pick(&[OffDuty::ShiftOver, OffDuty::Sick, OffDuty::Left]);
            ("EndDuty", anybody.to_owned(), duty::Verb::End { why, back_at })
        }
        55..70 => {
            let from = now + dice.between(-2, 60) * HOUR_US;
            let verb = duty::Verb::Book { from, to: from + hours(dice, 12) };
            ("BookTimeOff", dice.pick(&ENGINEERS).to_owned(), verb)
        }
        70..80 if !booked.is_empty() => {
            let (subject, from) = dice.one(&booked).clone();
            ("CancelTimeOff", subject, duty::Verb::Cancel { from })
        }
        _ => ("ReportPosition", dice.pick(&ENGINEERS).to_owned(), duty::Verb::Report { place: place(dice) }),
    };
    let by = By { subject: subject.clone(), dispatcher: dice.chance(20) };
    (name, Asked::Dispatch(Command::Duty { subject, by, verb }))
}

fn place(dice: &mut Dice) -> Place {
    Place { lat_udeg: dice.between(52_300_000, 52_700_000), lon_udeg: 13_400_000 }
}
