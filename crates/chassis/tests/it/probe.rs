//! A server with one odd service, and the client of it.
//!
//! The service speaks the messages of `grpc.health.v1` under a name of its own; the request's text says how it shall
//! behave.

use std::future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chassis::access::{Access, caller};
use chassis::health::Health;
use chassis::serve::{Limits, MESSAGE_MAX_BYTES, ServeError, Server};
use chassis::telemetry::Telemetry;
use chassis::token::{DevKey, Role};
use http::Uri;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{self, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_types::StatusExt;
use tower::Service;

pub(crate) const NAME: &str = "docket.probe.v1.Probe";
pub(crate) const ACCESS: Access =
    &[("docket.probe.v1.Probe/Check", &[Role::Agent]), ("docket.probe.v1.Probe/Watch", &[Role::Agent, Role::Admin])];

/// Does what it is asked to.
pub(crate) struct Odd {
    release: Arc<Notify>,
}

#[tonic::async_trait]
impl health_server::Health for Odd {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let who = caller(&request)?.clone();
        match request.get_ref().service.as_str() {
            "sleep" => future::pending().await,
            "wait" => self.release.notified().await,
            "panic" => panic!("out of luck"),
            "leak" => return Err(Status::internal("the password is hunter2")),
            _ => {}
        }
        let mut response = Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() });
        response.metadata_mut().insert("tenant", who.tenant.parse().unwrap());
        Ok(response)
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    /// One message, then silence for ever, or worse.
    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let first = tokio_stream::once(Ok(HealthCheckResponse { status: ServingStatus::Serving.into() }));
        Ok(Response::new(match request.get_ref().service.as_str() {
            "end" => Box::pin(first),
            "flood" => Box::pin(tokio_stream::iter(std::iter::repeat_with(|| Ok(HealthCheckResponse::default())))),
            "panic" => Box::pin(first.chain(tokio_stream::iter([()]).map(|()| panic!("out of luck")))),
            "leak" => Box::pin(first.chain(tokio_stream::once(Err(Status::unknown("hunter2"))))),
            _ => Box::pin(first.chain(tokio_stream::pending())),
        }))
    }
}

/// The odd service under its own name.
#[derive(Clone)]
struct Probe(HealthServer<Odd>);

impl NamedService for Probe {
    const NAME: &'static str = NAME;
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = <HealthServer<Odd> as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        *request.uri_mut() = request.uri().path().replace(NAME, "grpc.health.v1.Health").parse::<Uri>().unwrap();
        self.0.call(request)
    }
}

/// A server that runs until it is told to stop.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) key: DevKey,
    pub(crate) health: Health,
    pub(crate) release: Arc<Notify>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) end: JoinHandle<Result<(), ServeError>>,
}

/// Limits under which nothing happens by itself within a test.
pub(crate) fn limits() -> Limits {
    Limits { farewell: Duration::from_millis(50), ..Limits::default() }
}

/// Starts one that is ready.
pub(crate) async fn start(limits: Limits) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let key = DevKey::load_or_create(&folder.path().join("dev.key")).unwrap();
    let (listener, admin) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (addr, admin_addr) = (listener.local_addr().unwrap(), admin.local_addr().unwrap());
    let release = Arc::new(Notify::new());
    let odd = HealthServer::new(Odd { release: Arc::clone(&release) }).max_decoding_message_size(MESSAGE_MAX_BYTES);
    let health = Health::new(&[NAME]).await;
    health.set_ready(NAME, true).await;
    let server = Server {
        routes: Routes::new(Probe(odd)),
        access: vec![ACCESS],
        verifier: key.verifier(),
        health: health.clone(),
        telemetry: Telemetry::new().unwrap(),
        limits,
    };
    let (stop, stopped) = oneshot::channel();
    let end = tokio::spawn(server.run(listener, Some(admin), async {
        let _ = stopped.await;
    }));
    Running { addr, admin: admin_addr, key, health, release, stop, end }
}

impl Running {
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    pub(crate) fn token(&self, roles: &[Role]) -> String {
        self.key.issue("ann", "acme", roles, Duration::from_mins(1)).unwrap()
    }

    /// Asks the odd service to behave as `how`, as an agent.
    pub(crate) async fn check(&self, how: &str) -> Result<Response<HealthCheckResponse>, Status> {
        unary(self.channel().await, "Check", self.ask(how)).await
    }

    pub(crate) async fn watch(&self, how: &str) -> Result<Streaming<HealthCheckResponse>, Status> {
        let mut client = client(self.channel().await).await;
        let answer = client.server_streaming(self.ask(how), path("Watch"), tonic_prost::ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }

    pub(crate) fn ask(&self, how: &str) -> Request<HealthCheckRequest> {
        authorized(how, &format!("Bearer {}", self.token(&[Role::Agent])))
    }

    /// Tells the server to stop and waits until it has.
    pub(crate) async fn stopped(self) {
        let _ = self.stop.send(());
        tokio::time::timeout(Duration::from_secs(10), self.end).await.expect("drained in time").unwrap().unwrap();
    }
}

pub(crate) fn authorized(how: &str, authorization: &str) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest { service: how.into() });
    request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    request
}

pub(crate) async fn unary(
    channel: Channel,
    method: &str,
    request: Request<HealthCheckRequest>,
) -> Result<Response<HealthCheckResponse>, Status> {
    client(channel).await.unary(request, path(method), tonic_prost::ProstCodec::default()).await
}

async fn client(channel: Channel) -> tonic::client::Grpc<Channel> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    client
}

fn path(method: &str) -> http::uri::PathAndQuery {
    format!("/{NAME}/{method}").parse().unwrap()
}

/// The reason of a status; every one must have it, in our domain.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "docket");
    let listed = chassis::refuse::REASONS.iter().any(|row| row.0 == info.reason && row.1 == status.code());
    assert!(listed, "{status:?} is not in the table of reasons");
    info.reason.clone()
}
