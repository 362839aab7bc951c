//! Business time of a log: kept in the log itself, so that a restart goes on from it.

use decider::{Guards, Micros, Tenant};
use eventlog::append::{Append, NewEvent};
use eventlog::clock::{Anchor, machine_now};
use eventlog::service::recorded;
use eventlog::store::Select;
use eventlog::{Clock, Log};
use ticket::house::HouseEvent;
use ticket::{Event, codec, stream};
use uuid::Uuid;

/// Anchors a log may have: one for each restart while time was scaled.
const MAX_ANCHORS: i64 = 1_000;

/// A stretch of business time that runs faster.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Business time at the beginning.
    pub start_us: Micros,
    /// Business time from which on the clock runs at 1×.
    pub until_us: Micros,
    /// Business microseconds a thousand machine microseconds.
    pub permille: u32,
}

/// The business clock of a log, and when its business time began if it was ever scaled.
///
/// A log that was broken off while its time was scaled goes on where it stopped, not where it would be by now: if this
/// process owns it. All others take the time that its last anchor says.
pub(crate) async fn clock(log: &Log, scale: Option<Scale>, owns: bool) -> anyhow::Result<(Clock, Option<Micros>)> {
    let anchors = anchors(log).await?;
    let began_at = anchors.first().map(|anchor| anchor.business_us);
    let head = log.head().await?;
    let anchor = match (anchors.last(), scale) {
        (Some(last), _) if head.recorded_us < last.until_us && owns => {
            Anchor { machine_us: machine_now(), business_us: head.recorded_us.max(last.business_us), ..*last }
        }
        (Some(last), _) => return Ok((Clock::anchored(*last), began_at)),
        (None, Some(scale)) if head.position == 0 => Anchor {
            machine_us: machine_now(),
            business_us: scale.start_us,
            scale_permille: scale.permille,
            until_us: scale.until_us,
        },
        (None, _) => return Ok((Clock::machine(), None)),
    };
    note(log, anchor).await?;
    Ok((Clock::anchored(anchor), began_at.or(Some(anchor.business_us))))
}

async fn anchors(log: &Log) -> anyhow::Result<Vec<Anchor>> {
    let select =
        Select::Stream { tenant: Tenant::system().as_str().into(), stream: stream::service("clock").as_str().into() };
    let rows = log.read(&select, None, 0, MAX_ANCHORS).await?;
    let anchor = |event| match event {
        Event::House(HouseEvent::ClockAnchored { machine_us, business_us, scale_permille, until_us }) => {
            Some(Anchor { machine_us, business_us, scale_permille, until_us })
        }
        _ => None,
    };
    let events = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
    Ok(events.into_iter().filter_map(|recorded| anchor(recorded.event)).collect())
}

async fn note(log: &Log, anchor: Anchor) -> anyhow::Result<()> {
    let Anchor { machine_us, business_us, scale_permille, until_us } = anchor;
    let event = HouseEvent::ClockAnchored { machine_us, business_us, scale_permille, until_us };
    let (kind, body) = codec::encode(&Event::House(event))?;
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("clock/{machine_us}").as_bytes());
    log.append(Append {
        tenant: Tenant::system(),
        actor: "service/clock".into(),
        request,
        content: request.as_bytes().to_vec(),
        causation: None,
        trace: String::new(),
        now: business_us,
        occurred_at: business_us,
        holds_until: None,
        guards: Guards::new(),
        events: vec![NewEvent { stream: stream::service("clock"), kind, body }],
    })
    .await?;
    Ok(())
}
