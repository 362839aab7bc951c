//! A connection to a running cluster, over the same public API everybody uses.

use std::time::Duration;

use anyhow::{Context, bail};
use chassis::token::{DevKey, Role};
use proto::analytics::v1::analytics_service_client::AnalyticsServiceClient;
use proto::dispatch::v1::dispatch_service_client::DispatchServiceClient;
use proto::intake::v1::intake_service_client::IntakeServiceClient;
use proto::notifier::v1::notifier_service_client::NotifierServiceClient;
use proto::sla_monitor::v1::sla_monitor_service_client::SlaMonitorServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::cli::At;

/// How long a token signed for one command is valid.
const TOKEN_TTL: Duration = Duration::from_hours(12);

/// A channel that carries a token.
pub(crate) type Secured = InterceptedService<Channel, Bearer>;

/// Adds the token to every call.
#[derive(Clone, Debug)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A connection as one caller.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    channel: Channel,
    bearer: Bearer,
    /// The tenant whose tickets a bare id names.
    tenant: String,
}

impl Client {
    /// Connects to where the command line or the data directory says.
    pub(crate) async fn connect(at: &At) -> anyhow::Result<Self> {
        let file = at.data.join("endpoint");
        let endpoint = match &at.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => std::fs::read_to_string(&file)
                .with_context(|| format!("no cluster runs on {} (no {})", at.data.display(), file.display()))?,
        };
        let endpoint = endpoint.trim().to_owned();
        let channel = Endpoint::from_shared(endpoint.clone())?.connect_timeout(Duration::from_secs(5)).connect().await;
        let channel = channel.with_context(|| format!("no cluster answers at {endpoint}"))?;
        let token = match &at.token_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?,
            None => signed(at, TOKEN_TTL)?,
        };
        Ok(Self { channel, bearer: bearer(&token)?, tenant: at.tenant.clone() })
    }

    /// The intake service.
    pub(crate) fn intake(&self) -> IntakeServiceClient<Secured> {
        IntakeServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The sla-monitor service.
    pub(crate) fn sla(&self) -> SlaMonitorServiceClient<Secured> {
        SlaMonitorServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The dispatch service.
    pub(crate) fn dispatch(&self) -> DispatchServiceClient<Secured> {
        DispatchServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The notifier service.
    pub(crate) fn notifier(&self) -> NotifierServiceClient<Secured> {
        NotifierServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The analytics service.
    pub(crate) fn analytics(&self) -> AnalyticsServiceClient<Secured> {
        AnalyticsServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The whole name of a ticket that may be named by its id alone.
    pub(crate) fn ticket(&self, name: &str) -> String {
        if name.contains('/') { name.to_owned() } else { format!("tenants/{}/tickets/{name}", self.tenant) }
    }
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

fn bearer(token: &str) -> anyhow::Result<Bearer> {
    Ok(Bearer(format!("Bearer {}", token.trim()).parse().context("the token is not one line of text")?))
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
