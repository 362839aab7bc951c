//! What an event says, in words: who, when, how much, by which rule in which version.

use serde_json::Value;

use super::entry::Entry;

/// Longest text of a caller's that is repeated, characters.
const MAX_CHARS: usize = 80;

/// What an event says; empty for one whose kind says it all.
pub(super) fn words(entry: &Entry) -> String {
    work(entry).or_else(|| clock(entry)).or_else(|| reminder(entry)).unwrap_or_else(|| course(entry))
}

/// Events of `ticket/*`.
fn course(entry: &Entry) -> String {
    let next = step(entry);
    let words = match entry.kind.as_str() {
        "Received" | "TicketImported" => {
            let (kind, version) = (entry.text("/request/ticket_type"), entry.text("/request/type_version"));
            format!(
                "{kind} by template v{version}, {}, in {}",
                entry.text("/request/priority"),
                entry.text("/request/queue")
            )
        }
        "Triaged" => format!("{} in {}", entry.text("/priority"), entry.text("/queue")),
        "PriorityRaised" | "PriorityLowered" => {
            format!("from {} to {}: {}", entry.text("/from"), entry.text("/to"), short(entry, "/reason"))
        }
        "Transferred" => {
            format!("from {} to {}: {}", entry.text("/from"), entry.text("/queue"), short(entry, "/reason"))
        }
        "TakenInCharge" => format!("by {}", entry.text("/agent")),
        "Commented" => {
            let seen = if entry.part("/public") == Some(&Value::Bool(true)) { "public" } else { "internal" };
            format!("{seen}, by the {}'s side", entry.text("/author"))
        }
        "ContactLogged" => format!("by {}", entry.text("/channel")),
        "WaitStarted" => format!("for {}", list(entry, "/reasons")),
        "WaitEnded" => format!("no longer for {}", list(entry, "/reasons")),
        "VisitScheduled" => format!("{} at {}", entry.text("/engineer"), entry.instant("/arrive_at")),
        "VisitBegun" => entry.text("/engineer"),
        "Resolved" => format!("confirm by {}", entry.instant("/confirm_by")),
        "Confirmed" => {
            (if entry.part("/implicit") == Some(&Value::Bool(true)) { "by silence" } else { "by the customer" })
                .to_owned()
        }
        "Closed" => short(entry, "/review"),
        _ => String::new(),
    };
    [words, next].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The next step an event names.
fn step(entry: &Entry) -> String {
    let by = entry.instant("/next/attend_by");
    if by.is_empty() { by } else { format!("next {} by {by}", party(entry, "/next/accountable")) }
}

/// Events of `work/*`.
fn work(entry: &Entry) -> Option<String> {
    Some(match entry.kind.as_str() {
        "Routed" => {
            let to = entry.part("/to").and_then(Value::as_object).into_iter().flatten().next();
            let to = to.map(|(form, name)| format!("{form} {}", name.as_str().unwrap_or_default())).unwrap_or_default();
            format!("to {to} by rule {} of routing {}", entry.text("/rule"), entry.pinned("/routing"))
        }
        "VisitPlanned" => {
            let (number, job) = (entry.text("/number"), entry.pinned("/job/job_type"));
            format!("visit {number} by job type {job}, on site by {}", entry.instant("/job/arrive_by"))
        }
        "Offered" => {
            let (engineer, arrive) = (entry.text("/engineer"), entry.instant("/slot/arrive"));
            let answer = entry.instant("/respond_by");
            format!("to {engineer}, on site {arrive}, answer by {answer}; {}", decision(entry))
        }
        "Recommended" => {
            let who = entry.text("/decision/ranked/0/engineer");
            format!("{who}, decide by {}; {}", entry.instant("/decide_by"), decision(entry))
        }
        "NobodyFound" => format!("again at {}; {}", entry.instant("/retry_at"), decision(entry)),
        "OfferAccepted" => format!("by {}, on site {}", entry.text("/engineer"), entry.instant("/slot/arrive")),
        "OfferDeclined" => format!("by {}: {}", entry.text("/engineer"), short(entry, "/reason")),
        "OfferExpired" => format!("{} did not answer", entry.text("/engineer")),
        "VisitReleased" => {
            let (why, note) = (entry.text("/why").replace('_', " "), short(entry, "/note"));
            format!(
                "from {}: {why}{}",
                entry.text("/engineer"),
                if note.is_empty() { note } else { format!(", {note}") }
            )
        }
        "WorkHandedOver" => format!("from {} to {}", entry.text("/from"), entry.text("/to")),
        "Departed" | "Arrived" => entry.text("/engineer"),
        "VisitCompleted" => {
            let evidence = entry.part("/evidence").and_then(Value::as_array).map_or(0, Vec::len);
            format!("by {}, {evidence} references", entry.text("/engineer"))
        }
        "VisitStopped" => format!("by {}: {}", entry.text("/engineer"), entry.text("/why").replace('_', " ")),
        "VisitCancelled" => entry.text("/why").replace('_', " "),
        "WorkPaused" => short(entry, "/reason"),
        _ => return None,
    })
}

/// Who chose, by what, from how many.
fn decision(entry: &Entry) -> String {
    let count = |pointer| entry.part(pointer).and_then(Value::as_array).map_or(0, Vec::len);
    let chooser = match entry.part("/decision/chooser") {
        Some(Value::String(name)) if name == "policy" => String::new(),
        Some(Value::String(name)) => format!("chosen by {name}, "),
        Some(_) => {
            let rules = list(entry, "/decision/chooser/override/rules");
            format!("against {rules}: {}, ", short(entry, "/decision/chooser/override/reason"))
        }
        None => String::new(),
    };
    let (policy, attempt) = (entry.pinned("/decision/policy"), entry.text("/attempt"));
    let (candidates, dropped) = (entry.text("/decision/candidates"), count("/decision/dropped"));
    format!("{chooser}policy {policy}, attempt {attempt}, {candidates} candidates, {dropped} dropped")
}

/// Events of `sla/*`.
fn clock(entry: &Entry) -> Option<String> {
    let clock = entry.text("/clock");
    Some(match entry.kind.as_str() {
        "ClockStarted" => {
            let (policy, calendar) = (entry.pinned("/terms/policy"), entry.pinned("/terms/calendar"));
            let zone = entry
                .part("/terms/zone")
                .and_then(Value::as_str)
                .map_or_else(String::new, |zone| format!(" in {zone}"));
            format!("{clock} by policy {policy}, calendar {calendar}{zone}{}", breach(entry))
        }
        "ClockResumed" => format!("{clock}{}", breach(entry)),
        "ClockPaused" | "ClockCancelled" => clock,
        "ClockStopped" => {
            let met = if entry.part("/met") == Some(&Value::Bool(true)) { "in time" } else { "late" };
            format!("{clock} {met}")
        }
        "WarningRaised" => {
            let share = entry.part("/share_bp").and_then(Value::as_i64).unwrap_or_default();
            format!("{clock} {} %", share / 100)
        }
        "Breached" => format!("{clock}, accountable {}", party(entry, "/accountable")),
        "BreachRevoked" => format!("{clock}: a fact of {} became known", entry.instant("/fact_at")),
        "BreachExplained" => format!("{clock}: {}, {}", entry.text("/cause"), short(entry, "/note")),
        "EscalationRaised" => {
            let (step, wakes) = (entry.text("/step"), list(entry, "/wakes"));
            format!("{clock}, call {step}: {}", if wakes.is_empty() { "nobody was there".to_owned() } else { wakes })
        }
        "EscalationAcknowledged" => {
            format!("{clock} by {}, until {}", entry.text("/by"), entry.instant("/rearms_at"))
        }
        "BacklogRaised" => {
            format!(
                "{} tickets in {}, the oldest since {}",
                entry.text("/waiting"),
                entry.text("/queue"),
                entry.instant("/oldest_at")
            )
        }
        "BacklogCleared" => format!("{} tickets in {}", entry.text("/waiting"), entry.text("/queue")),
        "AttentionMissed" => {
            let (step, due) = (entry.text("/step"), entry.instant("/due_at"));
            format!("miss {step}, owed by {} at {due}, wakes {}", party(entry, "/owed"), party(entry, "/wakes"))
        }
        _ => return None,
    })
}

/// When the last mark ahead is the breach.
fn breach(entry: &Entry) -> String {
    let marks = entry.part("/marks").and_then(Value::as_array).map_or(0, Vec::len);
    let last = marks.checked_sub(1).map(|last| entry.instant(&format!("/marks/{last}/at")));
    last.map(|at| format!(", breach at {at}")).unwrap_or_default()
}

/// Events of `reminder/*`.
fn reminder(entry: &Entry) -> Option<String> {
    Some(match entry.kind.as_str() {
        "ReminderPlanned" => {
            let recipient = match entry.part("/recipient/person") {
                Some(person) => person.as_str().unwrap_or_default().to_owned(),
                None => "the customer".to_owned(),
            };
            let (rule, text) = (entry.pinned("/rule"), entry.pinned("/text"));
            let media = list(entry, "/media");
            let why = entry.text("/deferred").replace('_', " ");
            let later =
                if why.is_empty() { why } else { format!(", put off until {} for {why}", entry.instant("/send_at")) };
            let (id, step) = (entry.text("/reminder"), entry.text("/step"));
            let choice = choice(entry);
            format!("{id} to {recipient} by {media}, step {step}, rule {rule}, text {text}{later}{choice}")
        }
        "ReminderDeferred" => {
            format!("until {} for {}", entry.instant("/until"), entry.text("/why").replace('_', " "))
        }
        "AttemptStarted" => format!("{} by {}", entry.text("/attempt"), entry.text("/medium")),
        "AttemptSucceeded" | "AttemptDelivered" => {
            format!("{} by {}: {}", entry.text("/attempt"), entry.text("/medium"), short(entry, "/receipt"))
        }
        "MediumAdded" => format!("by {}", entry.text("/medium")),
        "AttemptFailed" => {
            let (attempt, medium) = (entry.text("/attempt"), entry.text("/medium"));
            format!("{attempt} by {medium}: {}, {}", short(entry, "/error"), then(entry))
        }
        "ReminderAcknowledged" | "OfferTaken" => format!("by {}", entry.text("/by")),
        "ReminderGathered" => format!("told in digest {}", entry.text("/digest")),
        "ReminderJudged" => format!("{}, by {}", entry.text("/verdict").replace('_', " "), entry.text("/by")),
        "ReminderSnoozed" => format!("until {}", entry.instant("/until")),
        "ReminderRecalled" => {
            let id: String = entry.text("/reminder").chars().take(8).collect();
            format!("{id}, {}", entry.text("/why").replace('_', " "))
        }
        "ReminderUnanswered" => {
            let arrived =
                if entry.part("/delivered") == Some(&Value::Bool(true)) { "arrived" } else { "did not arrive" };
            let next = entry.text("/escalates_to");
            format!("{arrived}{}", if next.is_empty() { next } else { format!(", escalates to queue {next}") })
        }
        _ => return None,
    })
}

/// What a medium and an instant were chosen from.
fn choice(entry: &Entry) -> String {
    let Some(options) = entry.part("/choice/among").and_then(Value::as_array) else { return String::new() };
    let by = match entry.text("/choice/by").as_str() {
        "learned" => "by what was learned",
        "held_out" => "as usual, held out",
        _ => "as usual",
    };
    let option = |place: usize| {
        let text = |field: &str| entry.text(&format!("/choice/among/{place}/{field}"));
        let percent = |field: &str| text(field).parse::<u32>().unwrap_or_default() / 100;
        let (medium, at) = (text("medium").replace('_', " "), entry.instant(&format!("/choice/among/{place}/send_at")));
        let (expected, seen, chance) = (percent("expected_bp"), text("seen"), percent("chance_bp"));
        format!("{medium} at {at} expected {expected} % of {seen}, likelihood {chance} %")
    };
    let all: Vec<_> = (0..options.len()).map(option).collect();
    format!("; chosen {by}, option {} of: {}", entry.text("/choice/taken"), all.join("; "))
}

/// What follows a failed attempt.
fn then(entry: &Entry) -> String {
    let retry = entry.instant("/then/retry/at");
    let medium = entry.text("/then/fall_through/medium");
    match (retry.is_empty(), medium.is_empty()) {
        (false, _) => format!("again at {retry}"),
        (_, false) => format!("then by {medium}"),
        _ => "nothing is left".to_owned(),
    }
}

/// A queue or a person, as `queue/desk`.
fn party(entry: &Entry, pointer: &str) -> String {
    let party = entry.part(pointer).and_then(Value::as_object).into_iter().flatten().next();
    party.map(|(form, name)| format!("{form}/{}", name.as_str().unwrap_or_default())).unwrap_or_default()
}

/// The texts of a list.
fn list(entry: &Entry, pointer: &str) -> String {
    let items = entry.part(pointer).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(|item| item.replace('_', " ")).collect::<Vec<_>>().join(", ")
}

/// The beginning of a text, on one line.
fn short(entry: &Entry, pointer: &str) -> String {
    let text = entry.text(pointer);
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(MAX_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
