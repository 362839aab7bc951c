//! The caller's deadline, kept by the server itself: it comes before tonic's own, which would answer CANCELLED.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, HeaderMap, Request};
use tokio::time::{Instant, Sleep, sleep_until};

/// By how much our deadline comes before tonic's. Tonic polls us first, so ours is found passed first unless the thread
/// is held up for longer than this between the two looks at the clock.
const LEAD: Duration = Duration::from_millis(5);

/// When a request arrived: noted before tonic's own clock starts, which is before anything of ours is polled.
#[derive(Clone, Copy)]
struct Arrival(Instant);

/// Notes in the request that it arrived now.
pub(crate) fn note_arrival<B>(mut request: Request<B>) -> Request<B> {
    request.extensions_mut().insert(Arrival(Instant::now()));
    request
}

/// An instant to be waited for.
pub(crate) struct Deadline {
    at: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    /// `left` after the arrival of the request these extensions belong to.
    pub(crate) fn after_arrival(extensions: &Extensions, left: Duration) -> Self {
        let arrival = extensions.get::<Arrival>().map_or_else(Instant::now, |arrival| arrival.0);
        let at = arrival + left;
        Self { at, sleep: Box::pin(sleep_until(at)) }
    }

    /// Whether it has passed. The clock itself is asked, since the timer may not have turned for a while.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at { Poll::Ready(()) } else { self.sleep.as_mut().poll(cx) }
    }
}

/// The time a caller leaves for the answer, from `grpc-timeout` (at most eight digits and a unit); a malformed one is
/// as good as none, as tonic has it.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    let left = match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    };
    Some(left.saturating_sub(LEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_every_unit() {
        let read =
            |text: &str| timeout(&HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), text.parse().unwrap())]));
        let lead = |left: Duration| left.checked_sub(LEAD);
        assert_eq!(read("2H"), lead(Duration::from_hours(2)));
        assert_eq!(read("3M"), lead(Duration::from_mins(3)));
        assert_eq!(read("4S"), lead(Duration::from_secs(4)));
        assert_eq!(read("50m"), lead(Duration::from_millis(50)));
        assert_eq!(read("6000u"), lead(Duration::from_millis(6)));
        assert_eq!(read("99999999n"), lead(Duration::from_nanos(99_999_999)));
        assert_eq!(read("1m"), Some(Duration::ZERO));
        for malformed in ["", "S", "5", "5s", "+5S", "123456789S", "é"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }

    #[tokio::test]
    async fn the_time_runs_from_the_arrival() {
        let mut extensions = Extensions::new();
        extensions.insert(Arrival(Instant::now().checked_sub(Duration::from_mins(1)).unwrap()));
        let passed = |left| {
            let mut deadline = Deadline::after_arrival(&extensions, left);
            deadline.poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
        };
        assert!(passed(Duration::from_secs(59)));
        assert!(!passed(Duration::from_secs(90)));
    }
}
