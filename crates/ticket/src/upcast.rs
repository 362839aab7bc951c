//! Old stored forms lifted to the present one. This is the first format, so there is nothing to lift yet.

/// The schema version events are written with.
pub const SCHEMA: u32 = 1;

/// Lifts a stored body to the present form; `None` for a schema newer than this program knows.
pub fn lift<'a>(_kind: &str, schema: u32, body: &'a [u8]) -> Option<&'a [u8]> {
    (schema <= SCHEMA).then_some(body)
}
