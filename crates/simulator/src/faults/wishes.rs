//! Every command there is, made up by the dice for a ticket.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use intake::command::Verb;
use intake::import::{Import, Line};
use intake::opening::Opening;
use ticket::batch::Draft;
use ticket::intake::{
    Activity, ActivityKind, Author, Channel, Contact, FieldValue, Impact, Priority, Status, Urgency, WaitReason,
};
use ticket::lifecycle::Phase;
use ticket::sla::BreachCause;
use uuid::Uuid;

use super::book::Asked;
use super::config::{self, AGENTS, QUEUES, TYPES};
use super::dice::Dice;
use super::people::CANARY;
use super::{fieldwork, inbox};

/// Every command users have but the verbs for one thing.
const WHOLE: [&str; 10] = [
    "Open",
    "Import",
    "ImportLine",
    "ApplyIntake",
    "ApplyMonitor",
    "ApplyDispatch",
    "ApplyNotifier",
    "ApplyReport",
    "EraseCustomer",
    "Explain",
];
/// The verbs for a ticket.
const VERBS: [&str; 15] = [
    "Triage",
    "Comment",
    "LogContact",
    "Weigh",
    "Prioritise",
    "Transfer",
    "Take",
    "Hold",
    "Resume",
    "Resolve",
    "Confirm",
    "Reject",
    "Close",
    "Reopen",
    "Cancel",
];

/// Every command users have.
pub(crate) fn commands() -> impl Iterator<Item = &'static str> {
    let all: [&[&str]; 5] = [&WHOLE, &VERBS, &fieldwork::VERBS, &fieldwork::DUTY, &inbox::VERBS];
    all.into_iter().flatten().copied()
}

const MINUTE_US: Micros = 60_000_000;
const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
const REASONS: [WaitReason; 4] =
    [WaitReason::Customer, WaitReason::Parts, WaitReason::ThirdParty, WaitReason::Approval];

/// A verb somebody sensible would use in this phase.
pub(crate) fn sensible(dice: &mut Dice, phase: &Phase) -> &'static str {
    let fitting: &[&str] = match phase {
        Phase::Received => &["Triage", "Triage", "Take", "Take", "Comment", "Transfer", "Weigh", "Cancel"],
        Phase::Triaged => &["Take", "Take", "Take", "Transfer", "Prioritise", "Comment", "Triage", "LogContact"],
        Phase::InProgress => &["Hold", "Hold", "Resolve", "Resolve", "Comment", "LogContact", "Transfer", "Prioritise"],
        Phase::Waiting(_) => &["Resume", "Resume", "Comment", "Hold", "Resolve", "LogContact"],
        Phase::WorkDone { .. } => &["Confirm", "Confirm", "Reject", "Comment", "Transfer"],
        Phase::Confirmed => &["Close", "Close", "Close", "Reject"],
        Phase::Closed { .. } => &["Reopen"],
        Phase::Cancelled { .. } => &["Cancel", "Reopen"],
    };
    dice.pick(fitting)
}

/// Any verb.
pub(crate) fn blind(dice: &mut Dice) -> &'static str {
    dice.pick(&VERBS)
}

/// The verb of this name, in words and values the dice choose.
pub(crate) fn verb(dice: &mut Dice, name: &str, now: Micros) -> Verb {
    let queue = |dice: &mut Dice| dice.chance(50).then(|| dice.pick(&QUEUES).to_owned());
    let reason = if dice.chance(95) { "because" } else { "" }.to_owned();
    match name {
        "Triage" => {
            let priority = dice.chance(60).then(|| dice.pick(&PRIORITIES));
            Verb::Triage { priority, queue: queue(dice) }
        }
        "Comment" => {
            let author = dice.pick(&[Author::Customer, Author::Agent, Author::Agent, Author::Robot]);
            Verb::Comment { author, public: dice.chance(60), text: spoken("comment") }
        }
        "LogContact" => {
            let (inbound, reached) = (dice.chance(50), dice.chance(50));
            Verb::LogContact { channel: Channel::Phone, inbound, reached, summary: spoken("call") }
        }
        "Weigh" => {
            let impact = dice.pick(&[Impact::Person, Impact::Service, Impact::Department]);
            Verb::Weigh { impact, urgency: dice.pick(&[Urgency::Low, Urgency::Medium, Urgency::Critical]) }
        }
        "Prioritise" => Verb::Prioritise { priority: dice.pick(&PRIORITIES), reason },
        "Transfer" => {
            let person = dice.chance(30).then(|| dice.pick(&AGENTS).to_owned());
            let queue = if dice.chance(3) { Some("nowhere".into()) } else { queue(dice) };
            Verb::Transfer { queue, person, reason }
        }
        "Take" => Verb::Take { agent: dice.pick(&AGENTS).to_owned() },
        "Hold" => {
            let reasons = (0..dice.below(3)).map(|_| dice.pick(&REASONS)).collect();
            let look_again_at = dice.chance(50).then(|| now + dice.between(-10, 6_000) * MINUTE_US);
            Verb::Hold { reasons, look_again_at }
        }
        "Resume" => Verb::Resume { reasons: (0..dice.below(2)).map(|_| dice.pick(&REASONS)).collect() },
        "Resolve" => {
            let evidence = (0..dice.below(3)).map(|n| format!("photo {n}")).collect();
            Verb::Resolve { solution: spoken("solution"), evidence }
        }
        "Confirm" => Verb::Confirm,
        "Reject" => Verb::Reject { reason: spoken("complaint") },
        "Close" => Verb::Close { review: String::new() },
        "Reopen" => Verb::Reopen { reason },
        _ => Verb::Cancel { reason, force: dice.chance(30) },
    }
}

fn spoken(what: &str) -> String {
    format!("{CANARY} {what}")
}

/// What a ticket is opened with; now and then something is missing or wrong.
pub(crate) fn opening(dice: &mut Dice, customer: Option<(Uuid, String)>) -> Opening {
    let ticket_type = if dice.chance(4) { "dream" } else { dice.pick(&TYPES) };
    let mut fields = BTreeMap::new();
    if dice.chance(95) {
        fields.insert("asset".into(), FieldValue::Text("A-17".into()));
    }
    if dice.chance(30) {
        fields.insert("address".into(), FieldValue::Text(spoken("street")));
    }
    if dice.chance(20) {
        fields.insert("users".into(), FieldValue::Number(dice.between(0, 1_000)));
    }
    if dice.chance(70) {
        fields.insert("device".into(), FieldValue::Text(dice.pick(&config::SKILLS).into()));
        fields.insert("lat_udeg".into(), FieldValue::Number(dice.between(52_300_000, 52_700_000)));
        fields.insert("lon_udeg".into(), FieldValue::Number(13_400_000));
    }
    if dice.chance(60) {
        fields.insert("region".into(), FieldValue::Text(dice.pick(&config::REGIONS).into()));
    }
    let email = if dice.chance(70) { format!("{CANARY}@example.com") } else { String::new() };
    let contact = Contact { name: spoken("name"), phone: "1".into(), email };
    Opening {
        ticket_type: ticket_type.to_owned(),
        channel: dice.pick(&[Channel::Api, Channel::Phone, Channel::Web]),
        title: if dice.chance(97) { spoken("title") } else { String::new() },
        description: String::new(),
        customer,
        contact: dice.chance(50).then_some(contact),
        fields,
        impact: dice.chance(50).then(|| dice.pick(&[Impact::Person, Impact::Department])),
        urgency: dice.chance(50).then(|| dice.pick(&[Urgency::Low, Urgency::High, Urgency::Critical])),
        priority: dice.chance(30).then(|| dice.pick(&PRIORITIES)),
        queue: dice.chance(30).then(|| dice.pick(&QUEUES).to_owned()),
    }
}

/// A ticket of another system with its history until `now`, and the lines to follow it, each when it happened.
pub(crate) fn import(
    dice: &mut Dice,
    tenant: &Tenant,
    reference: String,
    now: Micros,
) -> (Import, Vec<(Micros, Line)>) {
    let mut opening = opening(dice, None);
    opening.title = if dice.chance(95) { spoken("imported") } else { String::new() };
    let mut at = now - dice.between(100, 20_000) * MINUTE_US;
    let mut lines = Vec::new();
    for _ in 0..dice.between(1, 6) {
        lines.push((at, activity(dice, lines.is_empty())));
        at = (at + dice.between(0, 2_000) * MINUTE_US).min(now);
    }
    let source = "old desk".to_owned();
    let ticket = intake::import::ticket_id(tenant, &source, &reference);
    let line = |(ordinal, (at, line)): (u16, &(Micros, Activity))| {
        let (source, reference, line) = (source.clone(), reference.clone(), line.clone());
        (*at, Line { ticket, ordinal, source, reference, line })
    };
    let following = (1..).zip(&lines).map(line).collect();
    (Import { source, reference, opening, lines }, following)
}

fn activity(dice: &mut Dice, first: bool) -> Activity {
    let lines = [
        ("Assignment", ActivityKind::Assign, Status::Open),
        ("Work", ActivityKind::Work, Status::InProgress),
        ("PublicReply", ActivityKind::Note, Status::InProgress),
        ("Wait", ActivityKind::Wait, Status::Waiting),
        ("Resolved", ActivityKind::Resolve, Status::Resolved),
        ("Closed", ActivityKind::Close, Status::Closed),
    ];
    let (activity, kind, state) = if first { lines[0] } else { dice.pick(&lines) };
    let priority = dice.pick(&["", "high", "low"]);
    Activity {
        activity: activity.to_owned(),
        kind,
        state,
        agent: dice.pick(&AGENTS).to_owned(),
        group: dice.pick(&QUEUES).to_owned(),
        priority: priority.to_owned(),
        product: String::new(),
        customer: String::new(),
    }
}

/// A change of what is in force; now and then one that must be refused, or that changes nothing.
pub(crate) fn change(dice: &mut Dice) -> (&'static str, Asked) {
    let variant = dice.below(12);
    let (kind, name, mut spec) = match dice.below(40) {
        0 => config::calendar(dice.pick(&config::CALENDARS), variant),
        1..7 => config::policy(dice.pick(&config::POLICIES), variant),
        7..13 => config::queue(dice.pick(&QUEUES), variant),
        13..18 => config::ticket_type(dice.pick(&TYPES), variant),
        18..25 => config::engineer(dice.pick(&config::ENGINEERS), variant),
        25..28 => config::dispatch_policy(variant),
        28..30 => config::job_type(variant),
        30..32 => config::routing(variant),
        32..34 => config::text(dice.pick(&["en", "zh-CN", "de"])),
        34..38 => config::reminder(dice.pick(&config::REMINDERS), variant),
        _ => config::report(variant),
    };
    if dice.chance(15) {
        spec["calendar"] = "of another planet".into();
    }
    apply((kind, name, spec))
}

/// The command that puts a document in force, for the service that owns its kind.
pub(crate) fn apply((kind, name, spec): config::Document) -> (&'static str, Asked) {
    let draft = Draft { kind: kind.to_owned(), name: name.to_owned(), spec, reason: None };
    match ticket::document::owner(kind) {
        Some("intake") => ("ApplyIntake", Asked::Intake(intake::Command::Apply(vec![draft]))),
        Some("dispatch") => ("ApplyDispatch", Asked::Dispatch(dispatch::Command::Apply(vec![draft]))),
        Some("notifier") => ("ApplyNotifier", Asked::Notifier(notifier::Command::Apply(vec![draft]))),
        Some("analytics") => ("ApplyReport", Asked::Analytics(analytics::Command::Apply(vec![draft]))),
        _ => ("ApplyMonitor", Asked::Monitor(sla_monitor::Command::Apply(vec![draft]))),
    }
}

/// Why a clock was late.
pub(crate) fn explanation(dice: &mut Dice, ticket: Uuid, clock: &str) -> Asked {
    let cause = dice.pick(&[BreachCause::Capacity, BreachCause::Parts, BreachCause::Overlooked]);
    Asked::Monitor(sla_monitor::Command::Explain { ticket, clock: clock.to_owned(), cause, note: "busy".into() })
}
