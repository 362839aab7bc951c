//! Business time: the machine's, scaled from an anchor, or moved by hand. The only place that asks the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use decider::Micros;

/// How business time follows the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The machine's clock at the anchor, microseconds.
    pub machine_us: Micros,
    /// The business clock at the anchor, microseconds.
    pub business_us: Micros,
    /// Business microseconds a thousand machine microseconds, until `until_us`.
    pub scale_permille: u32,
    /// Business time from which on the clock runs at 1×.
    pub until_us: Micros,
}

impl Anchor {
    fn business(&self, machine_us: Micros) -> Micros {
        let elapsed = (machine_us - self.machine_us).max(0);
        let scaled = self.business_us.saturating_add(elapsed.saturating_mul(self.scale_permille.into()) / 1000);
        if scaled <= self.until_us {
            return scaled;
        }
        self.until_us.max(self.business_us) + (elapsed - self.scaled_span_us()).max(0)
    }

    /// Machine microseconds during which the scale holds.
    fn scaled_span_us(&self) -> Micros {
        (self.until_us - self.business_us).max(0).saturating_mul(1000) / Micros::from(self.scale_permille.max(1))
    }

    /// Machine microseconds from `now` until business time reaches `at`.
    fn wait_us(&self, now: Micros, at: Micros) -> Micros {
        let scaled =
            (at.min(self.until_us) - now).max(0).saturating_mul(1000) / Micros::from(self.scale_permille.max(1));
        scaled + (at - now.max(self.until_us)).max(0)
    }
}

/// The business clock.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Machine,
    Anchored(Anchor),
    Hand(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's own time.
    pub fn machine() -> Self {
        Self(Kind::Machine)
    }

    /// Scaled time, going on from an anchor.
    pub fn anchored(anchor: Anchor) -> Self {
        Self(Kind::Anchored(anchor))
    }

    /// Time that stands still until it is moved.
    pub fn by_hand(start: Micros) -> Self {
        Self(Kind::Hand(Arc::new(AtomicI64::new(start))))
    }

    /// Business time now.
    pub fn now(&self) -> Micros {
        match &self.0 {
            Kind::Machine => machine_now(),
            Kind::Anchored(anchor) => anchor.business(machine_now()),
            Kind::Hand(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a clock that is moved by hand forward; never back. Others do not listen.
    pub fn advance(&self, to: Micros) {
        if let Kind::Hand(now) = &self.0 {
            now.fetch_max(to, Ordering::SeqCst);
        }
    }

    /// Business time so much machine time after `now`, at the latest.
    pub fn after(&self, now: Micros, duration: Duration) -> Micros {
        let machine_us = Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX);
        now.saturating_add(match &self.0 {
            Kind::Anchored(anchor) => machine_us.saturating_mul(anchor.scale_permille.max(1_000).into()) / 1_000,
            Kind::Machine | Kind::Hand(_) => machine_us,
        })
    }

    /// Machine time to wait until business time has passed `at`, at most `bound`.
    pub fn wait(&self, at: Micros, bound: Duration) -> Duration {
        let now = self.now();
        let wait_us = match &self.0 {
            Kind::Anchored(anchor) => anchor.wait_us(now, at),
            Kind::Machine | Kind::Hand(_) => at - now,
        };
        Duration::from_micros(u64::try_from(wait_us).unwrap_or(0) + 1).min(bound)
    }
}

/// Microseconds since the epoch by the machine's clock: for leases, tokens and anchors.
#[expect(clippy::disallowed_methods, reason = "the one place where the machine is asked for its time")]
pub fn machine_now() -> Micros {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(elapsed.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Anchor = Anchor { machine_us: 1_000, business_us: 50_000, scale_permille: 10_000, until_us: 150_000 };

    #[test]
    fn runs_ten_times_as_fast_until_its_end_and_then_at_one() {
        assert_eq!(FAST.business(1_000), 50_000);
        assert_eq!(FAST.business(6_000), 100_000);
        assert_eq!(FAST.business(11_000), 150_000);
        assert_eq!(FAST.business(11_500), 150_500);
        assert_eq!(FAST.business(0), 50_000, "a machine clock set back does not turn business time back");
    }

    #[test]
    fn so_much_later_is_more_where_time_runs_faster() {
        let ten = Duration::from_micros(10);
        assert_eq!((Clock::anchored(FAST).after(50_000, ten), Clock::by_hand(0).after(50_000, ten)), (50_100, 50_010));
    }

    #[test]
    fn waits_as_long_as_business_time_needs() {
        assert_eq!(FAST.wait_us(50_000, 100_000), 5_000);
        assert_eq!(FAST.wait_us(100_000, 160_000), 5_000 + 10_000);
        assert_eq!(FAST.wait_us(200_000, 201_000), 1_000);
        assert_eq!(FAST.wait_us(200_000, 100_000), 0);
    }

    #[test]
    fn moves_by_hand_and_never_back() {
        let clock = Clock::by_hand(10);
        clock.advance(20);
        clock.advance(15);
        assert_eq!(clock.now(), 20);
    }
}
