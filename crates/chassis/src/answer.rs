//! The body of an answer: it ends in time, also when its stream would not, and its code is counted when it has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;

use crate::deadline::Deadline;
use crate::mend;
use crate::refuse;
use crate::telemetry::Call;

/// A body that is cut, with a status, when the server drains or the caller's deadline passes. An answer of one
/// message that is ready is never cut: the end comes while the stream has nothing to say, or between its messages.
pub(crate) struct Answer {
    pub(crate) body: Body,
    pub(crate) draining: Pin<Box<WaitForCancellationFutureOwned>>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) call: Call,
    pub(crate) place: Option<OwnedSemaphorePermit>,
    pub(crate) frames: u64,
    pub(crate) ended: bool,
}

impl Answer {
    fn cut(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        if self.draining.as_mut().poll(cx).is_ready() {
            return Some(mend::shutting_down());
        }
        let deadline = self.deadline.as_mut()?;
        deadline.poll(cx).is_ready().then(mend::deadline_exceeded)
    }

    fn end(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut trailers = HeaderMap::new();
        self.call.code = mend::write(status, &mut trailers);
        self.close();
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    /// Drops the service's stream and gives the place back at once, not when the connection gets round to it.
    fn close(&mut self) {
        self.ended = true;
        self.body = Body::empty();
        self.place = None;
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        // One frame is a unary answer, whose trailers are still to come; more are a stream, which may never pause.
        if this.frames > 1
            && let Some(status) = this.cut(cx)
        {
            return this.end(&status);
        }
        let body = &mut this.body;
        let Ok(frame) = catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx))) else {
            return this.end(&refuse::internal("a stream panicked"));
        };
        match frame {
            Poll::Pending => match this.cut(cx) {
                Some(status) => this.end(&status),
                None => Poll::Pending,
            },
            Poll::Ready(Some(Ok(mut frame))) => {
                this.frames += 1;
                if let Some(trailers) = frame.trailers_mut() {
                    this.call.code = mend::mend(trailers);
                    this.close();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            end @ Poll::Ready(_) => {
                this.close();
                end
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
