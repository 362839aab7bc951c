//! The released form of the contract, as somebody else installs and uses it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::running::{Cluster, python, root, said};

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Installs the one wheel of a directory into another.
fn install(python: &Path, from: &Path, to: &Path) {
    let wheel = from.join(concat!("docket_client-", env!("CARGO_PKG_VERSION"), "-py3-none-any.whl"));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target"];
    succeeded(Command::new(python).args(pip).arg(to).arg(wheel).output().unwrap());
}

/// Proves part of: X5
#[test]
fn the_released_client_and_descriptor_set_call_a_cluster() {
    let Some(python) = python() else { return };
    let (made, installed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    succeeded(Command::new(root().join("deploy/python/build.sh")).arg(made.path()).output().unwrap());
    install(&python, made.path(), installed.path());
    let cluster = Cluster::up();
    let token = cluster.token("demo", "agent");
    let mut client = Command::new(&python)
        .arg(root().join("tests/peers/grpc/released.py"))
        .arg(cluster.endpoint())
        .env("PYTHONPATH", installed.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(client.stdin.take().unwrap(), "{token}").unwrap();
    let name = succeeded(client.wait_with_output().unwrap());

    let grpcurl = Command::new(python.with_file_name("grpcurl"))
        .args(["-plaintext", "-H", &format!("authorization: Bearer {token}"), "-protoset"])
        .arg(made.path().join("docket.binpb"))
        .args(["-d", &format!(r#"{{"name": "{name}"}}"#), &cluster.endpoint().replace("http://", "")])
        .arg("docket.intake.v1.IntakeService/GetTicket")
        .output();
    assert!(succeeded(grpcurl.unwrap()).contains("The released client works"));
}
