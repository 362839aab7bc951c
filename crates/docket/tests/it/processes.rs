//! The cluster as processes over PostgreSQL and a broker: one service's answer is known to the others, and who dies is
//! followed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chassis::caller::Caller;
use chassis::endpoints::Endpoints;
use proto::analytics::v1::GetServiceReportRequest;
use proto::dispatch::v1::ListVisitsRequest;
use proto::intake::v1::{Impact, OpenTicketRequest, Ticket, Urgency};
use proto::sla_monitor::v1::CheckTicketsRequest;

use crate::local::{Local, PARTS};
use crate::peers::AT_ONCE;
use crate::running::docket;

/// Proves part of: L4, X4
#[test]
fn the_services_are_processes_of_one_cluster_and_a_replica_follows_one_that_was_killed() {
    let Some(cluster) = Local::up(2) else { return };
    let before = cluster.script(&["up"], &[("REPLICAS", "2")]);
    let at = |name: &str, text: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    let again = cluster.script(&["up"], &[("REPLICAS", "2")]);
    for name in ["intake-1", "sla-monitor-2", "relay-1", "PostgreSQL"] {
        assert_eq!(at(name, &before), at(name, &again), "started once");
    }
    tokio::runtime::Runtime::new().unwrap().block_on(one_answer_is_known_everywhere(&cluster));
    for service in ["intake", "analytics"] {
        cluster.wait_for(&format!("{service}-2"), "docket_tail_unreadable", 0);
    }

    let file = cluster.data().join("at-once.yaml");
    std::fs::write(&file, AT_ONCE).unwrap();
    cluster.run(&["apply", "-f", file.to_str().unwrap()]);
    let leads = |name: &str| cluster.metric(name, "docket_leads{service=\"sla-monitor\"}") == Some(1);
    let (leader, follower) =
        if leads("sla-monitor-1") { ("sla-monitor-1", "sla-monitor-2") } else { ("sla-monitor-2", "sla-monitor-1") };
    assert!(leads(leader) && !leads(follower), "one of the two leads");
    let field = ["--field", "service=erp", "--impact", "department", "--urgency", "critical"];
    cluster.kill(leader);
    let opened = cluster.run(&[&["ticket", "open", "--title", "Nothing works"][..], &field].concat());
    let told = cluster.run_until(&["why", opened.trim()], "Breached: acceptance");
    assert_eq!(told.matches("Breached: acceptance").count(), 1, "{told}");
    assert!(leads(follower));
    graceful(&cluster);
}

/// Opens a ticket at one process and asks all others for it, by the position of the answer.
async fn one_answer_is_known_everywhere(cluster: &Local) {
    let endpoints = std::fs::read_to_string(cluster.data().join("endpoints")).unwrap();
    let channels = endpoints.parse::<Endpoints>().unwrap().connect().await.unwrap();
    let caller = Caller::new(channels, &cluster.run(&["token"])).unwrap();
    for opened in 1..=20 {
        let ticket = Ticket {
            title: "Mail is down".into(),
            ticket_type: "incident".into(),
            fields: [("service".to_owned(), field("mail"))].into(),
            impact: Impact::Person.into(),
            urgency: Urgency::Low.into(),
            ..Ticket::default()
        };
        let request = OpenTicketRequest { ticket: Some(ticket), ..OpenTicketRequest::default() };
        let answer = caller.intake().open_ticket(request).await.unwrap().into_inner();
        let (name, min_position) = (answer.ticket.unwrap().name, answer.log_position);
        let check = CheckTicketsRequest { min_position: min_position.clone(), ..CheckTicketsRequest::default() };
        let checked = caller.sla().check_tickets(check).await.unwrap().into_inner();
        assert_eq!(checked.open_tickets, opened, "sla-monitor knows it");
        let visits = ListVisitsRequest { ticket: name, min_position: min_position.clone() };
        caller.dispatch().list_visits(visits).await.expect("dispatch knows it");
        let report = GetServiceReportRequest { min_position, ..GetServiceReportRequest::default() };
        let report = caller.analytics().get_service_report(report).await.unwrap().into_inner().report.unwrap();
        assert_eq!(report.tickets_opened, opened, "analytics knows it");
    }
}

fn field(text: &str) -> proto::intake::v1::FieldValue {
    proto::intake::v1::FieldValue { value: Some(proto::intake::v1::field_value::Value::Text(text.to_owned())) }
}

/// A process of this test's own; killed when it is dropped.
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a third of each part, waits until it serves and tells it to stop: it ends well.
fn graceful(cluster: &Local) {
    let port = std::fs::read_to_string(cluster.data().join("nats.port")).unwrap();
    let start = |part: &str| {
        let secret = cluster.data().join("secret");
        let mut command = docket(cluster.data());
        command.args(["run", part, "--nats", &format!("nats://127.0.0.1:{}", port.trim()), "--nats-user", "docket"]);
        command.arg("--nats-password-file").arg(secret.join("nats.password"));
        command.arg("--postgres").arg(secret.join("postgres")).stdout(Stdio::piped()).stderr(Stdio::null());
        Part(command.spawn().unwrap())
    };
    for mut part in PARTS.map(start) {
        let mut said = BufReader::new(part.0.stdout.take().unwrap()).lines();
        let admin = said.find_map(|line| Some(line.unwrap().strip_prefix("admin http://")?.to_owned())).unwrap();
        let ready = || crate::local::get(&admin, "/readyz").is_some_and(|body| body.starts_with(b"ok"));
        while !ready() {
            assert!(part.0.try_wait().unwrap().is_none(), "it ended before it was ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        let pid = part.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert_eq!(part.0.wait().unwrap().code(), Some(0));
    }
}
