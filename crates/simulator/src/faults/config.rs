//! The documents of the simulation, in variants: what is in force changes while tickets are under way.

use serde_json::{Value, json};

/// People, by token subject.
pub(crate) const AGENTS: [&str; 4] = ["ann", "bob", "chen", "dora"];
/// Queues, each followed by who steps in for it.
pub(crate) const QUEUES: [&str; 3] = ["desk", "field", "chiefs"];
/// Ticket types.
pub(crate) const TYPES: [&str; 2] = ["incident", "repair"];
/// Calendars.
pub(crate) const CALENDARS: [&str; 2] = ["office", "night"];
/// Policies; the second is for what is critical.
pub(crate) const POLICIES: [&str; 2] = ["standard", "urgent"];

/// A document: kind, name and spec.
pub(crate) type Document = (&'static str, &'static str, Value);

/// What is in force from the first.
pub(crate) fn first() -> Vec<Document> {
    let mut documents: Vec<_> = CALENDARS.iter().map(|name| calendar(name, 0)).collect();
    documents.extend(POLICIES.iter().map(|name| policy(name, 0)));
    documents.extend(QUEUES.iter().rev().map(|name| queue(name, 0)));
    documents.extend(TYPES.iter().map(|name| ticket_type(name, 0)));
    documents.push(report(0));
    documents
}

/// A calendar; every variant has hours of its own.
pub(crate) fn calendar(name: &'static str, variant: usize) -> Document {
    let hours = match (name, variant % 3) {
        ("night", 0) => "22:00-06:00",
        ("night", _) => "21:00-05:30",
        (_, 0) => "08:00-18:00",
        (_, 1) => "09:00-17:30",
        (_, _) => "07:00-19:00",
    };
    let days = ["mon", "tue", "wed", "thu", "fri"].map(|day| (day.to_owned(), json!([hours])));
    let weekly: serde_json::Map<_, _> = days.into_iter().collect();
    let spec = json!({"zone": "Europe/Berlin", "weekly": weekly, "holidays": ["2026-04-03", "2026-04-06"]});
    ("Calendar", name, spec)
}

/// A queue; in some variants its time counts in working hours.
pub(crate) fn queue(name: &'static str, variant: usize) -> Document {
    let fallback = match name {
        "desk" => Some("field"),
        "field" => Some("chiefs"),
        _ => None,
    };
    let members = &AGENTS[variant % 3..];
    let within = [json!("2h"), json!({"critical": "15m", "high": "1h", "medium": "6h", "low": "20h"}), json!("40m")];
    let horizon = ["24h", "72h", "30h"][variant % 3];
    let mut spec = json!({"members": members, "attend_within": within[variant % 3], "horizon": horizon});
    if let Some(fallback) = fallback {
        spec["fallback"] = json!(fallback);
    }
    if variant % 4 == 1 {
        spec["calendar"] = json!("office");
    }
    ("Queue", name, spec)
}

/// A ticket type; repairs demand evidence in some variants.
pub(crate) fn ticket_type(name: &'static str, variant: usize) -> Document {
    let queue = if name == "repair" { "field" } else { "desk" };
    let grace = ["48h", "168h"][variant % 2];
    let mut spec = json!({
        "queue": queue,
        "confirm_working_days": variant % 4,
        "reopen_within": grace,
        "evidence_required": if name == "repair" { variant % 2 } else { 0 },
        "fields": {
            "asset": {"type": "text", "required": name == "repair"},
            "address": {"type": "text", "personal": true},
            "users": {"type": "number", "min": 1, "max": 1_000},
        },
    });
    if variant % 3 != 2 {
        spec["calendar"] = json!("office");
    }
    ("TicketType", name, spec)
}

/// A policy; every variant has budgets of its own, some are retroactive.
pub(crate) fn policy(name: &'static str, variant: usize) -> Document {
    let hours = i64::try_from(variant % 5).unwrap_or(0) + 1;
    let target = |minutes: i64| {
        let secs = |factor: i64| format!("{}s", minutes * 60 * hours * factor / 4);
        json!({"critical": secs(1), "high": secs(2), "medium": secs(4), "low": secs(8)})
    };
    let clock = |minutes, marks: &[i64], run_while: &[&str], stop: &[&str]| {
        json!({
            "target": target(minutes), "marks": marks, "run_while": run_while, "stop": stop, "cancel": ["Cancelled"],
        })
    };
    let every = ["4h", "11h"][variant % 2];
    let mut spec = json!({
        "calendar": if variant % 7 == 3 { "night" } else { "office" },
        "retroactive": variant % 3 == 1,
        "clocks": {
            "acceptance": clock(20, &[75], &["open"], &["TakenInCharge"]),
            "first_response": clock(60, &[50], &["open", "in_progress", "waiting"], &["PublicReply"]),
            "resolution": clock(120, &[50, 75, 90], &["open", "in_progress"], &[]),
        },
        "attention": {"every": every},
    });
    if name == "urgent" {
        spec["match"] = json!({"priorities": ["critical"]});
        spec["rank"] = json!(1);
    }
    ("SlaPolicy", name, spec)
}

/// What reports count; it never changes what happens.
pub(crate) fn report(variant: usize) -> Document {
    let target = ["4h", "8h"][variant % 2];
    let calendars = json!([{"suffix": "", "calendar": "office"}]);
    let spec =
        json!({"calendars": calendars, "response_target": target, "reactions": ["TakenInCharge", "PublicReply"]});
    ("Report", "default", spec)
}
