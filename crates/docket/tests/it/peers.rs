//! The public API as a stock Python client and grpcurl see it.

use std::process::Command;

use crate::running::{Cluster, python, root, said};

/// Proves: X3, X5
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

/// Proves: X5
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
