//! `docket engineer`: who is there, and who is on duty.

use std::process::ExitCode;

use proto::dispatch::v1::{EndDutyRequest, Engineer, ListEngineersRequest, OffDutyReason, StartDutyRequest};

use crate::cli::At;
use crate::cli::field::{Engineer as Command, OffDuty};
use crate::client::{Client, explain};
use crate::out;
use crate::tickets::{instant, moment};

pub(crate) async fn run(at: &At, command: &Command) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    let request_id = String::new();
    match command {
        Command::List => list(&client).await?,
        Command::On { subject, until } => {
            let until_time = until.as_deref().map(instant).transpose()?;
            let request = StartDutyRequest { engineer: subject.clone(), until_time, request_id };
            client.dispatch().start_duty(request).await.map_err(|status| explain(&status))?;
        }
        Command::Off { subject, reason, back } => {
            let reason = match reason {
                OffDuty::ShiftOver => OffDutyReason::ShiftOver,
                OffDuty::Sick => OffDutyReason::Sick,
                OffDuty::Left => OffDutyReason::Left,
            };
            let back_time = back.as_deref().map(instant).transpose()?;
            let request = EndDutyRequest { engineer: subject.clone(), reason: reason.into(), back_time, request_id };
            client.dispatch().end_duty(request).await.map_err(|status| explain(&status))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let mut rows =
        vec![["ENGINEER", "STATUS", "AHEAD", "BACK", "REGIONS", "TEAMS", "SKILLS"].map(str::to_owned).to_vec()];
    let mut page_token = String::new();
    loop {
        let request = ListEngineersRequest { page_size: 1_000, page_token, min_position: String::new() };
        let answer = client.dispatch().list_engineers(request).await.map_err(|status| explain(&status))?.into_inner();
        rows.extend(answer.engineers.iter().map(row));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    out::say(out::table(&rows));
    Ok(())
}

fn row(engineer: &Engineer) -> Vec<String> {
    let skills = engineer.skills.iter().map(|(skill, level)| format!("{skill} {level}"));
    vec![
        engineer.subject.clone(),
        engineer.status().as_str_name().trim_start_matches("ENGINEER_STATUS_").to_lowercase(),
        engineer.visits_ahead.to_string(),
        moment(engineer.off_until_time.as_ref()),
        engineer.regions.join(","),
        engineer.teams.join(","),
        skills.collect::<Vec<_>>().join(", "),
    ]
}
