//! Somebody who calls the services, over the same API everybody uses: connections under a token of their own.

use proto::analytics::v1::analytics_service_client::AnalyticsServiceClient;
use proto::dispatch::v1::dispatch_service_client::DispatchServiceClient;
use proto::intake::v1::intake_service_client::IntakeServiceClient;
use proto::notifier::v1::notifier_service_client::NotifierServiceClient;
use proto::sla_monitor::v1::sla_monitor_service_client::SlaMonitorServiceClient;
use tonic::metadata::errors::InvalidMetadataValue;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::endpoints::Channels;

/// A channel that carries a token.
pub type Secured = InterceptedService<Channel, Bearer>;

/// Adds a token to every call.
#[derive(Clone, Debug)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Somebody who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    channels: Channels,
    bearer: Bearer,
}

impl Caller {
    /// Calls over these channels under a token, which must be one line of text.
    pub fn new(channels: Channels, token: &str) -> Result<Self, InvalidMetadataValue> {
        let bearer = Bearer(format!("Bearer {}", token.trim()).parse()?);
        Ok(Self { channels, bearer })
    }

    /// The intake service.
    pub fn intake(&self) -> IntakeServiceClient<Secured> {
        IntakeServiceClient::with_interceptor(self.channels.intake.clone(), self.bearer.clone())
    }

    /// The dispatch service.
    pub fn dispatch(&self) -> DispatchServiceClient<Secured> {
        DispatchServiceClient::with_interceptor(self.channels.dispatch.clone(), self.bearer.clone())
    }

    /// The sla-monitor service.
    pub fn sla(&self) -> SlaMonitorServiceClient<Secured> {
        SlaMonitorServiceClient::with_interceptor(self.channels.sla_monitor.clone(), self.bearer.clone())
    }

    /// The notifier service.
    pub fn notifier(&self) -> NotifierServiceClient<Secured> {
        NotifierServiceClient::with_interceptor(self.channels.notifier.clone(), self.bearer.clone())
    }

    /// The analytics service.
    pub fn analytics(&self) -> AnalyticsServiceClient<Secured> {
        AnalyticsServiceClient::with_interceptor(self.channels.analytics.clone(), self.bearer.clone())
    }
}
