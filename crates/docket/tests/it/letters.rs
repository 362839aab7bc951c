//! The sender killed at random moments while letters leave by mail, webhook, robot and text message: each arrives, none
//! twice once its receiver has told repeats apart, and no more repeats than there were letters under way.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::running::{Cluster, python, root, said};

/// Kills in the short form; `DOCKET_KILLS` asks for more.
const KILLS: u64 = 5;
/// Tickets opened between two kills; each is told to four people, and a robot takes five messages a second.
const TICKETS: u64 = 4;
/// How often the end is looked for, a second each: letters nobody knows the end of are settled within one minute, and a
/// robot takes a hundred messages a minute.
const PATIENCE: u64 = 180;

const DOCUMENTS: &str = r#"
kind: Queue
name: desk
spec: {members: [ann, bob, chen, dana], attend_within: 8h, horizon: 24h}
---
kind: TicketType
name: question
spec: {title: A question, queue: desk, calendar: desk, confirm_working_days: 3, reopen_within: 168h}
---
kind: MessageText
name: named
spec: {en: {subject: "new {{ ticket_id }}", body: "It waits."}}
---
kind: ReminderRule
name: everybody
spec: {on: [Received], audience: {queue: desk}, text: named}
"#;

/// Proves part of: N1, N5, N7
#[test]
fn letters_by_four_channels_survive_their_sender_being_killed() {
    let Some(python) = python() else { return };
    let kills = std::env::var_os("DOCKET_KILLS").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(KILLS);
    let outside = tempfile::tempdir().unwrap();
    let dir = outside.path();
    let mut sink = Command::new(env!("CARGO_BIN_EXE_docket"));
    sink.arg("sink").arg("--dir").arg(dir).arg("--with-parent").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut sink = sink.spawn().unwrap();
    while !dir.join("http").exists() {
        assert!(sink.try_wait().unwrap().is_none(), "the other side ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap().trim().to_owned();
    let (http, smtp) = (format!("http://{}", read("http")), format!("smtp://{}", read("smtp")));
    let channels = dir.join("channels.yaml");
    let account = format!("sms: {{twilio: {{url: \"{http}\", account: AC1, token: t, from: \"+4930123456\"}}}}");
    std::fs::write(&channels, account).unwrap();
    let file = channels.display().to_string();
    let mut cluster =
        Cluster::with("helpdesk", &["--smtp", &smtp, "--webhook-allow", "127.0.0.1", "--channels", &file]);
    let documents = dir.join("documents.yaml");
    std::fs::write(&documents, DOCUMENTS).unwrap();
    cluster.run(&["apply", "-f", &documents.display().to_string()]);
    let addresses = [
        ("ann", json!({"medium": "MEDIUM_EMAIL", "address": "ann@example.com"})),
        ("bob", json!({"medium": "MEDIUM_WEBHOOK", "address": format!("{http}/bob"), "secret": read("secret")})),
        ("chen", json!({"medium": "MEDIUM_FEISHU", "address": format!("{http}/feishu/chen")})),
        ("dana", json!({"medium": "MEDIUM_SMS", "address": "+4930123457"})),
    ];
    let admin = cluster.token("demo", "admin");
    for (subject, address) in addresses {
        let recipient = json!({"recipient": {"subject": subject, "addresses": [address]}});
        cluster.call_of("notifier.v1.NotifierService", &admin, "SetRecipient", &recipient);
    }
    let agent = cluster.token("demo", "agent");
    for kill in 0..kills {
        for number in 0..TICKETS {
            let title = format!("{kill}.{number}");
            let ticket = json!({"ticket": {"title": title, "ticket_type": "question"}});
            cluster.call(&agent, "OpenTicket", &ticket);
        }
        // Spread without a dice: the moments differ from kill to kill and from machine to machine.
        std::thread::sleep(Duration::from_millis((kill * 619) % 400));
        cluster.kill();
    }
    let mut check = Command::new(&python);
    check.arg(root().join("tests/peers/faults/letters.py")).arg(cluster.data().join("log.db")).arg(dir);
    check.arg((kills * TICKETS).to_string());
    let found = (0..PATIENCE + kills * TICKETS).find_map(|_| {
        let found = check.output().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        // 2: not everything has left yet.
        (found.status.code() != Some(2)).then_some(found)
    });
    let found = found.unwrap_or_else(|| check.output().unwrap());
    println!("{}", said(&found));
    sink.kill().unwrap();
    sink.wait().unwrap();
    assert!(found.status.success(), "{}", said(&found));
    cluster.run(&["log", "verify"]);
}
