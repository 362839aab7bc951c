//! The documents of the simulation, in variants: what is in force changes while tickets are under way.

use decider::Micros;
use serde_json::{Value, json};

/// People, by token subject.
pub(crate) const AGENTS: [&str; 4] = ["ann", "bob", "chen", "dora"];
/// Queues, each followed by who steps in for it.
pub(crate) const QUEUES: [&str; 3] = ["desk", "field", "chiefs"];
/// Ticket types.
pub(crate) const TYPES: [&str; 2] = ["incident", "repair"];
/// The ticket type that needs a visit.
pub(crate) const FIELD_TYPE: &str = "repair";
/// Engineers, by token subject.
pub(crate) const ENGINEERS: [&str; 6] = ["eva", "finn", "gus", "hal", "ida", "jon"];
/// Skills that devices need.
pub(crate) const SKILLS: [&str; 2] = ["printers", "network"];
/// Regions.
pub(crate) const REGIONS: [&str; 2] = ["north", "south"];
/// How late somebody may set out, the same in every variant: 15 min.
pub(crate) const DEPART_GRACE_US: Micros = 900 * 1_000_000;
/// Rules by which people are told things.
pub(crate) const REMINDERS: [&str; 5] = ["offered", "missed", "late", "resolved", "undecided"];
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
    documents.extend(ENGINEERS.iter().map(|name| engineer(name, 0)));
    documents.extend([dispatch_policy(0), job_type(0), routing(0), text("en"), report(0)]);
    documents.extend(REMINDERS.iter().map(|name| reminder(name, 0)));
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
    let members = match name {
        "chiefs" => &AGENTS[3..],
        "field" => &AGENTS[2..=2 + variant % 2],
        _ => &AGENTS[..=variant % 3],
    };
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
            "device": {"type": "text"},
            "region": {"type": "text"},
            "lat_udeg": {"type": "number", "min": -90_000_000, "max": 90_000_000},
            "lon_udeg": {"type": "number", "min": -180_000_000, "max": 180_000_000},
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
            "acceptance": clock(20, &[75], &["open"], &["TakenInCharge", "OfferAccepted"]),
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

/// One of these, by the variant.
fn among(names: &[&'static str], variant: usize) -> &'static str {
    names[variant % names.len()]
}

/// Somebody who visits customers; every variant has skills, regions and hours of its own.
pub(crate) fn engineer(name: &'static str, variant: usize) -> Document {
    let place = ENGINEERS.iter().position(|known| *known == name).unwrap_or(0);
    let level = 1 + (place + variant) % 3;
    let mut spec = json!({
        "skills": {"printers": level},
        "home": {"lat_udeg": 52_400_000 + 40_000 * place, "lon_udeg": 13_400_000},
        "teams": if place < 3 { json!(["field"]) } else { json!(["field", "seniors"]) },
        "shift": if variant % 5 == 4 { "night" } else { "office" },
        "max_visits_per_day": 2 + variant % 4,
    });
    if (place + variant) % 3 < 2 {
        let until = if variant % 2 == 1 { "2026-03-24" } else { "2027-06-30" };
        spec["skills"]["network"] = json!({"level": 2, "until": until});
    }
    if variant % 3 < 2 {
        spec["regions"] = json!([REGIONS[(place + variant) % 2]]);
    }
    ("Engineer", name, spec)
}

/// Who has the last word about a visit, and what a choice is weighed by.
pub(crate) fn dispatch_policy(variant: usize) -> Document {
    let spec = json!({
        "mode": if variant % 4 == 3 { "recommend" } else { "automatic" },
        "respond_within": among(&["30m", "10m", "2h"], variant),
        "decide_within": "1h",
        "retry_every": among(&["1h", "20m"], variant),
        "depart_grace": "15m",
        "max_distance_km": if variant % 5 == 2 { 30 } else { 400 },
        "weights": {"travel": 1_000, "wait": 200, "late": 3_000, "load": 100 * variant},
    });
    ("DispatchPolicy", "standard", spec)
}

/// What a repair takes.
pub(crate) fn job_type(variant: usize) -> Document {
    let spec = json!({
        "ticket_type": FIELD_TYPE,
        "policy": "standard",
        "skills": {"printers": 1 + variant % 2},
        "skill_from": {"field": "device", "level": 1 + variant % 2},
        "duration": among(&["1h", "40m", "3h"], variant),
        "arrive_within": {"critical": "2h", "high": "4h", "medium": "8h", "low": "24h"},
        "region_field": "region",
        "lat_field": "lat_udeg",
        "lon_field": "lon_udeg",
        "evidence_required": variant % 2,
    });
    ("JobType", "on-site", spec)
}

/// Where tickets belong.
pub(crate) fn routing(variant: usize) -> Document {
    let chief = ENGINEERS[variant % ENGINEERS.len()];
    let spec = json!({"rules": [
        {"name": "vip", "when": "ticket.priority == 'critical'", "team": "seniors"},
        {"name": "own", "when": "has(ticket.fields.users) && ticket.fields.users > 900", "person": chief},
        {"name": "many", "when": "ticket.impact == 'department'", "queue": among(&QUEUES, variant)},
    ]});
    ("Routing", "default", spec)
}

/// What people are told, in words.
pub(crate) fn text(language: &'static str) -> Document {
    let words = json!({"subject": "{{ kind }} of {{ ticket }}", "body": "{{ queue }}, {{ priority }}: {{ at }}"});
    let mut spec = json!({"en": words});
    spec[language] = words;
    ("MessageText", "news", spec)
}

/// Who is told of what; some want an answer.
pub(crate) fn reminder(name: &'static str, variant: usize) -> Document {
    let mut spec = match name {
        "offered" => json!({"on": ["Offered"], "audience": {"engineer": true}, "urgent": true}),
        "missed" => {
            json!({"on": ["AttentionMissed"], "audience": {"woken": true}, "urgent": variant.is_multiple_of(2)})
        }
        "late" => json!({
            "on": ["Breached"], "when": "ticket.priority in ['high', 'critical']", "audience": {"accountable": true},
            "answer_within": among(&["3h", "1h"], variant), "escalate_to": "chiefs",
        }),
        "resolved" => {
            json!({"on": ["Resolved", "VisitScheduled"], "audience": {"customer": true}, "escalate_to": "desk"})
        }
        _ => json!({"on": ["Recommended"], "audience": {"queue": "field"}}),
    };
    spec["text"] = json!("news");
    match (name, variant % 3) {
        ("offered", 1) => spec["again_after"] = json!("20m"),
        ("late", 1) => (spec["linked"], spec["acted"]) = (json!([{"queue": "chiefs"}]), json!("news")),
        ("undecided", 1) => spec["group"] = json!({"by": "queue", "wait": "10m", "every": "2h"}),
        _ => {}
    }
    if variant % 4 == 1 && name != "resolved" {
        spec["media"] = json!(["email"]);
    }
    ("ReminderRule", name, spec)
}
