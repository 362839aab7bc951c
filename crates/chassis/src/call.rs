//! One call on its way in and out: measured, bounded, timed, authorized, and never answered by a panic.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::access::Gate;
use crate::answer::Answer;
use crate::deadline::{self, Deadline};
use crate::health::Health;
use crate::mend;
use crate::refuse::{self, Refused};
use crate::telemetry::Telemetry;

/// What every call of a server shares.
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) health: Health,
    pub(crate) telemetry: Telemetry,
    /// Places for calls whose answer has not begun.
    pub(crate) calls: Arc<Semaphore>,
    /// Places for answers that have not ended, so that watchers cannot take the calls' places.
    pub(crate) answers: Arc<Semaphore>,
    /// How long a call without a deadline may take to begin its answer.
    pub(crate) patience: Duration,
    pub(crate) draining: CancellationToken,
}

/// The layer around every service of a server.
pub(crate) async fn attend(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let mut call = house.telemetry.call(house.gate.method(request.uri().path()));
    let left = deadline::timeout(request.headers());
    let mut clock = Deadline::after_arrival(request.extensions(), left.unwrap_or(house.patience));
    let handled = tokio::select! {
        biased;
        handled = unpanicked(house.handle(request, next)) => handled,
        () = poll_fn(|cx| clock.poll(cx)) => Err(mend::deadline_exceeded()),
    };
    let (response, place) = handled.unwrap_or_else(|status| (status.into_http(), None));
    let (mut parts, body) = response.into_parts();
    call.code = mend::mend(&mut parts.headers);
    let draining = Box::pin(house.draining.clone().cancelled_owned());
    let answer = Answer { body, draining, deadline: left.map(|_| clock), call, place, frames: 0, ended: false };
    Response::from_parts(parts, Body::new(answer))
}

impl House {
    async fn handle(
        &self,
        mut request: Request,
        next: Next,
    ) -> Result<(Response, Option<OwnedSemaphorePermit>), Status> {
        // A server that sheds is alive and ready: its probes must not be shed with the rest.
        let probe = request.uri().path().starts_with("/grpc.health.v1.Health/");
        let _place = if probe { None } else { Some(take(&self.calls)?) };
        if let Some(caller) = self.gate.admit(request.uri().path(), request.headers())? {
            request.extensions_mut().insert(caller);
        }
        if let Some((service, _)) = request.uri().path().trim_start_matches('/').split_once('/')
            && self.health.is_behind(service).await
        {
            return Err(mend::not_ready());
        }
        let response = next.run(request).await;
        let place = if probe || response.body().is_end_stream() { None } else { Some(take(&self.answers)?) };
        Ok((response, place))
    }
}

fn take(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refused> {
    Arc::clone(places).try_acquire_owned().map_err(|_| {
        Refused::new(Code::Unavailable, "OVERLOADED", "the server has as many calls in hand as it takes")
            .retry_after_secs(1)
    })
}

/// The future's answer, or INTERNAL if it panicked; the panic's text is in the log of the panic hook.
async fn unpanicked<T>(future: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(refuse::internal("a handler panicked"))))
    })
    .await
}
