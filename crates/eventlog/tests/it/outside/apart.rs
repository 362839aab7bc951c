//! What a subscriber's credentials cannot do, tried one by one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerError};
use eventlog::outside::Patience;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::{ANN, House, LONGEST, PASSWORD, file};

/// How long an answer that must not come is waited for.
const SILENCE: Duration = Duration::from_millis(300);

/// A client with a subscriber's credentials, and how often the server refused it something.
async fn client(house: &House, name: &str) -> (Client, Arc<Mutex<Vec<String>>>) {
    let refused = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&refused);
    let options = ConnectOptions::with_user_and_password(name.into(), PASSWORD.into())
        .custom_inbox_prefix(format!("_INBOX_{name}"))
        .event_callback(move |event| {
            let heard = Arc::clone(&heard);
            async move {
                if let Event::ServerError(ServerError::Other(why)) = event {
                    heard.lock().unwrap().push(why);
                }
            }
        });
    (options.connect(house.nats.url()).await.unwrap(), refused)
}

/// Whether this request is answered at all.
async fn answered(client: &Client, subject: &str, body: &str) -> bool {
    let request = client.request(subject.to_owned(), body.to_owned().into());
    matches!(timeout(SILENCE, request).await, Ok(Ok(_)))
}

/// Waits until the subscriber's own messages are told.
async fn ready(erp: &Client) {
    let told = async {
        while !answered(erp, "docket.api.CONSUMER.MSG.NEXT.DOCKET_OUT.erp", "1").await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONGEST, told).await.expect("what is one's own is answered");
}

/// Whether this subject tells anything while the house goes on.
async fn heard(client: &Client, house: &House, subject: &str) -> bool {
    let mut subscription = client.subscribe(subject.to_owned()).await.unwrap();
    client.flush().await.unwrap();
    house.tell_rounds(1, ANN).await;
    matches!(timeout(SILENCE, subscription.next()).await, Ok(Some(_)))
}

/// Proves part of: X3
#[tokio::test]
async fn credentials_open_nothing_of_anybody_else() {
    let outsiders = file(&["name: erp, tenant: acme", "name: other, tenant: other co."]);
    let Some(mut house) = House::open(outsiders, Patience::default()).await else { return };
    house.tell_rounds(3, ANN).await;
    house.work().await;
    let (erp, refused) = client(&house, "erp").await;
    ready(&erp).await;
    assert_eq!(*refused.lock().unwrap(), [""; 0]);

    let requests = [
        "docket.api.CONSUMER.MSG.NEXT.DOCKET_OUT.other",
        "docket.api.CONSUMER.INFO.DOCKET_OUT.other",
        "$JS.API.CONSUMER.MSG.NEXT.DOCKET_OUT.other",
        "$JS.API.CONSUMER.MSG.NEXT.DOCKET_OUT.erp",
        "$JS.ACK.DOCKET_OUT.other.1.1.1.1.1",
        "docket.api.STREAM.INFO.DOCKET_OUT",
        "$JS.API.STREAM.INFO.DOCKET_OUT",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.MSG.GET.DOCKET_OUT",
        "$JS.API.STREAM.MSG.GET.DOCKET",
        "$JS.API.DIRECT.GET.DOCKET_OUT",
        "$JS.API.STREAM.PURGE.DOCKET_OUT",
        "$JS.API.STREAM.DELETE.DOCKET_OUT",
        "$JS.API.CONSUMER.CREATE.DOCKET_OUT.mine",
        "$JS.API.CONSUMER.CREATE.DOCKET_OUT.erp",
        "$JS.API.CONSUMER.DURABLE.CREATE.DOCKET_OUT.mine",
        "$JS.API.CONSUMER.DELETE.DOCKET_OUT.other",
        "$JS.API.INFO",
        "docket.out.v1.acme.intake.Closed",
        "docket.v1.acme.intake.Closed",
        "_INBOX_other.x",
        "$SYS.REQ.SERVER.PING",
    ];
    for request in requests {
        assert!(!answered(&erp, request, "{}").await, "{request} was answered");
    }
    let subjects =
        [">", "docket.>", "docket.out.v1.acme.>", "docket.out.v1.other%20co%2E.>", "_INBOX_other.>", "$JS.>"];
    for subject in subjects {
        assert!(!heard(&erp, &house, subject).await, "{subject} told something");
    }
    assert_eq!(refused.lock().unwrap().len(), requests.len() + subjects.len(), "{refused:#?}");
}

/// Whoever asks for messages names where they are sent: within one account that could be a stream of ours.
///
/// Proves part of: X3
#[tokio::test]
async fn an_answer_goes_nowhere_but_to_who_asked() {
    let outsiders = file(&["name: erp, tenant: acme", "name: other, tenant: other co."]);
    let Some(mut house) = House::open(outsiders, Patience::default()).await else { return };
    house.tell_rounds(3, ANN).await;
    house.work().await;
    let ((erp, _), (other, _)) = (client(&house, "erp").await, client(&house, "other").await);
    let mut inbox = other.subscribe("_INBOX_other.>").await.unwrap();
    other.flush().await.unwrap();
    ready(&erp).await;
    let head = house.log.head().await.unwrap().position;
    for reply in ["docket.out.v1.other%20co%2E.skip", "docket.v1.acme.intake.Closed", "_INBOX_other.x"] {
        let next = "docket.api.CONSUMER.MSG.NEXT.DOCKET_OUT.erp";
        erp.publish_with_reply(next, reply, "1".into()).await.unwrap();
        erp.flush().await.unwrap();
    }
    assert!(timeout(SILENCE, inbox.next()).await.is_err(), "another's inbox was written to");
    let own = house.own().await;
    let mut stream = own.get_stream("DOCKET_OUT").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.last_sequence, head.unsigned_abs());
    // That it is the accounts that keep it so: within the streams' own account an answer goes to anybody.
    let mut anybody = own.client().subscribe("_INBOX_other.x").await.unwrap();
    let next = "$JS.API.CONSUMER.MSG.NEXT.DOCKET_OUT.erp";
    own.client().publish_with_reply(next, "_INBOX_other.x", "1".into()).await.unwrap();
    assert!(matches!(timeout(LONGEST, anybody.next()).await, Ok(Some(_))));
}
