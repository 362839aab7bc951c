//! The names of streams, and the ticket a stream belongs to.

use decider::Stream;
use uuid::Uuid;

/// The ticket itself; intake writes it.
pub fn ticket(id: Uuid) -> Stream {
    Stream::new("ticket", id)
}

/// A customer; intake writes it.
pub fn customer(id: Uuid) -> Stream {
    Stream::new("customer", id)
}

/// The clocks of a ticket; sla-monitor writes it.
pub fn sla(ticket: Uuid) -> Stream {
    Stream::new("sla", ticket)
}

/// A major event, by its name; sla-monitor writes it.
pub fn major(name: &str) -> Stream {
    Stream::new("major", name)
}

/// The field work of a ticket; dispatch writes it.
pub fn work(ticket: Uuid) -> Stream {
    Stream::new("work", ticket)
}

/// An engineer's time, by token subject; dispatch writes it.
pub fn engineer(subject: &str) -> Stream {
    Stream::new("engineer", subject)
}

/// Where an engineer is, by token subject; dispatch writes it, nothing guards it.
pub fn track(subject: &str) -> Stream {
    Stream::new("track", subject)
}

/// How somebody wants to be told, by token subject; notifier writes it.
pub fn recipient(subject: &str) -> Stream {
    Stream::new("recipient", subject)
}

/// What people were told of a ticket, or of what has an id of its own: a queue, a major event, a digest; notifier writes it.
pub fn reminder(ticket: Uuid) -> Stream {
    Stream::new("reminder", ticket)
}

/// A configuration document of the service that owns its kind.
pub fn config(service: &str, kind: &str, name: &str) -> Stream {
    Stream::new("config", format_args!("{service}/{kind}/{name}"))
}

/// A service's own bookkeeping, under the system tenant.
pub fn service(name: &str) -> Stream {
    Stream::new("service", name)
}

/// The ticket a stream belongs to: the correlation id of its events.
pub fn correlation(stream: &Stream) -> Option<Uuid> {
    match stream.family() {
        "ticket" | "sla" | "work" | "reminder" => Uuid::parse_str(stream.key()).ok(),
        _ => None,
    }
}

/// The service that alone appends to streams of this name.
pub fn owner(stream: &Stream) -> Option<&str> {
    match stream.family() {
        "ticket" | "customer" | "asset" | "article" | "name" => Some("intake"),
        "work" | "engineer" | "stock" | "track" => Some("dispatch"),
        "sla" | "major" => Some("sla-monitor"),
        "reminder" | "recipient" => Some("notifier"),
        "config" => stream.key().split('/').next(),
        "service" => Some(stream.key()),
        _ => None,
    }
}
