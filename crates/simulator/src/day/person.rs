//! Somebody who plays: a caller of the running cluster under a token of their own.

use std::ops::Deref;
use std::time::Duration;

use anyhow::Context;
use chassis::caller::Caller;
use chassis::endpoints::Channels;
use chassis::token::{DevKey, Role};

/// How long a token is valid.
const TOKEN_TTL: Duration = Duration::from_hours(7 * 24);

/// Somebody who plays.
pub(crate) struct Person {
    /// The token's subject.
    pub(crate) subject: String,
    caller: Caller,
}

impl Person {
    /// Gives somebody a token in a role and the channels to talk over.
    pub(crate) fn new(
        channels: &Channels,
        (key, tenant): (&DevKey, &str),
        subject: &str,
        role: Role,
    ) -> anyhow::Result<Self> {
        let token = key.issue(subject, tenant, &[role], TOKEN_TTL)?;
        let caller = Caller::new(channels.clone(), &token).context("the token is not one line of text")?;
        Ok(Self { subject: subject.to_owned(), caller })
    }
}

impl Deref for Person {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}
