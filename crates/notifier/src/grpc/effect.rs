//! The effect of reminders on the wire.

use std::sync::Arc;

use chassis::refuse::internal;
use chassis::wire::micros;
use proto::notifier::v1 as pb;
use tonic::Status;

use super::parse::Who;
use super::{Grpc, render};
use crate::effect::{self, Ends, Row};

impl Grpc {
    pub(super) async fn effect(
        &self,
        who: Who,
        asked: pb::GetReminderEffectRequest,
    ) -> Result<pb::GetReminderEffectResponse, Status> {
        let start = micros("start_time", asked.start_time)?.unwrap_or(i64::MIN);
        let end = micros("end_time", asked.end_time)?.unwrap_or(i64::MAX);
        let log_position = self.reached(&asked.min_position).await?;
        let notifier = Arc::clone(&self.notifier);
        // Away from the threads that serve, since many reminders take a while.
        let counting = move || notifier.view(|state| effect::effect(state, &who.tenant, (start, end)));
        let found = tokio::task::spawn_blocking(counting).await.map_err(internal)?;
        let rows = found.rows.into_iter().map(row).collect();
        Ok(pb::GetReminderEffectResponse { total: Some(ends(found.total)), rows, log_position })
    }
}

fn row(row: Row) -> pb::ReminderEffect {
    let medium = render::medium(row.medium).into();
    pb::ReminderEffect { rule: row.rule, medium, hours: row.hours.into(), ends: Some(ends(row.ends)) }
}

fn ends(counted: Ends) -> pb::ReminderEnds {
    let int = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    pb::ReminderEnds {
        acted_on: int(counted.acted_on),
        never_delivered: int(counted.never_delivered),
        read: int(counted.read),
        unread: int(counted.unread),
        put_off: int(counted.put_off),
        superseded: int(counted.superseded),
        open: int(counted.open),
        useful: int(counted.judged[0]),
        not_useful: int(counted.judged[1]),
        wrong_person: int(counted.judged[2]),
    }
}
