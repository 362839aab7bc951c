//! The gRPC server: everything around the services, from the bound listener to the drained end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::util::MapRequestLayer;

use crate::access::{Access, Gate};
use crate::admin;
use crate::call::{self, House};
use crate::deadline;
use crate::health::Health;
use crate::telemetry::Telemetry;
use crate::token::Verifier;

/// Largest message a service takes, bytes: what each generated server is to be given as `max_decoding_message_size`.
pub const MESSAGE_MAX_BYTES: usize = 1 << 20;

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection is asked to end after this time, so that clients spread over new replicas; its open calls go on.
const CONNECTION_AGE: Duration = Duration::from_mins(5);
/// Most calls one connection may have open.
const CONNECTION_STREAMS: u32 = 256;

/// The bounds of a server, for the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most calls whose answer has not begun; more are shed.
    pub calls: usize,
    /// Most answers that have not ended, watch streams above all; more are shed.
    pub answers: usize,
    /// How long a call that names no deadline may take to begin its answer.
    pub patience: Duration,
    /// How long the server still takes calls after it said it is not ready, for load balancers to hear it.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (patience, farewell) = (Duration::from_secs(30), Duration::from_millis(500));
        Self { calls: 1024, answers: 4096, patience, farewell }
    }
}

/// What a server is made of.
pub struct Server {
    /// The services, each with [`MESSAGE_MAX_BYTES`].
    pub routes: Routes,
    /// Their tables of roles.
    pub access: Vec<Access>,
    /// What tells genuine tokens.
    pub verifier: Verifier,
    /// Which services are ready.
    pub health: Health,
    /// Where calls are measured.
    pub telemetry: Telemetry,
    /// The bounds.
    pub limits: Limits,
}

/// Why a server ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The gRPC listener failed.
    #[error("gRPC listener: {0}")]
    Grpc(#[from] tonic::transport::Error),
    /// The descriptors compiled in could not be read.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The admin listener failed.
    #[error("admin listener: {0}")]
    Admin(#[from] io::Error),
}

impl Server {
    /// Serves until `shutdown`, then drains: readiness ends, a farewell passes, no connection is taken any more, every
    /// open stream ends with UNAVAILABLE `SHUTTING_DOWN`, and the calls in hand are answered.
    ///
    /// It returns when the last caller has gone; how long that may take is for the caller of this to bound. The admin
    /// listener, if any, answers until then.
    pub async fn run(
        self,
        listener: TcpListener,
        admin: Option<TcpListener>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let router = admin::router(self.health.clone(), self.telemetry.clone());
        let drained = CancellationToken::new();
        let last_words = drained.clone().drop_guard();
        let grpc = async {
            let _last_words = last_words;
            self.serve(listener, shutdown).await
        };
        let admin = async {
            let Some(listener) = admin else { return Ok(()) };
            axum::serve(listener, router).with_graceful_shutdown(drained.cancelled_owned()).await
        };
        let (grpc, admin) = tokio::join!(grpc, admin);
        grpc?;
        Ok(admin?)
    }

    async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let draining = CancellationToken::new();
        let house = House {
            gate: Gate::new(&self.access, self.verifier),
            health: self.health.clone(),
            telemetry: self.telemetry,
            calls: Arc::new(Semaphore::new(self.limits.calls)),
            answers: Arc::new(Semaphore::new(self.limits.answers)),
            patience: self.limits.patience,
            draining: draining.clone(),
        };
        let router = with_health_and_reflection(self.routes, &self.health)?
            .into_axum_router()
            .layer(middleware::from_fn_with_state(Arc::new(house), call::attend));
        let farewell = async {
            shutdown.await;
            self.health.stop().await;
            sleep(self.limits.farewell).await;
            draining.cancel();
        };
        tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            // No grace for it: with one, tonic would cut the connection without ever asking it to end.
            .max_connection_age(CONNECTION_AGE)
            .max_concurrent_streams(CONNECTION_STREAMS)
            .layer(MapRequestLayer::new(deadline::note_arrival::<tonic::body::Body>))
            .add_routes(Routes::from(router))
            .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), farewell)
            .await?;
        Ok(())
    }
}

/// Reflection knows the project's contract, health, and the error details, else grpcurl shows details as base64.
fn with_health_and_reflection(routes: Routes, health: &Health) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = || {
        [proto::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_types::pb::FILE_DESCRIPTOR_SET]
            .into_iter()
            .fold(
                tonic_reflection::server::Builder::configure(),
                tonic_reflection::server::Builder::register_encoded_file_descriptor_set,
            )
    };
    let health = HealthServer::new(HealthService::from_health_reporter(health.reporter()));
    Ok(routes
        .add_service(health.max_decoding_message_size(MESSAGE_MAX_BYTES))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
