//! Somebody who plays: a connection to the running cluster under a token of their own.

use std::time::Duration;

use anyhow::Context;
use chassis::token::{DevKey, Role};
use proto::analytics::v1::analytics_service_client::AnalyticsServiceClient;
use proto::dispatch::v1::dispatch_service_client::DispatchServiceClient;
use proto::intake::v1::intake_service_client::IntakeServiceClient;
use proto::notifier::v1::notifier_service_client::NotifierServiceClient;
use proto::sla_monitor::v1::sla_monitor_service_client::SlaMonitorServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// How long a token is valid.
const TOKEN_TTL: Duration = Duration::from_hours(7 * 24);

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

/// Somebody who plays.
pub(crate) struct Person {
    /// The token's subject.
    pub(crate) subject: String,
    channel: Channel,
    bearer: Bearer,
}

impl Person {
    /// Gives somebody a token in a role and the channel to talk over.
    pub(crate) fn new(
        channel: &Channel,
        (key, tenant): (&DevKey, &str),
        subject: &str,
        role: Role,
    ) -> anyhow::Result<Self> {
        let token = key.issue(subject, tenant, &[role], TOKEN_TTL)?;
        let bearer = Bearer(format!("Bearer {token}").parse().context("the token is not one line of text")?);
        Ok(Self { subject: subject.to_owned(), channel: channel.clone(), bearer })
    }

    pub(crate) fn intake(&self) -> IntakeServiceClient<Secured> {
        IntakeServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(crate) fn dispatch(&self) -> DispatchServiceClient<Secured> {
        DispatchServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(crate) fn sla(&self) -> SlaMonitorServiceClient<Secured> {
        SlaMonitorServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(crate) fn analytics(&self) -> AnalyticsServiceClient<Secured> {
        AnalyticsServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(crate) fn notifier(&self) -> NotifierServiceClient<Secured> {
        NotifierServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }
}
