//! The one event everybody appends: a comment of a ticket, about 370 bytes.

use ticket::intake::{Author, IntakeEvent};
use ticket::{Event, Personal, codec};
use uuid::Uuid;

/// Bytes of the text, already sealed.
const TEXT_BYTES: usize = 259;

/// Kind and body.
pub(crate) fn comment(ticket: Uuid) -> anyhow::Result<(String, Vec<u8>)> {
    let text = Personal::Sealed { subject: ticket, data: "A".repeat(TEXT_BYTES) };
    let comment = IntakeEvent::Commented { author: Author::Agent, public: true, text, next: None };
    Ok(codec::encode(&Event::Intake(comment))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_370_bytes() {
        let (kind, body) = comment(Uuid::nil()).unwrap();
        assert_eq!((kind.as_str(), body.len()), ("Commented", 370), "{}", String::from_utf8_lossy(&body));
    }
}
