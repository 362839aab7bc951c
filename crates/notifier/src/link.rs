//! Links that act: each signed for one reminder, and so for its one recipient, for one deed and for a time. Nothing else is
//! needed to follow one, so nobody else may have it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use decider::{Micros, Tenant};
use reqwest::Url;
use ticket::notifier::Medium;
use uuid::Uuid;

use crate::command::Attempt;

pub(crate) mod page;

const SECOND_US: Micros = 1_000_000;
/// How long a link is good for, seconds: three days.
pub(crate) const GOOD_FOR_SECS: i64 = 72 * 3_600;
/// Bytes of a signature: half of the hash's.
const TAG_BYTES: usize = 16;
/// Bytes of what is signed: deed, medium, number, end, ticket, reminder.
const CLAIM_BYTES: usize = 1 + 1 + 4 + 8 + 16 + 16;

/// What a recipient may do by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Answer for the reminder.
    Acknowledge,
    /// Want it again in an hour.
    Snooze,
    /// Take the offer it is about.
    Accept,
    /// Say what it was worth.
    Judge,
}

/// A link in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it does.
    pub verb: Verb,
    /// Where it leads.
    pub url: String,
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A recipient's deed.
    Do(Verb),
    /// A recipient's key on the telephone.
    Answer,
    /// A provider's word on what became of the letter.
    Status,
}

/// What is signed. Medium and number say of which try, as far as that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) tenant: Tenant,
    pub(crate) deed: Deed,
    pub(crate) attempt: Attempt,
    /// The last second it is good for, since 1970 by the business clock.
    pub(crate) until_secs: i64,
}

/// Why a link does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// We did not sign it.
    Forged,
    /// It was good once.
    Over,
}

/// The public address of links is none.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no address that links could lead to, such as https://docket.example.org")]
pub struct NoBase(String);

/// Signs links, and tells ours from others.
#[derive(Clone)]
pub struct Links {
    base: String,
    key: hmac::Key,
}

impl Verb {
    /// All of them, in the order in which they are shown: an offer is accepted rather than acknowledged.
    const ALL: [Self; 4] = [Self::Accept, Self::Acknowledge, Self::Snooze, Self::Judge];

    /// Its name in machine-readable letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Snooze => "snooze",
            Self::Accept => "accept",
            Self::Judge => "judge",
        }
    }

    /// What is written on it.
    pub fn label(self, language: &str) -> &'static str {
        match (self, language.starts_with("zh")) {
            (Self::Acknowledge, false) => "Acknowledge",
            (Self::Acknowledge, true) => "确认收到",
            (Self::Snooze, false) => "Remind me in an hour",
            (Self::Snooze, true) => "一小时后再提醒",
            (Self::Accept, false) => "Accept the job",
            (Self::Accept, true) => "接单",
            (Self::Judge, false) => "Was this useful?",
            (Self::Judge, true) => "此提醒有用吗？",
        }
    }
}

impl Link {
    /// What is written on it.
    pub fn label(&self, language: &str) -> &'static str {
        self.verb.label(language)
    }
}

impl Deed {
    fn code(self) -> u8 {
        match self {
            Self::Do(Verb::Acknowledge) => 1,
            Self::Do(Verb::Snooze) => 2,
            Self::Do(Verb::Accept) => 3,
            Self::Answer => 4,
            Self::Status => 5,
            Self::Do(Verb::Judge) => 6,
        }
    }

    fn of(code: u8) -> Option<Self> {
        let mut deeds = Verb::ALL.map(Self::Do).into_iter().chain([Self::Answer, Self::Status]);
        deeds.find(|deed| deed.code() == code)
    }
}

impl Claim {
    fn bytes(&self) -> Vec<u8> {
        let Attempt { ticket, reminder, medium, number } = &self.attempt;
        let place = Medium::ALL.iter().position(|one| one == medium).and_then(|place| u8::try_from(place).ok());
        let mut bytes = vec![self.deed.code(), place.unwrap_or_default()];
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&self.until_secs.to_be_bytes());
        bytes.extend_from_slice(ticket.as_bytes());
        bytes.extend_from_slice(reminder.as_bytes());
        bytes
    }

    fn read(tenant: &str, bytes: &[u8]) -> Option<Self> {
        let (deed, rest) = bytes.split_first()?;
        let (medium, rest) = rest.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (ticket, reminder) = rest.split_at_checked(16)?;
        let attempt = Attempt {
            ticket: Uuid::from_slice(ticket).ok()?,
            reminder: Uuid::from_slice(reminder).ok()?,
            medium: *Medium::ALL.get(usize::from(*medium))?,
            number: u32::from_be_bytes(*number),
        };
        let until_secs = i64::from_be_bytes(*until);
        Some(Self { tenant: Tenant::new(tenant), deed: Deed::of(*deed)?, attempt, until_secs })
    }
}

impl Links {
    /// Links that lead to this address, signed with this secret, the same on every replica.
    pub fn new(base: &str, secret: &[u8; 32]) -> Result<Self, NoBase> {
        let url = Url::parse(base).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        let plain = url.filter(|url| url.query().is_none() && url.fragment().is_none());
        let base = plain.ok_or_else(|| NoBase(base.to_owned()))?.to_string();
        Ok(Self { base: base.trim_end_matches('/').to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    /// The address of a link.
    pub(crate) fn url(&self, claim: &Claim) -> String {
        let mut bytes = claim.bytes();
        bytes.extend_from_slice(&self.tag(claim.tenant.as_str(), &bytes));
        format!("{}/l/{}/{}", self.base, claim.tenant.as_str(), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a link is good for at this instant.
    pub(crate) fn open(&self, tenant: &str, token: &str, now: Micros) -> Result<Claim, Shut> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Shut::Forged)?;
        let (claim, tag) = bytes.split_at_checked(CLAIM_BYTES).ok_or(Shut::Forged)?;
        verify_slices_are_equal(tag, &self.tag(tenant, claim)).map_err(|_| Shut::Forged)?;
        let claim = Claim::read(tenant, claim).ok_or(Shut::Forged)?;
        if now.div_euclid(SECOND_US) > claim.until_secs { Err(Shut::Over) } else { Ok(claim) }
    }

    fn tag(&self, tenant: &str, claim: &[u8]) -> [u8; TAG_BYTES] {
        let signed = hmac::sign(&self.key, &[claim, tenant.as_bytes()].concat());
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&signed.as_ref()[..TAG_BYTES]);
        tag
    }

    /// The links of a letter: those of its recipient, if that is one of ours.
    pub(crate) fn of(&self, tenant: &Tenant, attempt: &Attempt, offer: bool, at: Micros) -> Vec<Link> {
        let verbs = Verb::ALL.into_iter().filter(|verb| offer || *verb != Verb::Accept);
        verbs.map(|verb| Link { verb, url: self.for_deed(tenant, attempt, Deed::Do(verb), at) }).collect()
    }

    /// A link for one deed.
    pub(crate) fn for_deed(&self, tenant: &Tenant, attempt: &Attempt, deed: Deed, at: Micros) -> String {
        let until_secs = at.div_euclid(SECOND_US).saturating_add(GOOD_FOR_SECS);
        self.url(&Claim { tenant: tenant.clone(), deed, attempt: attempt.clone(), until_secs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links::new("https://docket.example.org/", &[7; 32]).unwrap()
    }

    fn claim() -> Claim {
        let (ticket, reminder) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let attempt = Attempt { ticket, reminder, medium: Medium::WebPush, number: 3 };
        Claim { tenant: Tenant::new("acme"), deed: Deed::Do(Verb::Snooze), attempt, until_secs: 100 }
    }

    fn token(url: &str) -> String {
        url.rsplit_once('/').unwrap().1.to_owned()
    }

    /// Proves part of: N5, N6
    #[test]
    fn a_link_is_good_for_one_deed_of_one_reminder_until_its_last_second() {
        let url = links().url(&claim());
        assert!(url.starts_with("https://docket.example.org/l/acme/") && url.len() < 130, "{url}");
        let token = token(&url);
        assert_eq!(links().open("acme", &token, 100_999_999), Ok(claim()));
        assert_eq!(links().open("acme", &token, 101_000_000), Err(Shut::Over));
        assert_eq!(links().open("globex", &token, 0), Err(Shut::Forged));
        let other = Links::new("https://docket.example.org", &[8; 32]).unwrap();
        assert_eq!(other.open("acme", &token, 0), Err(Shut::Forged));
    }

    #[test]
    fn no_bit_of_a_link_can_be_changed() {
        let bytes = URL_SAFE_NO_PAD.decode(token(&links().url(&claim()))).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(links().open("acme", &URL_SAFE_NO_PAD.encode(&changed), 0), Err(Shut::Forged), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(links().open("acme", &URL_SAFE_NO_PAD.encode(&bytes[..length]), 0), Err(Shut::Forged));
        }
    }

    #[test]
    fn links_lead_to_a_whole_address() {
        for odd in ["docket.example.org", "ftp://x", "https://", "https://x/?a=b", "https://x/#y"] {
            assert!(Links::new(odd, &[7; 32]).is_err(), "{odd}");
        }
        assert!(Links::new("http://127.0.0.1:8080/docket/", &[7; 32]).is_ok());
    }
}
