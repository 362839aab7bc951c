//! The shape of every decision in Docket: fold what happened, decide what to do, react to what others did.
//!
//! Pure: no I/O, no clock, no dice. Time and ids come in through [`At`]; what a decision read is noted in [`Read`],
//! so that the append can be refused when it moved.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

pub mod envelope;
pub mod given;

pub use envelope::{Micros, Recorded, SYSTEM, Stream, Tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Versions of streams as last folded; a stream that is absent has version 0.
///
/// Keyed by a digest of tenant and name, since a log has as many streams as tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions(BTreeMap<u128, u32>);

impl Versions {
    /// The version of a stream, 0 if it has no event yet.
    pub fn of(&self, tenant: &Tenant, stream: &Stream) -> u64 {
        self.0.get(&Self::key(tenant.as_str(), stream.as_str())).copied().unwrap_or(0).into()
    }

    /// Notes that the tenant's stream of this name now stands at `version` (at most 4 billion events a stream).
    pub fn note(&mut self, tenant: &str, stream: &str, version: u64) {
        self.0.insert(Self::key(tenant, stream), u32::try_from(version).unwrap_or(u32::MAX));
    }

    /// A stream of an id is that id, turned by a digest of tenant and family; any other is a digest of its whole name.
    fn key(tenant: &str, stream: &str) -> u128 {
        if let Some((family, key)) = stream.split_once('/')
            && let Ok(id) = Uuid::try_parse(key)
        {
            return id.as_u128() ^ fnv1a(tenant, family);
        }
        let name = [tenant, stream].join("\0");
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).as_u128()
    }
}

/// FNV-1a, 128 bits, of two texts: cheap, since every event of every ticket passes here.
fn fnv1a(left: &str, right: &str) -> u128 {
    let bytes = left.bytes().chain([0]).chain(right.bytes());
    bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b)
    })
}

/// The streams a decision depended on, each with the version it saw.
pub type Guards = BTreeMap<Stream, u64>;

/// A state as a decision reads it: what it leans on is noted, what it merely looks at is not.
pub struct Read<'a, S> {
    state: &'a S,
    versions: &'a Versions,
    tenant: &'a Tenant,
    noted: RefCell<Guards>,
    overridden: Cell<Micros>,
}

impl<'a, S> Read<'a, S> {
    /// A fresh read of `state` on behalf of `tenant`.
    pub fn new(state: &'a S, versions: &'a Versions, tenant: &'a Tenant) -> Self {
        Self { state, versions, tenant, noted: RefCell::default(), overridden: Cell::new(Micros::MIN) }
    }

    /// The state, with `stream` noted: the append is refused if that stream has moved meanwhile.
    pub fn guard(&self, stream: &Stream) -> &'a S {
        let version = self.versions.of(self.tenant, stream);
        self.noted.borrow_mut().insert(stream.clone(), version);
        self.state
    }

    /// The state, noting nothing: for looking around before choosing.
    pub fn look(&self) -> &'a S {
        self.state
    }

    /// The version of a stream, noted: for callers that name the version they saw.
    pub fn version(&self, stream: &Stream) -> u64 {
        self.guard(stream);
        self.versions.of(self.tenant, stream)
    }

    /// Notes that the decision overrides what came about at this instant: it takes effect then at the earliest.
    pub fn overrides(&self, came_about: Micros) {
        self.overridden.set(self.overridden.get().max(came_about));
    }

    /// When the decision takes effect if its cause happened at `occurred_at`.
    pub fn takes_effect(&self, occurred_at: Micros) -> Micros {
        occurred_at.max(self.overridden.get())
    }

    /// What was noted.
    pub fn into_guards(self) -> Guards {
        self.noted.into_inner()
    }
}

/// When, by whom and under which request a command is decided.
#[derive(Clone, Debug)]
pub struct At {
    /// The business clock, microseconds since the epoch.
    pub now: Micros,
    /// When the thing happened; never later than `now`.
    pub occurred_at: Micros,
    /// Whose data this is.
    pub tenant: Tenant,
    /// Who asks: `user/<subject>` or `service/<name>`.
    pub actor: String,
    /// The claim of this request, unique per tenant and caller; ids derive from it.
    pub request: Uuid,
}

impl At {
    /// The `n`th id this request mints: a UUIDv7 of `now` whose random part derives from the request.
    pub fn mint(&self, n: u32) -> Uuid {
        let seed = Uuid::new_v5(&self.request, &n.to_be_bytes());
        let mut tail = [0u8; 10];
        tail.copy_from_slice(&seed.as_bytes()[..10]);
        let millis = u64::try_from(self.now / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

/// A command that a rule wants carried out because of a cause, at most once per `(rule, cause, target)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction<C> {
    /// The rule's name; part of the claim.
    pub rule: &'static str,
    /// Whose data this is.
    pub tenant: Tenant,
    /// The event id, or `ticket/clock/generation/step` for a deadline.
    pub cause: String,
    /// What may exist once per cause: the ticket, the visit; never what the decision chooses.
    pub target: String,
    /// When the cause took effect: a deadline's own instant, else the cause's `occurred_at`.
    pub occurred_at: Micros,
    /// The event that caused it, if one did.
    pub causation: Option<Uuid>,
    /// What to decide.
    pub command: C,
}

impl<C> Reaction<C> {
    /// The request id of this reaction: `UUIDv5(tenant, service, rule, cause, target)`.
    pub fn claim(&self, service: &str) -> Uuid {
        let name = format!("{}\0{service}\0{}\0{}\0{}", self.tenant.as_str(), self.rule, self.cause, self.target);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// What a decision yields: the events to append, each with its stream. None means the goal already holds.
pub type Decided<E> = Vec<(Stream, E)>;

/// One service's pure heart. Everything it knows is folded from the log; everything it does is an event.
pub trait Core: Send + Sync + 'static {
    /// The service's name: its `service/<name>` stream and the namespace of its reactions.
    const NAME: &'static str;
    /// The version of the fold: a snapshot of another version is not read.
    const FOLD: u32;
    /// One enum over all families of events.
    type Event: Send + Sync + 'static;
    /// What has been folded.
    type State: Default + Serialize + for<'a> Deserialize<'a> + Send + Sync + 'static;
    /// What may be asked.
    type Command: Send + Sync + 'static;
    /// Why it may be refused.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// Whether the fold wants events of this kind; others are neither decoded nor folded.
    fn wants(kind: &str) -> bool;
    /// Takes one event in. Total: it never fails and only copies what the event says.
    fn evolve(state: &mut Self::State, event: &Recorded<Self::Event>);
    /// Decides a command against what was read.
    fn decide(
        command: &Self::Command,
        read: &Read<'_, Self::State>,
        at: &At,
    ) -> Result<Decided<Self::Event>, Self::Refusal>;
    /// What this event makes the service want.
    fn react(state: &Self::State, cause: &Recorded<Self::Event>) -> Vec<Reaction<Self::Command>>;
    /// Whether what a reaction decides depends on more than the streams it guards, such as how much somebody was told lately:
    /// then it is decided once what was decided so before is folded. All others are decided beside each other, but for
    /// those of one ticket.
    fn alone(_state: &Self::State, _reaction: &Reaction<Self::Command>, _now: Micros) -> bool {
        false
    }
    /// What is due before `now`, earliest first, at most `limit`.
    fn due(state: &Self::State, now: Micros, limit: usize) -> Vec<Reaction<Self::Command>>;
    /// The first instant at which [`Core::due`] yields something: a microsecond past the earliest deadline, since what is
    /// done exactly then is in time.
    fn next_due(state: &Self::State) -> Option<Micros>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_streams_do_not_mix() {
        let id = Uuid::from_u128(7);
        let streams = [Stream::new("ticket", id), Stream::new("sla", id), Stream::new("config", "a/b/c")];
        let tenants = [Tenant::new("a"), Tenant::new("b")];
        let mut versions = Versions::default();
        let all = || tenants.iter().flat_map(|tenant| streams.iter().map(move |stream| (tenant, stream)));
        for (version, (tenant, stream)) in (1..).zip(all()) {
            assert_eq!(versions.of(tenant, stream), 0);
            versions.note(tenant.as_str(), stream.as_str(), version);
        }
        assert!((1..).zip(all()).all(|(version, (tenant, stream))| versions.of(tenant, stream) == version));
    }

    #[test]
    fn fnv1a_is_the_published_one() {
        // The offset basis turned by one zero byte: the texts are empty but for what parts them.
        let basis: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        assert_eq!(fnv1a("", ""), basis.wrapping_mul(0x0100_0000_0000_0000_0000_013b));
    }

    #[test]
    fn a_request_mints_the_same_ids_again_and_others_than_another() {
        let at = |request| At {
            now: 1_700_000_000_000_000,
            occurred_at: 0,
            tenant: Tenant::new("t"),
            actor: String::new(),
            request,
        };
        let (one, other) = (at(Uuid::from_u128(1)), at(Uuid::from_u128(2)));
        assert_eq!(one.mint(0), one.mint(0));
        assert!(one.mint(0) != one.mint(1) && one.mint(0) != other.mint(0));
        assert_eq!(one.mint(0).get_version_num(), 7);
    }
}
