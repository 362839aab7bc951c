//! Page tokens (AIP-158): opaque, authenticated, and good only for the tenant and the filter they were made for.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::Code;

use crate::refuse::Refused;

const TAG_BYTES: usize = 32;
/// Longest token taken, bytes; a cursor is a few dozen.
const TOKEN_MAX_BYTES: usize = 4096;

/// The key page tokens are authenticated with; every replica of a service must hold the same.
#[derive(Clone)]
pub struct PageKey(hmac::Key);

impl PageKey {
    /// A key from 32 secret bytes, such as `DevKey::derive("page-token")`.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token that resumes at `cursor` a listing of `tenant` by `filter`; `filter` is whatever else decides what
    /// the listing holds, and in which order, as one text.
    pub fn seal<T: Serialize>(&self, tenant: &str, filter: &str, cursor: &T) -> Result<String, serde_json::Error> {
        let cursor = serde_json::to_vec(cursor)?;
        let mut bytes = self.tag(tenant, filter, &cursor).as_ref().to_vec();
        bytes.extend_from_slice(&cursor);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The cursor within `token`, nothing for the empty token of a first page.
    ///
    /// Refused with `PAGE_TOKEN_INVALID` if this key did not make it for this tenant and filter.
    pub fn open<T: DeserializeOwned>(&self, tenant: &str, filter: &str, token: &str) -> Result<Option<T>, Refused> {
        if token.is_empty() {
            return Ok(None);
        }
        self.cursor(tenant, filter, token).map(Some).ok_or_else(|| {
            Refused::new(Code::InvalidArgument, "PAGE_TOKEN_INVALID", "the page token does not belong to this listing")
                .field("page_token", "take it from the answer to the same request")
        })
    }

    fn cursor<T: DeserializeOwned>(&self, tenant: &str, filter: &str, token: &str) -> Option<T> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, cursor) = bytes.split_at_checked(TAG_BYTES)?;
        hmac::verify(&self.0, &signed(tenant, filter, cursor), tag).ok()?;
        serde_json::from_slice(cursor).ok()
    }

    fn tag(&self, tenant: &str, filter: &str, cursor: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, &signed(tenant, filter, cursor))
    }
}

/// The authenticated bytes: each part behind its length, so that no two triples read the same.
fn signed(tenant: &str, filter: &str, cursor: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [tenant.as_bytes(), filter.as_bytes(), cursor] {
        bytes.extend_from_slice(&part.len().to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// How many items a page holds: `default` if none were asked for, never more than `max`.
///
/// Refused with `PAGE_SIZE_INVALID` if negative.
pub fn page_size(requested: i32, default: usize, max: usize) -> Result<usize, Refused> {
    match usize::try_from(requested) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(Refused::new(Code::InvalidArgument, "PAGE_SIZE_INVALID", "the page size is negative")
            .field("page_size", "0 means the default")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PageKey {
        PageKey::new(&[7; 32])
    }

    /// Proves part of: X5
    #[test]
    fn a_token_resumes_its_own_listing() {
        let token = key().seal("acme", "state = OPEN", &(42_u64, "t-1")).unwrap();
        let cursor: (u64, String) = key().open("acme", "state = OPEN", &token).unwrap().unwrap();
        assert_eq!(cursor, (42, "t-1".to_owned()));
        assert_eq!(key().open::<u64>("acme", "", "").unwrap(), None);
    }

    /// Proves part of: X5, X3
    #[test]
    fn a_token_is_good_for_nothing_else() {
        let token = key().seal("acme", "ab", &1_u64).unwrap();
        let reason =
            |key: PageKey, tenant, filter, token: &str| key.open::<u64>(tenant, filter, token).unwrap_err().reason;
        assert_eq!(reason(key(), "globex", "ab", &token), "PAGE_TOKEN_INVALID");
        assert_eq!(reason(key(), "acme", "abc", &token), "PAGE_TOKEN_INVALID");
        assert_eq!(reason(key(), "acmea", "b", &token), "PAGE_TOKEN_INVALID");
        assert_eq!(reason(PageKey::new(&[8; 32]), "acme", "ab", &token), "PAGE_TOKEN_INVALID");
        assert_eq!(reason(key(), "acme", "ab", &"A".repeat(5000)), "PAGE_TOKEN_INVALID");
    }

    #[test]
    fn no_single_character_can_be_changed() {
        let token = key().seal("acme", "", &123_u64).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(key().open::<u64>("acme", "", &changed).is_err(), "at {at}");
            assert!(key().open::<u64>("acme", "", &token[..at]).is_err() || at == 0, "cut at {at}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        assert_eq!(page_size(0, 50, 500).unwrap(), 50);
        assert_eq!(page_size(7, 50, 500).unwrap(), 7);
        assert_eq!(page_size(i32::MAX, 50, 500).unwrap(), 500);
        assert_eq!(page_size(-1, 50, 500).unwrap_err().reason, "PAGE_SIZE_INVALID");
    }
}
