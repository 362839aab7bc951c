//! Group robots of WeCom (企业微信群机器人): Markdown, the key in the address, 20 messages a minute.
//!
//! <https://developer.work.weixin.qq.com/document/path/91770>

use std::time::Duration;

use serde_json::json;
use ticket::notifier::Medium;

use super::channel::{Channel, fitting};
use super::robot::{self, Dialect, Robots, markdown};

/// Longest content of a message, bytes.
const MAX_CONTENT: usize = 4_096;

pub(super) const CHANNEL: Channel = Channel {
    medium: Medium::Wecom,
    check: |given| robot::check(given).into_iter().chain(given.needless_secret()).collect(),
    open: |tools| Ok(Some(Robots::open(tools, &DIALECT))),
};

const DIALECT: Dialect = Dialect {
    code: "errcode",
    limits: &[(20, Duration::from_mins(1))],
    // Busy; called too often.
    passing: &[(-1, 10), (45_009, 60)],
    write: |letter, _, _| json!({ "msgtype": "markdown", "markdown": { "content": fitting(&markdown(letter, MAX_CONTENT), MAX_CONTENT) } }),
};
