//! Personal data: stored sealed, opened for rendering, gone with its key; the log stays whole.

use decider::Tenant;
use eventlog::verify::verify;
use eventlog::{Append, Committed, Keys, Log, Rejected, Row};
use serde_json::{Value, json};
use ticket::Personal;
use uuid::Uuid;

use crate::place::{Place, acme, append, written};

const ANN: Uuid = Uuid::from_u128(0xa);
const BOB: Uuid = Uuid::from_u128(0xb);

on_every_store!(
    what_is_sealed_opens_for_its_tenant_alone,
    what_is_erased_stays_erased,
    equal_values_do_not_look_equal,
    an_erasure_by_another_process_holds_at_once,
    pseudonyms_are_stable_and_apart,
);

fn personal(request: u128, body: &Value) -> Append {
    let mut append = append(request, &["ticket/a"]);
    append.events[0].body = body.to_string().into_bytes();
    append
}

fn about(subject: Uuid, value: &str) -> Value {
    json!({ "personal": { "subject": subject, "value": value } })
}

fn body(row: &Row) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

async fn revealed(log: &Log, row: &Row) -> Value {
    let mut body = body(row);
    log.reveal(&acme(), &mut body).await.unwrap();
    body
}

async fn what_is_sealed_opens_for_its_tenant_alone(place: &Place) {
    let log = place.log().await;
    let plain = json!({
        "n": 7,
        "title": about(ANN, "the printer of Ann"),
        "fields": [{ "x": { "private": about(BOB, "席德") } }, { "personal": "not a person", "subject": ANN }],
        "contact": { "personal": { "subject": ANN, "value": { "name": "Ann", "phone": "42" } } },
    });
    let rows = written(log.append(personal(1, &plain)).await.unwrap());
    let stored = String::from_utf8(rows[0].body.clone()).unwrap();
    assert!(!stored.contains("Ann") && !stored.contains('席') && stored.contains(&ANN.to_string()), "{stored}");
    assert_eq!(revealed(&log, &rows[0]).await, plain);

    let mut foreign = body(&rows[0]);
    log.reveal(&Tenant::new("other"), &mut foreign).await.unwrap_or_default();
    assert!(!foreign.to_string().contains("Ann"));

    let title: Personal<String> = serde_json::from_value(body(&rows[0])["title"].clone()).unwrap();
    assert_eq!(log.reveal_text(&acme(), &title).await.unwrap().as_deref(), Some("the printer of Ann"));
    let Personal::Sealed { data, .. } = title else { panic!("plain") };
    let transplanted = Personal::<String>::Sealed { subject: BOB, data };
    log.reveal_text(&acme(), &transplanted).await.unwrap_err();

    let mut page = json!([body(&rows[0]), body(&rows[0]), { "n": 8 }]);
    log.reveal(&acme(), &mut page).await.unwrap();
    assert_eq!(page, json!([plain, plain, { "n": 8 }]));
}

/// Proves part of: X6
pub(crate) async fn what_is_erased_stays_erased(place: &Place) {
    let log = place.log().await;
    let both = json!({ "ann": about(ANN, "Ann"), "bob": about(BOB, "Bob") });
    let rows = written(log.append(personal(1, &both)).await.unwrap());
    assert_eq!(revealed(&log, &rows[0]).await, both);
    for _ in 0..2 {
        log.erase(&acme(), ANN).await.unwrap();
        let after = json!({ "ann": { "erased": { "subject": ANN } }, "bob": about(BOB, "Bob") });
        assert_eq!(revealed(&log, &rows[0]).await, after);
    }
    let ann: Personal<String> = serde_json::from_value(body(&rows[0])["ann"].clone()).unwrap();
    assert_eq!(log.reveal_text(&acme(), &ann).await.unwrap(), None);
    verify(&log).await.unwrap();

    let again = log.append(personal(2, &about(ANN, "Ann is back"))).await;
    assert!(matches!(again, Err(Rejected::Erased(subject)) if subject == ANN), "{again:?}");
    assert_eq!(log.append(personal(1, &both)).await.unwrap(), Committed::Repeated(rows), "what it did, it did");
    let never_seen = Uuid::from_u128(0xc);
    log.erase(&acme(), never_seen).await.unwrap();
    assert!(matches!(log.append(personal(3, &about(never_seen, "Cat"))).await, Err(Rejected::Erased(_))));
    assert_eq!(log.head().await.unwrap().position, 1);
}

async fn equal_values_do_not_look_equal(place: &Place) {
    let log = place.log().await;
    let twice = json!([about(ANN, "same"), about(ANN, "same")]);
    let first = body(&written(log.append(personal(1, &twice)).await.unwrap())[0]);
    let second = body(&written(log.append(personal(2, &twice)).await.unwrap())[0]);
    let data = |body: &Value, n: usize| body[n]["sealed"]["data"].as_str().unwrap().to_owned();
    assert_ne!(data(&first, 0), data(&first, 1));
    assert_ne!(data(&first, 0), data(&second, 0));
}

/// Proves part of: X6
async fn an_erasure_by_another_process_holds_at_once(place: &Place) {
    if matches!(place, Place::Memory(_)) {
        return;
    }
    let log = place.log().await;
    let row = written(log.append(personal(1, &about(ANN, "Ann"))).await.unwrap()).remove(0);
    assert_eq!(revealed(&log, &row).await, about(ANN, "Ann"), "cached from here on");
    let elsewhere = Log::open(std::sync::Arc::new(eventlog::Memory::new()), place.keys().await);
    elsewhere.erase(&acme(), ANN).await.unwrap();
    assert_eq!(revealed(&log, &row).await, json!({ "erased": { "subject": ANN } }));
    assert!(matches!(log.append(personal(2, &about(ANN, "Ann"))).await, Err(Rejected::Erased(_))));
}

async fn pseudonyms_are_stable_and_apart(place: &Place) {
    let log = place.log().await;
    let id = log.pseudonym(&acme(), "customer", "ann@example.org");
    assert_eq!(id, log.pseudonym(&acme(), "customer", "ann@example.org"));
    assert_eq!(id.get_version_num(), 8);
    assert_ne!(id, log.pseudonym(&Tenant::new("other"), "customer", "ann@example.org"));
    assert_ne!(id, log.pseudonym(&acme(), "customerann", "@example.org"));
}

/// The same events under the same keys are the same bytes: simulations repeat themselves.
#[tokio::test]
async fn a_seed_repeats_itself() {
    let head = async |seed| {
        let log = Log::open(std::sync::Arc::new(eventlog::Memory::new()), Keys::memory(seed));
        written(log.append(personal(1, &about(ANN, "Ann"))).await.unwrap());
        log.head().await.unwrap().hash
    };
    assert_eq!(head(1).await, head(1).await);
    assert_ne!(head(1).await, head(2).await);
}
