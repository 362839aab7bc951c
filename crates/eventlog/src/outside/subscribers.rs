//! Who reads from outside and what they may see, as one file says it.

use std::collections::{BTreeMap, BTreeSet};

use decider::Tenant;
use serde::Deserialize;
use serde_json::Value;
use ticket::glob::Globs;
use ticket::yaml::{self, Marked, PlacedFault};

use super::kinds;

/// Most subscribers of one log.
pub const MAX_SUBSCRIBERS: usize = 256;
/// Longest name of a subscriber, bytes.
const MAX_NAME: usize = 32;
/// A bcrypt hash is as long as this.
const BCRYPT_BYTES: usize = 60;
/// A user's public nkey is as long as this.
const NKEY_BYTES: usize = 56;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outsiders {
    /// The user of our own services, with its bcrypt hash.
    pub internal: (String, String),
    /// The kinds that are published to anybody.
    pub published: BTreeSet<&'static str>,
    /// Everybody who reads, by name.
    pub subscribers: BTreeMap<String, Subscriber>,
}

/// Somebody who reads one tenant's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Whose events.
    pub tenant: Tenant,
    /// Which kinds; `None` for everything its tenant has in the stream, the empty messages too.
    pub kinds: Option<BTreeSet<&'static str>>,
    /// Where it begins, the first time.
    pub from: From,
    /// Whether it sees personal data; all subscribers of a tenant do or none.
    pub personal: bool,
    /// How it proves who it is.
    pub login: Login,
}

/// Where a subscriber begins. Another value later begins anew there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the oldest event the stream keeps.
    Start,
    /// After what the log holds when the subscriber is first seen.
    New,
    /// At this position, or the first after it.
    Position(i64),
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::New => f.write_str("new"),
            Self::Position(position) => position.fmt(f),
        }
    }
}

/// How a subscriber proves who it is. The file holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By its name and a password; this is its bcrypt hash.
    Password(String),
    /// By an Ed25519 key; this is its public half.
    Nkey(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    internal: Internal,
    #[serde(default = "everything")]
    publish: Vec<String>,
    #[serde(default)]
    subscribers: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Internal {
    user: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    tenant: String,
    #[serde(default = "everything")]
    kinds: Vec<String>,
    #[serde(default)]
    from: Option<Value>,
    #[serde(default)]
    personal: bool,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    nkey: Option<String>,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

impl Outsiders {
    /// Reads the file; every fault with its place.
    pub fn load(text: &str) -> Result<Self, Vec<PlacedFault>> {
        let documents = yaml::load(text)?;
        let [marked] = documents.as_slice() else {
            let place = yaml::Place { line: 1, column: 1 };
            return Err(vec![PlacedFault { place, message: "one document is needed".to_owned() }]);
        };
        let mut faults = Faults { marked, found: Vec::new() };
        let outsiders = faults.outsiders();
        match outsiders {
            Some(outsiders) if faults.found.is_empty() => Ok(outsiders),
            _ => Err(faults.found),
        }
    }

    /// The tenants whose personal data is opened for their subscribers.
    pub fn granted(&self) -> BTreeSet<&Tenant> {
        self.subscribers
            .values()
            .filter(|subscriber| subscriber.personal)
            .map(|subscriber| &subscriber.tenant)
            .collect()
    }
}

/// Reads a file's parts and gathers what is wrong with them.
struct Faults<'a> {
    marked: &'a Marked,
    found: Vec<PlacedFault>,
}

impl Faults<'_> {
    fn fault(&mut self, pointer: &str, message: impl Into<String>) {
        self.found.push(PlacedFault { place: self.marked.place(pointer), message: message.into() });
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, pointer: &str, value: &Value) -> Option<T> {
        T::deserialize(value).map_err(|error| self.fault(pointer, error.to_string())).ok()
    }

    fn outsiders(&mut self) -> Option<Outsiders> {
        let file: File = self.read("", &self.marked.value)?;
        let Internal { user, password } = file.internal;
        if !is_name(&user) {
            self.fault("/internal/user", NAME);
        }
        if !is_bcrypt(&password) {
            self.fault("/internal/password", BCRYPT);
        }
        let published = self.chosen("/publish", &file.publish).into_iter().collect();
        if file.subscribers.len() > MAX_SUBSCRIBERS {
            self.fault("/subscribers", format!("at most {MAX_SUBSCRIBERS} subscribers"));
        }
        let mut subscribers = BTreeMap::new();
        for (n, value) in file.subscribers.iter().enumerate() {
            let pointer = format!("/subscribers/{n}");
            let Some((name, subscriber)) = self.subscriber(&pointer, value, &published) else { continue };
            let agrees =
                |other: &Subscriber| other.tenant != subscriber.tenant || other.personal == subscriber.personal;
            if !subscribers.values().all(agrees) {
                self.fault(
                    &pointer,
                    "a tenant's subscribers see its personal data all or none: one stream serves them",
                );
            }
            if name == user || subscribers.insert(name, subscriber).is_some() {
                self.fault(&pointer, "the name is taken");
            }
        }
        Some(Outsiders { internal: (user, password), published, subscribers })
    }

    fn subscriber(
        &mut self,
        pointer: &str,
        value: &Value,
        published: &BTreeSet<&'static str>,
    ) -> Option<(String, Subscriber)> {
        let entry: Entry = self.read(pointer, value)?;
        if !is_name(&entry.name) {
            self.fault(&format!("{pointer}/name"), NAME);
        }
        if entry.tenant.is_empty() || entry.tenant == Tenant::system().as_str() {
            self.fault(&format!("{pointer}/tenant"), "a tenant is needed, not the house's own");
        }
        let all = entry.kinds == everything();
        let chosen: BTreeSet<_> = self.chosen(&format!("{pointer}/kinds"), &entry.kinds).into_iter().collect();
        if !all && !chosen.is_subset(published) {
            self.fault(&format!("{pointer}/kinds"), "these name a kind that `publish` leaves out");
        }
        let from = self.from(pointer, entry.from.as_ref());
        let login = match (entry.password, entry.nkey) {
            (Some(hash), None) if is_bcrypt(&hash) => Login::Password(hash),
            (None, Some(key)) if is_nkey(&key) => Login::Nkey(key),
            (Some(_), None) => return self.none(pointer, BCRYPT),
            (None, Some(_)) => return self.none(pointer, "`nkey` must be a user's public key: U and 55 letters"),
            _ => return self.none(pointer, "either `password` or `nkey` is needed"),
        };
        let (tenant, kinds) = (Tenant::new(&entry.tenant), (!all).then_some(chosen));
        Some((entry.name, Subscriber { tenant, kinds, from, personal: entry.personal, login }))
    }

    fn none<T>(&mut self, pointer: &str, message: &str) -> Option<T> {
        self.fault(pointer, message);
        None
    }

    fn from(&mut self, pointer: &str, value: Option<&Value>) -> From {
        match value {
            None => return From::Start,
            Some(Value::String(text)) if text == "start" => return From::Start,
            Some(Value::String(text)) if text == "new" => return From::New,
            Some(value) => {
                if let Some(position) = value.as_i64().filter(|position| *position >= 1) {
                    return From::Position(position);
                }
            }
        }
        self.fault(&format!("{pointer}/from"), "`start`, `new` or a position from 1 is needed");
        From::Start
    }

    /// The public kinds the patterns name; one that names none is a mistake.
    fn chosen(&mut self, pointer: &str, patterns: &[String]) -> Vec<&'static str> {
        for pattern in patterns {
            let included = Globs::new(&[pattern.trim_start_matches('!')]);
            if kinds::public(&included).is_empty() {
                self.fault(pointer, format!("no public kind is named {pattern}"));
            }
        }
        kinds::public(&Globs::new(patterns))
    }
}

const NAME: &str = "a name of small letters, digits and `-`, at most 32, is needed";
const BCRYPT: &str = "`password` must be a bcrypt hash, as `htpasswd -nBC 11 NAME` prints it";

/// Fit for subjects, durables and accounts.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits)
}

fn is_bcrypt(text: &str) -> bool {
    let parts: Vec<_> = text.split('$').collect();
    let [before, form, cost, hash] = parts[..] else { return false };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    text.len() == BCRYPT_BYTES
        && before.is_empty()
        && ["2a", "2b", "2y"].contains(&form)
        && cost.parse::<u8>().is_ok()
        && hash.bytes().all(letter)
}

fn is_nkey(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    text.len() == NKEY_BYTES && text.starts_with('U') && text.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2a$04$abcdefghijklmnopqrstuuMLQLaHqCWSzs8yK6ldkzPYkBE3bEGfq";

    fn file(subscribers: &str) -> String {
        format!("internal: {{user: docket, password: {HASH}}}\nsubscribers:\n{subscribers}")
    }

    fn faults(subscribers: &str) -> Vec<String> {
        let found = Outsiders::load(&file(subscribers)).unwrap_err();
        found.into_iter().map(|fault| format!("{}: {}", fault.place.line, fault.message)).collect()
    }

    #[test]
    fn a_file_says_who_reads_what() {
        let text = file(&format!(
            "  - {{name: erp, tenant: acme, password: {HASH}}}\n  \
               - {{name: board, tenant: other, kinds: [Breach*], from: 17, personal: true, nkey: U{}}}\n",
            "A".repeat(55)
        ));
        let outsiders = Outsiders::load(&text).unwrap();
        let erp = &outsiders.subscribers["erp"];
        assert_eq!((erp.kinds.as_ref(), erp.from, erp.personal), (None, From::Start, false));
        let board = &outsiders.subscribers["board"];
        assert_eq!(board.from, From::Position(17));
        assert_eq!(board.kinds, Some(["BreachExplained", "BreachRevoked", "Breached"].into()));
        assert_eq!(outsiders.granted(), [&Tenant::new("other")].into());
        assert_eq!(outsiders.published.len(), kinds::PUBLIC.len());
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let found = faults(&format!(
            "  - {{name: Erp, tenant: acme, password: {HASH}}}\n  \
               - {{name: a, tenant: acme, password: secret}}\n  \
               - {{name: b, tenant: acme}}\n  \
               - {{name: c, tenant: acme, personal: true, password: {HASH}}}\n  \
               - {{name: c, tenant: x, kinds: [RecipientSet], from: 0, password: {HASH}}}\n  \
               - {{name: docket, tenant: y, kind: [Closed], password: {HASH}}}\n"
        ));
        let lines: Vec<_> = found.iter().map(|fault| &fault[..2]).collect();
        assert_eq!(lines, ["3:", "4:", "5:", "6:", "7:", "7:", "7:", "8:"], "{found:#?}");
        assert!(found[3].contains("all or none") && found[4].contains("no public kind is named RecipientSet"));
    }

    #[test]
    fn nothing_that_could_leave_its_quotes_reaches_the_servers_configuration() {
        for bad in ["a\"b", "a b", "", "a.b", "a>", &"a".repeat(33)] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_bcrypt(HASH) && !is_bcrypt(&HASH.replace('Q', "\"")) && !is_bcrypt(&HASH.replace("04", "x4")));
    }
}
