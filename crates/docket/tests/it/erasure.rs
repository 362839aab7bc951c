//! Erasing a customer: no copy of the personal data can be read, the chain verifies, every figure is unchanged.

use crate::running::{Cluster, python};

/// Words that stand nowhere but in the personal data of one customer.
const SECRETS: [&str; 4] = ["Quillfeather", "zebrafish-escape", "KX-CUSTOMER-7731", "tellurium"];

/// Proves part of: X6
#[test]
fn an_erased_customer_leaves_no_readable_copy() {
    if python().is_none() {
        return;
    }
    let mut cluster = Cluster::up();
    let [name, title, customer, solution] = SECRETS;
    let opened = cluster.run(&[
        "ticket",
        "open",
        "--title",
        title,
        "--description",
        name,
        "--customer",
        customer,
        "--field",
        "service=mail",
    ]);
    let ticket = opened.trim().to_owned();
    let token = cluster.token("demo", "admin");
    cluster.call(&token, "TakeTicket", &serde_json::json!({ "name": ticket }));
    cluster.call(&token, "ResolveTicket", &serde_json::json!({ "name": ticket, "solution": solution }));
    assert!(cluster.run(&["ticket", "show", &ticket]).contains(title));
    // A snapshot is kept when it stops: it must hold nothing readable either.
    cluster.restart();
    let before = cluster.run(&["status"]);

    let erased =
        cluster.call(&token, "EraseCustomer", &serde_json::json!({ "customer": customer, "reason": "asked for" }));
    assert!(erased.contains("customerId"), "{erased}");
    let shown = cluster.run(&["ticket", "show", &ticket]);
    assert!(shown.contains("(erased)"), "{shown}");
    cluster.restart();

    let after = cluster.run(&["status"]);
    let figures =
        |status: &str| status.lines().filter(|line| !line.starts_with("log position")).collect::<Vec<_>>().join("\n");
    assert_eq!(figures(&before), figures(&after));
    for file in std::fs::read_dir(cluster.data()).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", file.display());
        }
    }
    let shown = cluster.run(&["ticket", "show", &ticket]);
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
    cluster.run(&["log", "verify"]);
}

/// Proves part of: X6
#[test]
fn a_ticket_without_a_customer_is_erased_by_its_own_id() {
    if python().is_none() {
        return;
    }
    let cluster = Cluster::up();
    let opened = cluster.run(&["ticket", "open", "--title", "zebrafish", "--field", "service=mail"]);
    let id = opened.trim().rsplit('/').next().unwrap();
    let token = cluster.token("demo", "admin");
    cluster.call(&token, "EraseCustomer", &serde_json::json!({ "customer_id": id, "reason": "asked for" }));
    let shown = cluster.run(&["ticket", "show", id]);
    assert!(shown.contains("(erased)") && !shown.contains("zebrafish"), "{shown}");
}
