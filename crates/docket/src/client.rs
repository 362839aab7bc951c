//! A connection to a running cluster, over the same public API everybody uses.

use std::ops::Deref;
use std::time::Duration;

use anyhow::{Context, bail};
use chassis::caller::Caller;
use chassis::endpoints::Endpoints;
use chassis::token::{DevKey, Role};
use tonic::Status;
use tonic_types::StatusExt;

use crate::cli::At;

/// How long a token signed for one command is valid.
const TOKEN_TTL: Duration = Duration::from_hours(12);

/// A connection as one caller.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    caller: Caller,
    /// The tenant whose tickets a bare id names.
    tenant: String,
}

impl Client {
    /// Connects to where the command line or the data directory says.
    pub(crate) async fn connect(at: &At) -> anyhow::Result<Self> {
        let channels = endpoints(at)?.connect().await?;
        let token = match &at.token_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?,
            None => signed(at, TOKEN_TTL)?,
        };
        let caller = Caller::new(channels, &token).context("the token is not one line of text")?;
        Ok(Self { caller, tenant: at.tenant.clone() })
    }

    /// The whole name of a ticket that may be named by its id alone.
    pub(crate) fn ticket(&self, name: &str) -> String {
        if name.contains('/') { name.to_owned() } else { format!("tenants/{}/tickets/{name}", self.tenant) }
    }
}

impl Deref for Client {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

/// Where the cluster's services listen: as the command line or the data directory says.
pub(crate) fn endpoints(at: &At) -> anyhow::Result<Endpoints> {
    let file = at.data.join("endpoints");
    let text = match &at.endpoint {
        Some(text) => text.clone(),
        None => std::fs::read_to_string(&file)
            .with_context(|| format!("no cluster runs on {} (no {})", at.data.display(), file.display()))?,
    };
    Ok(text.parse()?)
}

/// A token for the caller the command line names, signed with the data directory's key.
pub(crate) fn signed(at: &At, ttl: Duration) -> anyhow::Result<String> {
    let roles = at.role.iter().map(|name| role(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let file = at.data.join("dev.key");
    if !file.exists() {
        bail!("{} holds no development key: run `docket up` on it first, or give --token-file", at.data.display());
    }
    Ok(DevKey::load_or_create(&file)?.issue(&at.subject, &at.tenant, &roles, ttl)?)
}

fn role(name: &str) -> anyhow::Result<Role> {
    let known = Role::ALL.iter().find(|role| role.name() == name);
    known.copied().with_context(|| format!("no role {name}"))
}

/// A status in words: its reason and every field at fault.
pub(crate) fn explain(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let mut text = status.message().to_owned();
    if let Some(info) = details.error_info() {
        text = format!("{}: {text}", info.reason);
    }
    for fault in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        text.extend(["\n  ", &fault.field, ": ", &fault.description]);
    }
    anyhow::anyhow!(text)
}
