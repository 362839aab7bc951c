//! `docket inbox`: what somebody is told, and their answer.

use std::process::ExitCode;

use proto::notifier::v1::{AcknowledgeReminderRequest, ListInboxRequest, Reminder};

use crate::cli::At;
use crate::cli::field::Inbox;
use crate::client::{Client, explain};
use crate::out;
use crate::tickets::moment;

pub(crate) async fn run(at: &At, args: &Inbox) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    if let Some(reminder) = args.acknowledge.clone() {
        let request = AcknowledgeReminderRequest { reminder, request_id: String::new() };
        client.notifier().acknowledge_reminder(request).await.map_err(|status| explain(&status))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["REMINDER", "STATE", "PLANNED", "ANSWER BY", "SUBJECT"].map(str::to_owned).to_vec()];
    let mut page_token = String::new();
    while rows.len() <= args.limit {
        let page_size = i32::try_from((args.limit + 1 - rows.len()).min(1_000))?;
        let request = ListInboxRequest { unread: args.unread, page_size, page_token, min_position: String::new() };
        let answer = client.notifier().list_inbox(request).await.map_err(|status| explain(&status))?.into_inner();
        rows.extend(answer.reminders.iter().map(row));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    out::say(out::table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn row(reminder: &Reminder) -> Vec<String> {
    vec![
        reminder.name.clone(),
        reminder.state().as_str_name().trim_start_matches("REMINDER_STATE_").to_lowercase(),
        moment(reminder.plan_time.as_ref()),
        moment(reminder.answer_by_time.as_ref()),
        reminder.subject.clone(),
    ]
}
