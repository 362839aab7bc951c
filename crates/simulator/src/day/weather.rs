//! What befalls the company: a mail server that is out for a while, engineers who fall ill.

use std::sync::Arc;

use proto::analytics::v1::GetServiceReportRequest;
use proto::dispatch::v1::{EngineerStatus, ListEngineersRequest, Visit, VisitState};

use super::engineer::work;
use super::field::is_under_way;
use super::person::Person;
use super::plan::{MINUTE_US, chance};
use super::stage::{Stage, explain, patiently};
use super::verb::{Verb, Wish, micros};

/// The mail server is out from this minute of the day on,
const OUTAGE_FROM: i64 = 330;
/// at least for so many minutes, until it refused something,
const OUTAGE_LEAST: i64 = 12;
/// and at most for so many.
const OUTAGE_MOST: i64 = 90;
/// Engineers fall ill from this minute of the day on
const ILL_FROM: i64 = 90;
/// until this one,
const ILL_UNTIL: i64 = 420;
/// so many of them,
const ILL: usize = 2;
/// and up to so many until a visit of theirs had to go to somebody else.
const ILL_MOST: usize = 8;

/// Has the mail and webhook server refuse everything for some minutes of the afternoon.
pub(crate) async fn outage(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (sign, refused) = (stage.setting.sink.join("outage"), stage.setting.sink.join("refused.tsv"));
    let at = |minute: i64| stage.setting.start_us + minute * MINUTE_US;
    loop {
        let now = stage.clock().now();
        let refusals = std::fs::metadata(&refused).is_ok_and(|file| file.len() > 0);
        let over = now >= at(OUTAGE_MOST + OUTAGE_FROM) || refusals && now >= at(OUTAGE_FROM + OUTAGE_LEAST);
        if over {
            if sign.exists() {
                std::fs::remove_file(&sign)?;
            }
            return std::future::pending().await;
        }
        if now >= at(OUTAGE_FROM) && !sign.exists() {
            std::fs::write(&sign, "")?;
        }
        stage.wait(now.max(at(OUTAGE_FROM) - MINUTE_US) + MINUTE_US).await;
    }
}

/// Has engineers fall ill who were asked, or took something on, and have not begun it.
pub(crate) async fn illness(stage: Arc<Stage>) -> anyhow::Result<()> {
    let at = |minute: i64| stage.setting.start_us + minute * MINUTE_US;
    let mut weak: Vec<_> = stage.people.engineers.iter().collect();
    chance(stage.setting.seed, "illness").shuffle(&mut weak);
    while stage.clock().now() < at(ILL_FROM) {
        stage.wait(at(ILL_FROM)).await;
    }
    while stage.clock().now() < at(ILL_UNTIL) && more_fall_ill(&stage).await? {
        for person in &weak {
            if falls_ill(&stage, person).await? {
                break;
            }
        }
        stage.wait(stage.clock().now() + 2 * MINUTE_US).await;
    }
    std::future::pending().await
}

/// Whether more do: one who sets out or declines at the very moment leaves nothing behind.
async fn more_fall_ill(stage: &Stage) -> anyhow::Result<bool> {
    let ill = ill(stage).await?;
    if !(ILL..ILL_MOST).contains(&ill) {
        return Ok(ill < ILL);
    }
    let reader = stage.people.reader()?;
    let report = || async { reader.analytics().get_service_report(GetServiceReportRequest::default()).await };
    let answer = patiently(report).await;
    let report = answer.map_err(|status| explain(&status))?.into_inner().report.unwrap_or_default();
    Ok(!report.visits.unwrap_or_default().released.contains_key("off_duty"))
}

/// How many are off duty.
async fn ill(stage: &Stage) -> anyhow::Result<usize> {
    let reader = stage.people.reader()?;
    let asked = || ListEngineersRequest { page_size: 1_000, ..ListEngineersRequest::default() };
    let listed = patiently(|| async { reader.dispatch().list_engineers(asked()).await }).await;
    let answer = listed.map_err(|status| explain(&status))?.into_inner();
    Ok(answer.engineers.iter().filter(|engineer| engineer.status() == EngineerStatus::Off).count())
}

async fn falls_ill(stage: &Stage, person: &Person) -> anyhow::Result<bool> {
    let now = stage.clock().now();
    let visits = work(person, "").await?.unwrap_or_default();
    let ahead = |visit: &Visit| match visit.state() {
        VisitState::Offered => micros(visit.respond_by_time.as_ref()) > now,
        VisitState::Accepted => micros(visit.depart_time.as_ref()) > now,
        _ => false,
    };
    if visits.iter().any(is_under_way) || !visits.iter().any(ahead) {
        return Ok(false);
    }
    let (step, target) = ("ill".to_owned(), String::new());
    let wish = Wish { due: now, step, target, occurred_at: None, verb: Verb::FallIll };
    Ok(stage.perform(person, &wish).await?.is_some())
}
