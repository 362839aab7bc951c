//! The bus as a process uses it: the tail its services read the newest rows from, the relay that fills the streams.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chassis::telemetry::Metric;
use eventlog::bus::relay::Report;
use eventlog::bus::tail::{self, Tail};
use eventlog::bus::{Bus, Relay, Rendering, Shape};
use eventlog::outside::{self, Keeper, Outsiders, Shown};
use tokio::sync::watch;
use tokio::time::sleep;

use super::STREAM_REPLICAS;
use super::house::House;

/// The name a relay's health is told under.
pub(super) const RELAY: &str = "relay";

const POSITION: Metric =
    Metric { name: "docket.relay.position", description: "The last position a stream took.", unit: "{event}" };
const OLDEST: Metric = Metric {
    name: "docket.relay.oldest",
    description: "For how long, in business time, the oldest event has waited that is not in the stream.",
    unit: "s",
};
const HALTED: Metric =
    Metric { name: "docket.relay.halted", description: "1 while a relay stands still until a human acts.", unit: "" };

const PARKED: Metric = Metric {
    name: "docket.outside.parked",
    description: "Messages of the last 30 days no subscriber's program ever acknowledged.",
    unit: "{message}",
};

/// How often it is looked whether a relay halted.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A measure of a tail.
type Measure = (Metric, fn(&tail::Report) -> i64);

/// What is measured of a tail.
const TAIL: [Measure; 4] = [
    (
        Metric { name: "docket.tail.position", description: "The last position the bus told.", unit: "{event}" },
        |report| report.position,
    ),
    (
        Metric { name: "docket.tail.consumers", description: "How often the consumer was made.", unit: "{consumer}" },
        |report| i64::try_from(report.consumers).unwrap_or(i64::MAX),
    ),
    (
        Metric {
            name: "docket.tail.gaps",
            description: "How often the log filled what the bus lacked.",
            unit: "{gap}",
        },
        |report| i64::try_from(report.gaps).unwrap_or(i64::MAX),
    ),
    (
        Metric {
            name: "docket.tail.unreadable",
            description: "Messages that were no rows of this log, or did not fit into it.",
            unit: "{message}",
        },
        |report| i64::try_from(report.unreadable).unwrap_or(i64::MAX),
    ),
];

impl House {
    /// Follows the stream of our own services with the tail the log was opened with.
    pub(super) fn follow(&mut self, tail: Arc<Tail>, bus: Bus, shape: Shape) {
        for (metric, read) in TAIL {
            let report = tail.report();
            self.telemetry.gauge(metric, &[], move || read(&report.borrow()));
        }
        let log = Arc::clone(&self.log);
        self.lifecycle.back("tail", |stop| async move {
            tail.follow(&log, &bus, &shape, stop).await;
            Ok::<_, Infallible>(())
        });
    }

    /// Relays the log into a stream, as this rendering tells it; answers how that is doing.
    pub(super) fn relay<R>(&mut self, bus: Bus, shape: Shape, rendering: R) -> watch::Receiver<Report>
    where
        R: Rendering + 'static,
    {
        let stream = shape.name.clone();
        let labels = [("stream", stream.as_str())];
        let relay = Relay::new(Arc::clone(&self.log), bus, shape, rendering);
        let report = relay.report();
        self.telemetry.gauge(POSITION, &labels, move || report.borrow().position);
        let (report, clock) = (relay.report(), self.clock.clone());
        let oldest = move || report.borrow().oldest_us.map_or(0, |since| (clock.now() - since).max(0) / 1_000_000);
        self.telemetry.gauge(OLDEST, &labels, oldest);
        let report = relay.report();
        self.telemetry.gauge(HALTED, &labels, move || i64::from(report.borrow().halted.is_some()));
        let report = relay.report();
        self.lifecycle.back("relay", |stop| async move {
            relay.run(stop).await;
            Ok::<_, Infallible>(())
        });
        report
    }

    /// Relays the log into the outsiders' stream and keeps their consumers; answers how the relaying is doing.
    pub(super) fn tell_outsiders(&mut self, bus: &Bus, outsiders: &Outsiders) -> watch::Receiver<Report> {
        let log = || Arc::clone(&self.log);
        let keeper = Keeper::new(log(), bus.clone(), outsiders.clone(), STREAM_REPLICAS);
        let (shown, shape) = (Shown::new(log(), outsiders), outside::shape(STREAM_REPLICAS));
        let report = keeper.report();
        let parked = move || i64::try_from(report.borrow().parked).unwrap_or(i64::MAX);
        self.telemetry.gauge(PARKED, &[], parked);
        self.lifecycle.back("outsiders", |stop| async move {
            keeper.run(stop).await;
            Ok::<_, Infallible>(())
        });
        self.relay(bus.clone(), shape, shown)
    }

    /// A process of which a relay halted is not ready.
    pub(super) fn watch_relays(&mut self, reports: Vec<watch::Receiver<Report>>) {
        let health = self.health.clone();
        self.lifecycle.back("relay health", |stop| async move {
            while !stop.is_cancelled() {
                let halted = reports.iter().any(|report| report.borrow().halted.is_some());
                health.set_ready(RELAY, !halted).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
            Ok::<_, Infallible>(())
        });
    }
}
