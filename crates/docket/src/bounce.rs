//! `docket bounce`: a mail that came back, as the mail system says it (RFC 3464), told to notifier.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use proto::notifier::v1::ReportBounceRequest;

use crate::cli::At;
use crate::client::{Client, explain};
use crate::out;

/// The longest notification read, bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a notification says.
#[derive(Debug, PartialEq, Eq)]
struct Notification {
    /// The Message-ID of the mail it is about.
    message_id: String,
    /// The status with which it failed for good; nothing if it did not.
    failed: Option<String>,
}

pub(crate) async fn run(at: &At, file: &Path) -> anyhow::Result<ExitCode> {
    let bytes = read(file)?;
    let said = notification(&bytes).context("this is no delivery status notification about a mail of ours")?;
    let Some(status) = said.failed else {
        out::say(format!("{} did not fail", said.message_id));
        return Ok(ExitCode::SUCCESS);
    };
    let client = Client::connect(at).await?;
    let message_id = said.message_id.clone();
    let request = ReportBounceRequest { message_id, status: status.clone(), request_id: String::new() };
    let answer = client.notifier().report_bounce(request).await.map_err(|status| explain(&status))?.into_inner();
    let reminder = answer.reminder.unwrap_or_default();
    out::say(format!("{} came back with {status}: {}", said.message_id, reminder.name));
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a file, or of standard input for `-`.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let all = if file == Path::new("-") {
        std::io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    let all = all.with_context(|| format!("reading {}", file.display()))?;
    ensure!(u64::try_from(all)? <= MAX_BYTES, "a notification has at most {MAX_BYTES} bytes");
    Ok(bytes)
}

/// Reads a notification: the status of each recipient, and the head of the mail that came back.
fn notification(bytes: &[u8]) -> Option<Notification> {
    let report = MessageParser::default().parse(bytes)?;
    let mut statuses = None;
    let mut message_id = None;
    for part in &report.parts {
        let kind = part.content_type().and_then(|kind| Some((kind.ctype(), kind.subtype()?)));
        match (kind, &part.body) {
            (Some(("message", "delivery-status" | "global-delivery-status")), body) => statuses = text(body),
            (Some(("text", "rfc822-headers")), body) => {
                let text = text(body)?;
                message_id = head(&text).and_then(|head| head.message_id().map(str::to_owned));
            }
            (_, PartType::Message(returned)) => message_id = returned.message_id().map(str::to_owned),
            _ => {}
        }
    }
    let blocks = statuses?.replace("\r\n", "\n");
    let failed = blocks.split("\n\n").find_map(|block| {
        let head = head(block)?;
        let action = field(&head, "Action")?;
        action.eq_ignore_ascii_case("failed").then(|| field(&head, "Status")).flatten()
    });
    Some(Notification { message_id: message_id?, failed })
}

fn text(body: &PartType<'_>) -> Option<String> {
    match body {
        PartType::Text(text) => Some(text.clone().into_owned()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        PartType::Message(message) => Some(String::from_utf8_lossy(message.raw_message()).into_owned()),
        PartType::Html(_) | PartType::Multipart(_) => None,
    }
}

/// The fields of a block.
fn head(block: &str) -> Option<Message<'_>> {
    MessageParser::default().parse_headers(block.trim_start())
}

/// The first word of a field: what follows is a comment.
fn field(head: &Message<'_>, name: &str) -> Option<String> {
    head.header_raw(name)?.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dsn(action: &str, returned: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example.org\r\nTo: docket@example.org\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
             Final-Recipient: rfc822; ann@example.org\r\nAction: {action}\r\nStatus: 5.1.1 (no such user)\r\n\r\n\
             --b\r\nContent-Type: {returned}\r\n\r\n\
             Message-ID: <0195.email@example.org>\r\nSubject: Late\r\n\r\n--b--\r\n"
        )
    }

    /// Proves part of: N1, N7
    #[test]
    fn a_notification_says_which_mail_failed_and_how() {
        for returned in ["message/rfc822", "text/rfc822-headers"] {
            let said = notification(dsn("failed", returned).as_bytes()).unwrap();
            assert_eq!(said.message_id, "0195.email@example.org", "{returned}");
            assert_eq!(said.failed.as_deref(), Some("5.1.1"));
            assert_eq!(notification(dsn("delayed", returned).as_bytes()).unwrap().failed, None, "it may come yet");
        }
        assert_eq!(notification(b"Subject: Out of office\r\n\r\nBack on Monday.\r\n"), None);
    }
}
