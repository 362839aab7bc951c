//! Group robots of Feishu (飞书自定义机器人): rich text, a signature in the body, 100 messages a minute and 5 a second.
//!
//! <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>: the signature is the HMAC-SHA256 of nothing under
//! `timestamp` + newline + `secret` as its key, the timestamp in seconds.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use ticket::notifier::Medium;

use super::channel::{Channel, fitting};
use super::robot::{self, Dialect, Robots};

/// Longest text of a message, bytes; the whole request may have 20,000.
const MAX_TEXT: usize = 16_000;
/// Longest title, bytes.
const MAX_TITLE: usize = 256;

pub(super) const CHANNEL: Channel =
    Channel { medium: Medium::Feishu, check: robot::check, open: |tools| Ok(Some(Robots::open(tools, &DIALECT))) };

const DIALECT: Dialect = Dialect {
    code: "code",
    limits: &[(5, Duration::from_secs(1)), (100, Duration::from_mins(1))],
    // Too many requests, by the gateway and by the robot.
    passing: &[(9_499, 60), (11_232, 60)],
    write: |letter, _, now| {
        let text = json!([{ "tag": "text", "text": fitting(&letter.body, MAX_TEXT) }]);
        let link = |label: &str, url: &str| json!({ "tag": "a", "text": format!("{label} "), "href": url });
        let links = letter.links.iter().map(|one| link(one.label(&letter.language), &one.url)).collect::<Vec<_>>();
        let lines = if links.is_empty() { json!([text]) } else { json!([text, links]) };
        let language = if letter.language.starts_with("zh") { "zh_cn" } else { "en_us" };
        let post = json!({ language: { "title": fitting(&letter.subject, MAX_TITLE), "content": lines } });
        let mut message = json!({ "msg_type": "post", "content": { "post": post } });
        if let Some(secret) = &letter.secret {
            let timestamp = now / 1_000_000;
            message["timestamp"] = timestamp.to_string().into();
            message["sign"] = sign(secret, timestamp).into();
        }
        message
    },
};

fn sign(secret: &str, timestamp_secs: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("{timestamp_secs}\n{secret}").as_bytes());
    STANDARD.encode(hmac::sign(&key, b""))
}
