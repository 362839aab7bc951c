//! Who may call what: every method of the contract has its row in the table of its service, and no row is without one.

/// Proves part of: X3
#[test]
fn every_method_says_who_may_call_it() {
    let tables = [intake::ACCESS, dispatch::ACCESS, sla_monitor::ACCESS, notifier::ACCESS, analytics::grpc::ACCESS];
    assert_eq!(chassis::access::uncovered(proto::DESCRIPTORS, &tables).unwrap(), [""; 0]);
}
