//! Metrics: OpenTelemetry instruments of one process, rendered for a Prometheus scrape.
//!
//! Labels are static text: no tenant, person or ticket can become one.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{self, Meter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use tokio::time::Instant;
use tonic::Code;

/// A metric: what OpenTelemetry calls it, what it tells, its unit (UCUM: `s`, `By`, `{ticket}`).
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Dotted name, as `sla.clock.lateness`.
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// The unit.
    pub unit: &'static str,
}

/// Names and values of labels.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// The name of the one scope of all instruments.
const SCOPE: &str = "docket";

/// How long a call took, from its arrival to the end of its answer.
pub const CALL_DURATION: Metric = Metric {
    name: "rpc.server.call.duration",
    description: "How long a call took, from its arrival to the end of its answer.",
    unit: "s",
};
/// Upper bounds of the buckets of `rpc.server.call.duration`, seconds, as the semantic conventions advise.
const CALL_BOUNDS_SECS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The instruments of one process; clones share them.
#[derive(Clone)]
pub struct Telemetry {
    registry: Registry,
    /// Kept, since the last one dropped would close the exporter.
    provider: SdkMeterProvider,
    calls: Timing,
}

impl Telemetry {
    /// Instruments of their own, unknown to any global.
    pub fn new() -> Result<Self, OTelSdkError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_target_info()
            // One process, one scope: its name on every series would tell nothing.
            .scope_info_enabled(false)
            .build()?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let calls = timing(&provider.meter(SCOPE), CALL_DURATION, &CALL_BOUNDS_SECS);
        Ok(Self { registry, provider, calls })
    }

    /// A count that only grows.
    pub fn counter(&self, metric: Metric) -> Counter {
        let meter = self.provider.meter(SCOPE);
        let builder = meter.u64_counter(metric.name).with_description(metric.description);
        Counter(builder.with_unit(metric.unit).build())
    }

    /// A distribution of durations, by buckets with the given upper bounds in seconds.
    pub fn timing(&self, metric: Metric, bounds_secs: &[f64]) -> Timing {
        timing(&self.provider.meter(SCOPE), metric, bounds_secs)
    }

    /// A value read whenever it is scraped; `read` must be quick. The same metric may be registered once per labels.
    pub fn gauge(&self, metric: Metric, labels: Labels<'_>, read: impl Fn() -> i64 + Send + Sync + 'static) {
        let labels = key_values(labels);
        let meter = self.provider.meter(SCOPE);
        let builder = meter.i64_observable_gauge(metric.name).with_description(metric.description);
        // The meter keeps the callback; the handle is of no further use.
        let _ = builder.with_unit(metric.unit).with_callback(move |seen| seen.observe(read(), &labels)).build();
    }

    /// Everything measured so far, in Prometheus' text format.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Starts measuring a call; a method that no table knows is counted as `_OTHER`.
    pub(crate) fn call(&self, method: Option<&'static str>) -> Call {
        Call { calls: self.calls.clone(), method: method.unwrap_or("_OTHER"), started: Instant::now(), code: None }
    }
}

fn timing(meter: &Meter, metric: Metric, bounds_secs: &[f64]) -> Timing {
    let builder = meter.f64_histogram(metric.name).with_description(metric.description).with_unit(metric.unit);
    Timing(builder.with_boundaries(bounds_secs.to_vec()).build())
}

fn key_values(labels: Labels<'_>) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| KeyValue::new(*name, (*value).to_owned())).collect()
}

/// A count that only grows.
#[derive(Clone)]
pub struct Counter(metrics::Counter<u64>);

impl Counter {
    /// Counts `amount` more.
    pub fn add(&self, amount: u64, labels: Labels<'_>) {
        self.0.add(amount, &key_values(labels));
    }
}

/// A distribution of durations.
#[derive(Clone)]
pub struct Timing(metrics::Histogram<f64>);

impl Timing {
    /// Counts one duration.
    pub fn record(&self, duration: Duration, labels: Labels<'_>) {
        self.0.record(duration.as_secs_f64(), &key_values(labels));
    }
}

/// A call being measured; it is counted when dropped, as CANCELLED if its answer never ended.
pub(crate) struct Call {
    calls: Timing,
    method: &'static str,
    started: Instant,
    pub(crate) code: Option<Code>,
}

impl Drop for Call {
    fn drop(&mut self) {
        let code = code_name(self.code.unwrap_or(Code::Cancelled));
        self.calls.record(self.started.elapsed(), &[("rpc.method", self.method), ("rpc.response.status_code", code)]);
    }
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Metric = Metric { name: "projection.lag", description: "Events not folded yet.", unit: "{event}" };

    #[test]
    fn gauges_of_one_name_differ_by_labels() {
        let telemetry = Telemetry::new().unwrap();
        telemetry.gauge(LAG, &[("service", "intake")], || 3);
        telemetry.gauge(LAG, &[("service", "analytics")], || 4);
        let text = telemetry.render().unwrap();
        for line in [r#"service="intake"} 3"#, r#"service="analytics"} 4"#] {
            assert!(text.lines().any(|l| l.starts_with("projection_lag") && l.ends_with(line)), "{text}");
        }
    }

    #[test]
    fn a_call_nobody_waited_for_is_cancelled() {
        let telemetry = Telemetry::new().unwrap();
        drop(telemetry.call(None));
        let text = telemetry.render().unwrap();
        assert!(text.contains(r#"rpc_method="_OTHER",rpc_response_status_code="CANCELLED""#), "{text}");
    }

    #[test]
    fn counters_and_timings_are_rendered() {
        let telemetry = Telemetry::new().unwrap();
        let metric = |name, unit| Metric { name, description: "d", unit };
        telemetry.counter(metric("sla.breaches", "{breach}")).add(2, &[]);
        telemetry.timing(metric("sla.clock.lateness", "s"), &[1.0, 60.0]).record(Duration::from_secs(5), &[]);
        let text = telemetry.render().unwrap();
        assert!(text.lines().any(|line| line.starts_with("sla_breaches") && line.ends_with(" 2")), "{text}");
        assert!(
            text.lines().any(|l| l.starts_with("sla_clock_lateness_seconds_bucket") && l.ends_with("le=\"60\"} 1")),
            "{text}"
        );
    }
}
