//! Given these events, when this is asked, then that happens: a core's tests in three words.

use uuid::Uuid;

use crate::{At, Core, Micros, Read, Recorded, Stream, Tenant, Versions};

/// A core with a past, held in memory.
pub struct Given<C: Core> {
    /// What has been folded so far.
    pub state: C::State,
    versions: Versions,
    tenant: Tenant,
    position: u64,
    now: Micros,
}

impl<C: Core> Given<C> {
    /// A tenant without a past.
    pub fn nothing(tenant: &str) -> Self {
        let tenant = Tenant::new(tenant);
        Self { state: C::State::default(), versions: Versions::default(), tenant, position: 0, now: 0 }
    }

    /// Moves the clock by hand.
    #[must_use]
    pub fn at(mut self, now: Micros) -> Self {
        self.now = now;
        self
    }

    /// Folds an event that happened at `occurred_at`.
    pub fn happened(&mut self, occurred_at: Micros, stream: Stream, event: C::Event) -> Recorded<C::Event> {
        self.position += 1;
        let version = self.versions.of(&self.tenant, &stream) + 1;
        self.versions.note(self.tenant.as_str(), stream.as_str(), version);
        self.now = self.now.max(occurred_at);
        let recorded = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.position.to_be_bytes()),
            tenant: self.tenant.clone(),
            correlation: Uuid::parse_str(stream.key()).ok(),
            stream,
            version,
            position: self.position,
            occurred_at,
            recorded_at: self.now,
            actor: "user/test".into(),
            request: Uuid::nil(),
            causation: None,
            event,
        };
        C::evolve(&mut self.state, &recorded);
        recorded
    }

    /// Decides the command now, folds what came of it and hands it back.
    pub fn when(&mut self, command: &C::Command) -> Result<Vec<Recorded<C::Event>>, C::Refusal> {
        let at = At {
            now: self.now,
            occurred_at: self.now,
            tenant: self.tenant.clone(),
            actor: "user/test".into(),
            request: Uuid::new_v5(&Uuid::NAMESPACE_URL, &self.position.to_be_bytes()),
        };
        let read = Read::new(&self.state, &self.versions, &self.tenant);
        let decided = C::decide(command, &read, &at)?;
        let occurred_at = read.takes_effect(at.occurred_at);
        Ok(decided.into_iter().map(|(stream, event)| self.happened(occurred_at, stream, event)).collect())
    }

    /// A decision repeated over its own outcome is silent.
    pub fn silent(&mut self, command: &C::Command) -> bool {
        self.when(command).is_ok_and(|events| events.is_empty())
    }
}
