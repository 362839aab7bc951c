//! The public API as a stock Python client and grpcurl see it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::running::{Cluster, python, root, said};

/// Proves part of: X3, X5
#[test]
fn a_python_client_sees_the_documented_errors() {
    let Some(python) = python() else { return };
    let cluster = Cluster::up();
    let tokens = serde_json::json!({
        "agent": cluster.token("demo", "agent"),
        "requester": cluster.token("demo", "requester"),
        "admin": cluster.token("demo", "admin"),
        "other": cluster.token("other", "agent"),
    });
    let file = cluster.data().join("tokens.json");
    std::fs::write(&file, tokens.to_string()).unwrap();
    let script = root().join("tests/peers/grpc/contract.py");
    let output = Command::new(python).arg(script).arg(root().join("proto")).arg(cluster.endpoint()).arg(file).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Proves part of: X5
#[test]
fn grpcurl_lists_calls_and_sees_error_details() {
    let Some(python) = python() else { return };
    let cluster = Cluster::up();
    let grpcurl = python.with_file_name("grpcurl");
    let endpoint = cluster.endpoint().replace("http://", "");
    let bearer = format!("authorization: Bearer {}", cluster.token("demo", "agent"));
    let call = |arguments: &[&str]| {
        let output = Command::new(&grpcurl).args(["-plaintext", "-H", &bearer]).args(arguments).output().unwrap();
        said(&output)
    };
    let listed = call(&[&endpoint, "list"]);
    for service in
        ["docket.intake.v1.IntakeService", "docket.sla_monitor.v1.SlaMonitorService", "grpc.health.v1.Health"]
    {
        assert!(listed.contains(service), "{listed}");
    }
    let described = call(&[&endpoint, "describe", "docket.intake.v1.IntakeService.OpenTicket"]);
    assert!(described.contains("OpenTicketRequest"), "{described}");
    let body = r#"{"ticket": {"title": "x", "ticket_type": "repair"}}"#;
    let refused = call(&["-d", body, &endpoint, "docket.intake.v1.IntakeService/OpenTicket"]);
    for said in ["InvalidArgument", "FIELDS_INVALID", "ticket.fields.asset", "ticket.fields.address"] {
        assert!(refused.contains(said), "{refused}");
    }
    let health = call(&["-d", r#"{"service": "readiness"}"#, &endpoint, "grpc.health.v1.Health/Check"]);
    assert!(health.contains("SERVING"), "{health}");
}

/// An SLA under which a critical incident breaches at once, at whatever hour the test runs.
pub(crate) const AT_ONCE: &str = r#"
kind: Calendar
name: always
spec:
  zone: UTC
  weekly: {mon: ["00:00-24:00"], tue: ["00:00-24:00"], wed: ["00:00-24:00"], thu: ["00:00-24:00"],
           fri: ["00:00-24:00"], sat: ["00:00-24:00"], sun: ["00:00-24:00"]}
---
kind: SlaPolicy
name: at-once
spec:
  match: {ticket_types: [incident], priorities: [critical]}
  calendar: always
  clocks:
    acceptance: {target: 1s, stop: [TakenInCharge]}
"#;

/// A field-service company whose critical incidents breach at once.
fn company(flags: &[&str]) -> Cluster {
    let cluster = Cluster::with("service", flags);
    let file = cluster.data().join("at-once.yaml");
    std::fs::write(&file, AT_ONCE).unwrap();
    cluster.run(&["apply", "-f", file.to_str().unwrap()]);
    cluster
}

/// Proves part of: D5, D7, D8, D10, D13, D14, X3
#[test]
fn each_role_has_its_day_and_nothing_of_the_others() {
    let Some(python) = python() else { return };
    let cluster = company(&[]);
    let people = [
        ("rita", "requester"),
        ("otto", "requester"),
        ("ann", "agent"),
        ("eng-01", "engineer"),
        ("eng-02", "engineer"),
        ("eng-03", "engineer"),
        ("eng-40", "engineer"),
        ("dora", "dispatcher"),
        ("sue", "supervisor"),
    ];
    let tokens = people.map(|(subject, role)| (subject.to_owned(), cluster.token_of("demo", subject, role)));
    let tokens: serde_json::Value = tokens.into_iter().collect();
    let file = cluster.data().join("tokens.json");
    std::fs::write(&file, tokens.to_string()).unwrap();
    let script = root().join("tests/peers/grpc/roles.py");
    let output = Command::new(python).arg(script).arg(root().join("proto")).arg(cluster.endpoint()).arg(file).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// A mail server of somebody else, which ends with the test.
struct MailServer {
    child: Child,
    port: u16,
}

impl MailServer {
    fn start(python: &Path, book: &Path) -> Self {
        let script = root().join("tests/peers/notifier/mail.py");
        let mut child =
            Command::new(python).arg(script).arg(book).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), child }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The id of a ticket that breaches at once, of which sue is told in Chinese by mail.
fn breached(cluster: &Cluster) -> String {
    let recipient = serde_json::json!({"recipient": {
        "subject": "sue", "language": "zh-CN", "addresses": [{"medium": "MEDIUM_EMAIL", "address": "sue@example.com"}],
    }});
    cluster.call_of("notifier.v1.NotifierService", &cluster.token("demo", "admin"), "SetRecipient", &recipient);
    let field = ["--field", "service=erp", "--impact", "department", "--urgency", "critical"];
    let opened = cluster.run(&[&["ticket", "open", "--title", "Nothing works"][..], &field].concat());
    opened.trim().rsplit('/').next().unwrap().to_owned()
}

/// Proves part of: N1, N7, I20
#[test]
fn the_mail_of_a_breach_arrives_at_a_foreign_server_and_why_tells_how() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let book = dir.path().join("mails.tsv");
    let server = MailServer::start(&python, &book);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let cluster = company(&["--smtp", &url, "--mail-from", "docket@example.com"]);
    let id = breached(&cluster);
    let id = id.as_str();
    let told = cluster.run_until(&["why", id], "AttemptSucceeded");
    let mails = std::fs::read_to_string(&book).unwrap();
    let mail = mails.lines().find(|line| line.contains("已超时")).unwrap_or_else(|| panic!("{mails}"));
    let [message_id, to, reminder, _] = mail.split('\t').collect::<Vec<_>>()[..] else { panic!("{mail}") };
    assert_eq!(to, "sue@example.com");
    assert!(message_id.starts_with('<') && message_id.ends_with('>'), "{message_id}");
    let depth = |kind: &str| {
        let line = told.lines().find(|line| line.contains(kind)).unwrap_or_else(|| panic!("{kind}: {told}"));
        line.find(kind).unwrap()
    };
    let chain = ["Received", "ClockStarted: acceptance", "Breached: acceptance", "ReminderPlanned", "AttemptStarted"];
    assert!(chain.map(depth).is_sorted_by(|cause, effect| cause < effect), "each stands below its cause: {told}");
    let narrowed = cluster.run(&["why", id, "--reminder", reminder]);
    assert!(narrowed.contains("policy at-once v1") && narrowed.contains("AttemptSucceeded"), "{narrowed}");
    assert!(!narrowed.contains("breach-to-the-accountable"), "another reminder is left out: {narrowed}");
}

/// Proves part of: N7
#[test]
fn effects_that_are_held_follow_once_when_they_are_released() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let book = dir.path().join("mails.tsv");
    let server = MailServer::start(&python, &book);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let released = ["--smtp", &url, "--mail-from", "docket@example.com"];
    let mut cluster = company(&[&released[..], &["--hold-effects"]].concat());
    let id = breached(&cluster);
    cluster.run_until(&["why", &id], "ReminderPlanned");
    cluster.restart();
    let held = cluster.run(&["why", &id]);
    assert!(!held.contains("AttemptStarted"), "a start sends nothing either: {held}");
    cluster.restart_with(&released);
    cluster.run_until(&["why", &id], "AttemptSucceeded");
    let mails = std::fs::read_to_string(&book).unwrap();
    assert_eq!(mails.lines().count(), 1, "{mails}");
}

/// Proves part of: N1, N7
#[test]
fn a_mail_that_comes_back_is_read_and_the_next_medium_follows() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (book, channels) = (dir.path().join("mails.tsv"), dir.path().join("channels.yaml"));
    std::fs::write(&channels, "sms: {twilio: {account: AC1, token: t, from: \"+493012345678\"}}\n").unwrap();
    let server = MailServer::start(&python, &book);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let links = ["--links-url", "https://docket.example.com", "--channels", channels.to_str().unwrap()];
    let cluster = company(&[&["--smtp", &url, "--mail-from", "docket@example.com"][..], &links].concat());
    let id = breached(&cluster);
    cluster.run_until(&["why", &id], "AttemptSucceeded");
    let mails = std::fs::read_to_string(&book).unwrap();
    let message_id = mails.split('\t').next().unwrap();
    let bounce = |action: &str| {
        let script = root().join("tests/peers/notifier/dsn.py");
        let made = Command::new(&python).arg(script).args([message_id, action, "5.1.1"]).output().unwrap();
        let file = dir.path().join("dsn.eml");
        std::fs::write(&file, made.stdout).unwrap();
        cluster.run(&["bounce", file.to_str().unwrap()])
    };
    assert!(bounce("delayed").contains("did not fail"));
    assert!(!cluster.run(&["why", &id]).contains("bounced"));
    for _ in 0..2 {
        assert!(bounce("failed").contains("came back with 5.1.1"));
    }
    let told = cluster.run(&["why", &id]);
    assert_eq!(told.matches("bounced 5.1.1").count(), 1, "{told}");
}
