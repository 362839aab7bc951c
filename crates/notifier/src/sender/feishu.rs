//! Group robots of Feishu (飞书自定义机器人): rich text, a signature in the body, 100 messages a minute and 5 a second.
//!
//! <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>: the signature is the HMAC-SHA256 of nothing under
//! `timestamp` + newline + `secret` as its key, the timestamp in seconds.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ticket::notifier::Medium;

use super::channel::{Channel, fitting};
use super::list::rest;
use super::post::Letter;
use super::robot::{self, Dialect, Robots};
use crate::link::Link;

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
        let lines = lines(letter);
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

/// The text and the links below it; of a digest, those of each item below that.
fn lines(letter: &Letter) -> Vec<Value> {
    let text = |text: &str| json!([{ "tag": "text", "text": fitting(text, MAX_TEXT) }]);
    let link = |one: &Link| json!({ "tag": "a", "text": format!("{} ", one.label(&letter.language)), "href": one.url });
    let links = |links: &[Link]| (!links.is_empty()).then(|| links.iter().map(link).collect::<Value>());
    if letter.items.is_empty() {
        return std::iter::once(text(&letter.body)).chain(links(&letter.links)).collect();
    }
    let items = letter.items.iter().enumerate();
    let items = items.flat_map(|(place, item)| std::iter::once(text(&item.text(place))).chain(links(&item.links)));
    items.chain(rest(letter.more, &letter.language).map(|rest| text(&rest))).collect()
}

fn sign(secret: &str, timestamp_secs: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("{timestamp_secs}\n{secret}").as_bytes());
    STANDARD.encode(hmac::sign(&key, b""))
}
