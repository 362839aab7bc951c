//! How long a caller's texts may be, and what is said when they are longer or missing.

use crate::refusal::{FieldFault, Refusal};

/// Most characters of a title.
pub const TITLE_MAX_CHARS: usize = 200;
/// Most characters of a description, a comment, a solution.
pub const BODY_MAX_CHARS: usize = 20_000;
/// Most characters of a reason or a review.
pub const REASON_MAX_CHARS: usize = 2_000;
/// Most characters of a name, a reference, a telephone number.
pub const NAME_MAX_CHARS: usize = 256;
/// Most references a resolution may name.
pub const MAX_EVIDENCE: usize = 20;

/// The fault of a text that must be there.
pub fn required(field: &str, text: &str, max_chars: usize) -> Option<FieldFault> {
    if text.trim().is_empty() {
        return Some(FieldFault::new(field, "is required"));
    }
    bounded(field, text, max_chars)
}

/// The fault of a text that may be empty.
pub fn bounded(field: &str, text: &str, max_chars: usize) -> Option<FieldFault> {
    (text.chars().count() > max_chars).then(|| FieldFault::new(field, format!("has more than {max_chars} characters")))
}

/// Refuses with every fault found.
pub fn check(found: &[Option<FieldFault>]) -> Result<(), Refusal> {
    let faults: Vec<_> = found.iter().flatten().cloned().collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}
