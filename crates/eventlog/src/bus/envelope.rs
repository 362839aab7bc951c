//! A row as a message and a message as a row: CloudEvents in binary mode, nothing of the row lost.
//!
//! The subject is `docket.v1.<tenant>.<family>.<kind>`, the body the event's stored bytes. What is empty has no header.

use async_nats::header::IntoHeaderValue;
use async_nats::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ticket::codec::{self, Family};
use uuid::Uuid;

use super::Outgoing;
use crate::store::{Head, Row};

/// A log and its epoch: where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Which log.
    pub log: Uuid,
    /// Which epoch of it.
    pub epoch: i64,
}

impl Source {
    /// The source of what is read below this head.
    pub fn of(head: &Head) -> Self {
        Self { log: head.log, epoch: head.epoch }
    }

    /// As `ce-source` says it.
    pub fn path(&self) -> String {
        format!("/docket/{}/{}", self.log, self.epoch)
    }
}

/// Why a message is no row of this log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A header that makes a row whole is missing or not of its form.
    #[error("header {0} is missing or not of its form")]
    Header(&'static str),
    /// It belongs to another log, or to another epoch of this one.
    #[error("it comes from {0}")]
    Foreign(String),
}

/// The message of a row.
pub fn message(source: &Source, row: &Row) -> Outgoing {
    Outgoing { subject: subject("docket.v1", row), headers: headers(source, row), body: row.body.clone() }
}

/// Everything a message says of its row beside the body.
pub fn headers(source: &Source, row: &Row) -> HeaderMap {
    let family = family(&row.kind);
    let mut headers = HeaderMap::new();
    insert(&mut headers, "content-type", "application/json");
    insert(&mut headers, "ce-specversion", "1.0");
    insert(&mut headers, "ce-id", row.id.to_string());
    insert(&mut headers, "ce-source", source.path());
    insert(&mut headers, "ce-time", time(row.occurred_us));
    insert(&mut headers, "ce-sequence", format!("{:020}", row.position));
    insert(&mut headers, "ce-version", row.version.to_string());
    insert(&mut headers, "ce-recorded", time(row.recorded_us));
    insert(&mut headers, "ce-request", row.request.to_string());
    let kind = escape(&row.kind);
    insert(&mut headers, "ce-type", format!("docket.{family}.{kind}.v{}", row.schema));
    insert(&mut headers, "ce-dataschema", format!("urn:docket:{family}:{kind}:{}", row.schema));
    let mut optional = |name: &'static str, value: &str| {
        if !value.is_empty() {
            insert(&mut headers, name, escape(value));
        }
    };
    optional("ce-tenant", &row.tenant);
    optional("ce-subject", &row.stream);
    optional("ce-actor", &row.actor);
    optional("traceparent", &row.trace);
    optional("ce-content", &STANDARD.encode(&row.content));
    optional("ce-hash", &STANDARD.encode(&row.hash));
    optional("ce-causation", &row.causation.map(|id| id.to_string()).unwrap_or_default());
    optional("ce-correlation", &row.correlation.map(|id| id.to_string()).unwrap_or_default());
    headers
}

/// The row of a message of this source.
pub fn row(source: &Source, headers: &HeaderMap, body: &[u8]) -> Result<Row, Unreadable> {
    let from = required(headers, "ce-source")?;
    if from != source.path() {
        return Err(Unreadable::Foreign(from.to_owned()));
    }
    let (kind, schema) = kind(headers).ok_or(Unreadable::Header("ce-type"))?;
    Ok(Row {
        position: number(headers, "ce-sequence")?,
        id: id(headers, "ce-id")?.ok_or(Unreadable::Header("ce-id"))?,
        tenant: text(headers, "ce-tenant")?,
        stream: text(headers, "ce-subject")?,
        version: number(headers, "ce-version")?,
        kind,
        schema,
        occurred_us: micros(headers, "ce-time")?,
        recorded_us: micros(headers, "ce-recorded")?,
        actor: text(headers, "ce-actor")?,
        request: id(headers, "ce-request")?.ok_or(Unreadable::Header("ce-request"))?,
        content: bytes(headers, "ce-content")?,
        causation: id(headers, "ce-causation")?,
        correlation: id(headers, "ce-correlation")?,
        trace: text(headers, "traceparent")?,
        body: body.to_vec(),
        hash: hash(headers)?,
    })
}

/// The hash of the row a message was made from.
pub(crate) fn hash(headers: &HeaderMap) -> Result<Vec<u8>, Unreadable> {
    bytes(headers, "ce-hash")
}

/// The subject of a row: each token percent-encoded where a subject may not have the character.
pub(crate) fn subject(prefix: &str, row: &Row) -> String {
    format!("{prefix}.{}.{}.{}", token(&row.tenant), family(&row.kind), token(&row.kind))
}

/// The family of a kind, in lower case; `other` for a kind this program does not know.
pub fn family(kind: &str) -> &'static str {
    match codec::KINDS.get(kind) {
        Some(Family::Intake) => "intake",
        Some(Family::Dispatch) => "dispatch",
        Some(Family::Sla) => "sla",
        Some(Family::Notifier) => "notifier",
        Some(Family::House) => "house",
        None => "other",
    }
}

/// A text as one token of a subject; an empty one is a lone percent sign, which no encoded text is.
pub fn token(text: &str) -> String {
    if text.is_empty() {
        return "%".into();
    }
    encode(text, |byte| byte.is_ascii_graphic() && !b"%.*>".contains(&byte))
}

/// A text as the value of a header, by the HTTP binding's rule.
pub fn escape(text: &str) -> String {
    encode(text, |byte| byte.is_ascii_graphic() && !b"%\"".contains(&byte))
}

/// An instant as RFC 3339. What no calendar holds is moved to its edge: the hash tells whoever reads it back.
pub fn time(at_us: i64) -> String {
    let edge = if at_us < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(at_us).unwrap_or(edge).to_string()
}

fn encode(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
        }
    }
    encoded
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            decoded.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn value<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name)).map(async_nats::HeaderValue::as_str)
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: impl IntoHeaderValue) {
    headers.insert(HeaderName::from_static(name), value);
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Unreadable> {
    value(headers, name).ok_or(Unreadable::Header(name))
}

fn text(headers: &HeaderMap, name: &'static str) -> Result<String, Unreadable> {
    decode(value(headers, name).unwrap_or_default()).ok_or(Unreadable::Header(name))
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<i64, Unreadable> {
    required(headers, name)?.parse().map_err(|_| Unreadable::Header(name))
}

fn micros(headers: &HeaderMap, name: &'static str) -> Result<i64, Unreadable> {
    let at: Timestamp = required(headers, name)?.parse().map_err(|_| Unreadable::Header(name))?;
    Ok(at.as_microsecond())
}

fn id(headers: &HeaderMap, name: &'static str) -> Result<Option<Uuid>, Unreadable> {
    value(headers, name).map(|id| id.parse().map_err(|_| Unreadable::Header(name))).transpose()
}

fn bytes(headers: &HeaderMap, name: &'static str) -> Result<Vec<u8>, Unreadable> {
    STANDARD.decode(value(headers, name).unwrap_or_default()).map_err(|_| Unreadable::Header(name))
}

/// Kind and schema out of `docket.<family>.<kind>.v<schema>`.
fn kind(headers: &HeaderMap) -> Option<(String, i64)> {
    let (_, rest) = value(headers, "ce-type")?.strip_prefix("docket.")?.split_once('.')?;
    let (kind, schema) = rest.rsplit_once(".v")?;
    Some((decode(kind)?, schema.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chain::{event_id, link};

    const SOURCE: Source = Source { log: Uuid::from_u128(1), epoch: 3 };

    fn example() -> Row {
        Row {
            position: 42,
            id: event_id(Uuid::from_u128(7), 0),
            tenant: "acme.eu".into(),
            stream: "name/phone/50 % \"off\"".into(),
            version: 1,
            kind: "Received".into(),
            schema: 1,
            occurred_us: 1_767_225_600_000_000,
            recorded_us: 1_767_225_600_250_001,
            actor: "user/\u{e4}nn".into(),
            request: Uuid::from_u128(7),
            content: vec![1; 32],
            causation: None,
            correlation: Some(Uuid::from_u128(9)),
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            body: br#"{"n":1}"#.to_vec(),
            hash: vec![2; 32],
        }
    }

    #[test]
    fn headers_are_pinned_for_whoever_reads_them() {
        let message = message(&SOURCE, &example());
        let mut headers: Vec<_> = message.headers.iter().map(|(name, value)| format!("{name}: {}", value[0])).collect();
        headers.sort();
        assert_eq!(message.subject, "docket.v1.acme%2Eeu.intake.Received");
        assert_eq!(message.body, br#"{"n":1}"#);
        assert_eq!(
            headers,
            [
                "ce-actor: user/%C3%A4nn",
                "ce-content: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
                "ce-correlation: 00000000-0000-0000-0000-000000000009",
                "ce-dataschema: urn:docket:intake:Received:1",
                "ce-hash: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
                "ce-id: 1352c9d5-0ca5-5a6b-831e-291d2c769cb9",
                "ce-recorded: 2026-01-01T00:00:00.250001Z",
                "ce-request: 00000000-0000-0000-0000-000000000007",
                "ce-sequence: 00000000000000000042",
                "ce-source: /docket/00000000-0000-0000-0000-000000000001/3",
                "ce-specversion: 1.0",
                "ce-subject: name/phone/50%20%25%20%22off%22",
                "ce-tenant: acme.eu",
                "ce-time: 2026-01-01T00:00:00Z",
                "ce-type: docket.intake.Received.v1",
                "ce-version: 1",
                "content-type: application/json",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ]
        );
    }

    #[test]
    fn a_message_of_another_history_is_told_from_a_broken_one() {
        let sent = message(&SOURCE, &example());
        let other = Source { epoch: 4, ..SOURCE };
        assert_eq!(row(&other, &sent.headers, &sent.body), Err(Unreadable::Foreign(SOURCE.path())));
        assert_eq!(row(&SOURCE, &HeaderMap::new(), b""), Err(Unreadable::Header("ce-source")));
        for (name, broken) in [("ce-type", "docket.v1"), ("ce-time", "noon"), ("ce-hash", "*"), ("ce-subject", "%8")] {
            let mut headers = sent.headers.clone();
            headers.insert(name, broken);
            assert_eq!(row(&SOURCE, &headers, &sent.body), Err(Unreadable::Header(name)));
        }
    }

    prop_compose! {
        fn rows()(
            numbers in (0i64.., 1i64.., any::<i64>()),
            times in (Timestamp::MIN.as_microsecond()..Timestamp::MAX.as_microsecond(), 0i64..),
            ids in (any::<u128>(), any::<u128>(), any::<Option<u128>>(), any::<Option<u128>>()),
            texts in prop::array::uniform5(".{0,20}"),
            bytes in prop::array::uniform3(prop::collection::vec(any::<u8>(), 0..40)),
        ) -> Row {
            let [tenant, stream, kind, actor, trace] = texts;
            let [content, body, hash] = bytes;
            let id = Uuid::from_u128;
            let recorded_us = times.1.min(Timestamp::MAX.as_microsecond());
            Row {
                position: numbers.0, id: id(ids.0), tenant, stream, version: numbers.1, kind, schema: numbers.2,
                occurred_us: times.0, recorded_us, actor, request: id(ids.1), content, causation: ids.2.map(id),
                correlation: ids.3.map(id), trace, body, hash,
            }
        }
    }

    proptest! {
        #[test]
        fn every_row_comes_back_whole(sent in rows()) {
            let told = message(&SOURCE, &sent);
            prop_assert!(async_nats::Subject::validated(&told.subject).is_ok(), "{}", told.subject);
            prop_assert_eq!(told.subject.split('.').count(), 5);
            prop_assert_eq!(row(&SOURCE, &told.headers, &told.body), Ok(sent));
        }
    }

    /// No calendar holds this instant: it is moved, and the hash tells.
    #[test]
    fn what_does_not_fit_the_form_is_noticed() {
        let mut sent = Row { occurred_us: i64::MAX, ..example() };
        sent.hash = link(&[], &sent);
        let told = message(&SOURCE, &sent);
        let back = row(&SOURCE, &told.headers, &told.body).unwrap();
        assert_ne!(link(&[], &back), back.hash);
    }
}
