//! The outsiders' stream as an `AsyncAPI` 3 document.

use eventlog::bus::envelope::family;
use eventlog::outside::kinds::PUBLIC;
use eventlog::outside::{HEADERS, SUBJECTS};
use serde_json::{Map, Value, json};

use super::schemas;

/// The families outsiders hear of, each with who it tells of.
pub(super) const FAMILIES: [(&str, &str); 4] = [
    ("intake", "The ticket: the promise to the customer."),
    ("dispatch", "The ticket's field work: visits, offers, work on site."),
    ("sla", "The ticket's clocks: warnings, breaches, missed attention."),
    ("notifier", "Who was told of the ticket, and who answered."),
];

/// The document; payloads refer to `events.schema.json` beside it.
pub(super) fn document() -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    for (name, about) in FAMILIES {
        channels.insert(name.to_owned(), channel(name, about));
        operations.insert(format!("send_{name}"), operation(name));
    }
    channels.insert("skip".to_owned(), skip());
    operations.insert("send_skip".to_owned(), operation("skip"));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Docket events",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0" },
            "description": "What subscribers outside read from the JetStream stream DOCKET_OUT: CloudEvents in binary \
                mode, in the order of the log, the stream's sequence being the log's position.",
        },
        "defaultContentType": "application/json",
        "servers": { "bus": { "host": "localhost:4222", "protocol": "nats",
            "description": "JetStream; credentials of a subscriber, API prefix `docket.api`, a durable pull consumer." } },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages(), "schemas": { "Headers": headers() } },
    })
}

fn of(wanted: &str) -> impl Iterator<Item = &'static str> {
    PUBLIC.iter().copied().filter(move |kind| family(kind) == wanted)
}

fn channel(name: &str, about: &str) -> Value {
    let messages: Map<_, _> = of(name).map(|kind| (kind.to_owned(), reference("messages", kind))).collect();
    let kinds: Vec<_> = of(name).collect();
    json!({
        "address": format!("{SUBJECTS}.{{tenant}}.{name}.{{kind}}"),
        "description": about,
        "parameters": { "tenant": tenant(), "kind": { "description": "The message's name.", "enum": kinds } },
        "messages": messages,
    })
}

fn skip() -> Value {
    json!({
        "address": format!("{SUBJECTS}.{{tenant}}.skip"),
        "description": "An event that stays in the house: an empty message keeps its place in the sequence.",
        "parameters": { "tenant": tenant() },
        "messages": { "skip": { "name": "skip", "summary": "Nothing to see.", "payload": { "type": "null" } } },
    })
}

fn tenant() -> Value {
    json!({ "description": "Whose event; a subscriber's durable is bound to its own." })
}

fn operation(channel: &str) -> Value {
    json!({ "action": "send", "channel": { "$ref": format!("#/channels/{channel}") } })
}

fn messages() -> Value {
    let bundle = schemas::bundle();
    let message = |kind: &str| {
        json!({
            "name": kind,
            "summary": bundle["$defs"][kind]["description"],
            "headers": reference("schemas", "Headers"),
            "payload": { "$ref": format!("./events.schema.json#/$defs/{kind}") },
        })
    };
    PUBLIC.iter().map(|kind| ((*kind).to_owned(), message(kind))).collect::<Map<_, _>>().into()
}

fn headers() -> Value {
    let properties: Map<_, _> = HEADERS
        .iter()
        .map(|(name, _, meaning)| ((*name).to_owned(), json!({ "type": "string", "description": meaning })))
        .collect();
    let required: Vec<_> = HEADERS.iter().filter(|(_, always, _)| *always).map(|(name, ..)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}
