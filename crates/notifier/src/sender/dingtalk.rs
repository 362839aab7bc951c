//! Group robots of DingTalk (钉钉自定义机器人): Markdown, a signature in the address, 20 messages a minute.
//!
//! <https://open.dingtalk.com/document/robots/custom-robot-access>: the signature is the HMAC-SHA256 of
//! `timestamp` + newline + `secret` under the secret, the timestamp in milliseconds.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use ticket::notifier::Medium;

use super::channel::{Channel, fitting};
use super::robot::{self, Dialect, Robots, markdown};

/// Longest text of a message, bytes; the whole may have 20,000.
const MAX_TEXT: usize = 16_000;
/// Longest title, bytes.
const MAX_TITLE: usize = 256;

pub(super) const CHANNEL: Channel =
    Channel { medium: Medium::Dingtalk, check: robot::check, open: |tools| Ok(Some(Robots::open(tools, &DIALECT))) };

const DIALECT: Dialect = Dialect {
    code: "errcode",
    limits: &[(20, Duration::from_mins(1))],
    // Busy; sent too fast, which shuts a robot up for ten minutes: the code of today and the one before it.
    passing: &[(-1, 10), (130_101, 600), (410_100, 600)],
    write: |letter, url, now| {
        if let Some(secret) = &letter.secret {
            let timestamp = now / 1_000;
            let sign = sign(secret, timestamp);
            url.query_pairs_mut().append_pair("timestamp", &timestamp.to_string()).append_pair("sign", &sign);
        }
        json!({
            "msgtype": "markdown",
            "markdown": {
                "title": fitting(&letter.subject, MAX_TITLE),
                "text": fitting(&markdown(letter, MAX_TEXT), MAX_TEXT),
            },
            "at": { "isAtAll": false },
        })
    },
};

fn sign(secret: &str, timestamp_ms: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{timestamp_ms}\n{secret}").as_bytes()))
}
