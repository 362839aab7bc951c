//! Over the API: other documents and shadows laid under the past, page by page.

use proto::config::v1::Document;
use proto::sla_monitor::v1::{
    ApplyDocumentsRequest, CompareClocksRequest, CompareClocksResponse, WithdrawShadowRequest,
};
use serde_json::{Value, json};
use ticket::intake::Status as State;
use tonic::Code;
use uuid::Uuid;

use crate::api::{Cluster, by, cluster, name, reason};
use crate::world::{always, line, us};

fn document(kind: &str, name: &str, spec: &Value) -> Document {
    Document { kind: kind.into(), name: name.into(), spec_json: spec.to_string(), version: 0 }
}

fn policy(target: &str) -> Value {
    json!({"calendar": "all", "clocks": {"reply": {"target": target, "marks": [50]}}})
}

/// Three tickets, a minute apart, each warned at half past nine and breached at ten.
async fn desk() -> Cluster {
    let mut cluster = cluster().await;
    apply(&mut cluster, vec![document("Calendar", "all", &always()), document("SlaPolicy", "standard", &policy("1h"))])
        .await;
    for n in 1..=3_u8 {
        let at = us("09:00") + i64::from(n) * 60_000_000;
        cluster.happened(at, Uuid::from_u128(n.into()), line("New", State::Open, "low")).await;
    }
    cluster.until("12:00").await;
    cluster
}

async fn apply(cluster: &mut Cluster, documents: Vec<Document>) {
    let asked = ApplyDocumentsRequest { documents, ..ApplyDocumentsRequest::default() };
    let answer = cluster.client.apply_documents(by(asked)).await.unwrap().into_inner();
    assert!(answer.faults.is_empty(), "{answer:?}");
}

async fn every_page(cluster: &mut Cluster, asked: &CompareClocksRequest) -> Vec<CompareClocksResponse> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = CompareClocksRequest { page_token, ..asked.clone() };
        pages.push(cluster.client.compare_clocks(by(page)).await.unwrap().into_inner());
        page_token = pages.last().unwrap().next_page_token.clone();
        if page_token.is_empty() {
            return pages;
        }
    }
}

/// Proves part of: L9, X5
#[tokio::test]
async fn another_policy_is_compared_page_by_page() {
    let mut cluster = desk().await;
    let documents = vec![document("SlaPolicy", "standard", &policy("3h"))];
    let asked = CompareClocksRequest { documents, page_size: 2, ..CompareClocksRequest::default() };
    let pages = every_page(&mut cluster, &asked).await;
    assert_eq!(pages.iter().map(|page| page.tickets).collect::<Vec<_>>(), [2, 1]);
    let changes: Vec<_> = pages.iter().flat_map(|page| &page.differences).collect();
    assert_eq!(changes.iter().map(|one| one.ticket.as_str()).collect::<Vec<_>>(), {
        [1, 2, 3].map(|n| name(Uuid::from_u128(n)))
    });
    let [warning, breach] = &changes[0].changes[..] else { panic!("{changes:?}") };
    let at = |time| chassis::wire::micros("time", time).unwrap();
    assert_eq!((warning.share_bp, at(warning.was_time)), (5_000, Some(us("09:31"))));
    assert_eq!(at(warning.would_be_time), Some(us("10:31")));
    assert_eq!((breach.share_bp, at(breach.was_time)), (10_000, Some(us("10:01"))));
    assert!(breach.would_be_time.is_none(), "it would not have come by now");
    let sum = &pages[0].clocks[0];
    assert_eq!((sum.clock.as_str(), sum.warnings_were, sum.warnings_would_be, sum.moved), ("reply", 2, 2, 2));
    assert_eq!((sum.breaches_were, sum.breaches_would_be), (2, 0));

    let other = CompareClocksRequest { page_token: pages[0].next_page_token.clone(), ..Default::default() };
    let refused = cluster.client.compare_clocks(by(other)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    let nothing = every_page(&mut cluster, &CompareClocksRequest::default()).await;
    assert!(nothing[0].differences.is_empty() && nothing[0].tickets == 3 && nothing[0].start_time.is_none());
}

/// Proves part of: X1
#[tokio::test]
async fn every_fault_of_what_is_to_be_laid_is_named() {
    let mut cluster = desk().await;
    let documents = vec![
        document("SlaPolicy", "standard", &policy("soon")),
        document("SlaPolicy", "other", &json!({"calendar": "none", "clocks": {}})),
        document("Rota", "night", &json!({})),
    ];
    let asked = CompareClocksRequest { documents: documents.clone(), ..CompareClocksRequest::default() };
    let answer = cluster.client.compare_clocks(by(asked)).await.unwrap().into_inner();
    let faults: Vec<_> = answer.faults.iter().map(|one| format!("{} {}", one.name, one.path)).collect();
    for expected in ["standard /clocks/reply/target", "other /calendar", "night "] {
        assert!(faults.iter().any(|fault| fault == expected), "{expected}: {faults:?}");
    }
    assert!(answer.clocks.is_empty() && answer.tickets == 0);
    let both = CompareClocksRequest { documents, shadow: "standard".into(), ..CompareClocksRequest::default() };
    let refused = cluster.client.compare_clocks(by(both)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// Proves part of: L9
#[tokio::test]
async fn a_shadow_is_asked_for_and_withdrawn() {
    let mut cluster = desk().await;
    let shadow = CompareClocksRequest { shadow: "standard".into(), ..CompareClocksRequest::default() };
    let refused = cluster.client.compare_clocks(by(shadow.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "SHADOW_NOT_FOUND".into()));
    apply(&mut cluster, vec![document("ShadowPolicy", "standard", &policy("30m"))]).await;
    cluster.happened(us("12:30"), Uuid::from_u128(9), line("New", State::Open, "low")).await;
    cluster.until("14:00").await;
    let page = every_page(&mut cluster, &shadow).await.remove(0);
    assert_eq!(page.differences.len(), 1, "the others were there before");
    assert_eq!(page.start_time.unwrap().seconds, us("12:00") / 1_000_000);
    let withdraw = || by(WithdrawShadowRequest { name: "standard".into(), ..WithdrawShadowRequest::default() });
    cluster.client.withdraw_shadow(withdraw()).await.unwrap();
    cluster.client.withdraw_shadow(withdraw()).await.unwrap();
    cluster.until("16:00").await;
    let after = every_page(&mut cluster, &shadow).await.remove(0);
    assert_eq!((after.end_time.unwrap().seconds, after.differences), (us("14:00") / 1_000_000, page.differences));
}
