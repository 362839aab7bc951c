//! notifier as it runs: over a log in memory, under a clock moved by hand, asked through the generated client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::page::PageKey;
use chassis::token::{Caller, Role};
use decider::{Guards, Micros, Stream, Tenant};
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use notifier::Notifier;
use notifier::grpc::Grpc;
use notifier::sender::{Letter, Post, Posting, Reach, Sender, Taken, Trouble};
use proto::config::v1::Document;
use proto::notifier::v1 as pb;
use proto::notifier::v1::notifier_service_client::NotifierServiceClient;
use proto::notifier::v1::notifier_service_server::NotifierServiceServer;
use serde_json::{Value, json};
use ticket::house::HouseEvent;
use ticket::intake::Priority;
use ticket::{Event, codec, stream};
use tonic::{Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::world::{Happened, TICKET, received, rule, text, us};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The longest a letter is under way here.
const LONGEST: Duration = Duration::from_secs(40);

/// The servers of these tests listen within the house.
pub(crate) fn loopback() -> Reach {
    "127.0.0.1".parse().unwrap()
}

pub(crate) struct Cluster {
    pub(crate) service: Arc<Service<Notifier>>,
    pub(crate) client: NotifierServiceClient<NotifierServiceServer<Grpc>>,
}

/// A request of somebody with a role.
pub(crate) fn by<T>(subject: &str, role: Role, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller { tenant: "acme".into(), subject: subject.into(), roles: vec![role] };
    request.extensions_mut().insert(caller);
    request
}

pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

pub(crate) fn address(medium: pb::Medium, address: &str) -> pb::Address {
    let secret = if medium == pb::Medium::Webhook { SECRET.to_owned() } else { String::new() };
    pb::Address { medium: medium.into(), address: address.into(), secret, ..Default::default() }
}

impl Cluster {
    pub(crate) async fn new() -> Self {
        let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
        Self::over(log, Clock::by_hand(us("08:00"))).await
    }

    /// Ann alone at the desk, Sue behind her, and this rule for what is received.
    pub(crate) async fn with(fields: Value) -> Self {
        let mut cluster = Self::new().await;
        cluster.config("intake", "Queue", "desk", json!({"members": ["ann"]})).await;
        cluster.config("intake", "Queue", "chiefs", json!({"members": ["sue"]})).await;
        let mut spec = json!({"on": ["Received"], "audience": {"accountable": true}});
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let applied = cluster.apply(&[("MessageText", "plain", text()), ("ReminderRule", "new", rule(&spec))]).await;
        assert!(applied.faults.is_empty(), "{:?}", applied.faults);
        cluster
    }

    pub(crate) async fn over(log: Arc<Log>, clock: Clock) -> Self {
        let service = Service::<Notifier>::start(log, clock).await.unwrap();
        let client =
            NotifierServiceClient::new(notifier::service(Arc::clone(&service), PageKey::new(&[7; 32]), loopback()));
        Self { service, client }
    }

    pub(crate) async fn apply(&mut self, documents: &[(&str, &str, Value)]) -> pb::ApplyDocumentsResponse {
        let document = |(kind, name, spec): &(&str, &str, Value)| Document {
            kind: (*kind).into(),
            name: (*name).into(),
            spec_json: spec.to_string(),
            version: 0,
        };
        let documents = documents.iter().map(document).collect();
        let asked = pb::ApplyDocumentsRequest { documents, ..Default::default() };
        self.client.apply_documents(by("root", Role::Admin, asked)).await.unwrap().into_inner()
    }

    /// Somebody is reached at these addresses.
    pub(crate) async fn set(&mut self, subject: &str, addresses: Vec<pb::Address>) {
        let recipient = pb::Recipient { subject: subject.into(), addresses, ..Default::default() };
        let asked = pb::SetRecipientRequest { recipient: Some(recipient), ..Default::default() };
        self.client.set_recipient(by("root", Role::Admin, asked)).await.unwrap();
    }

    async fn config(&self, service: &str, kind: &str, name: &str, spec: Value) {
        let stream = stream::config(service, kind, name);
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let event = Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None });
        self.append(us("08:00"), Happened(stream, event)).await;
    }

    /// Something happened at this instant, and everybody reacted.
    pub(crate) async fn happened(&self, at: &str, event: impl Into<Happened>) {
        self.until(at).await;
        self.append(us(at), event.into()).await;
        self.service.step().await.unwrap();
    }

    /// A ticket came in.
    pub(crate) async fn received(&self, at: &str) {
        self.happened(at, received(Priority::High, "2024-03-06 09:00")).await;
    }

    pub(crate) async fn append(&self, at: Micros, Happened(stream, event): Happened) {
        let (kind, body) = codec::encode(&event).unwrap();
        self.write(at, NewEvent { stream, kind, body }).await;
    }

    /// A newer program recorded something here that this one cannot read: nothing can be decided on it any more.
    pub(crate) async fn puzzled(&self, stream: Stream) {
        let (kind, body) = ("ReminderSungInChorus".into(), b"{}".to_vec());
        self.write(self.service.clock().now(), NewEvent { stream, kind, body }).await;
    }

    async fn write(&self, at: Micros, event: NewEvent) {
        let head = self.service.log().head().await.unwrap().position;
        let append = Append {
            tenant: Tenant::new("acme"),
            actor: "user/test".into(),
            request: Uuid::new_v5(&TICKET, &head.to_be_bytes()),
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: self.service.clock().now(),
            occurred_at: at,
            holds_until: None,
            guards: Guards::new(),
            events: vec![event],
        };
        self.service.log().append(append).await.unwrap();
    }

    pub(crate) async fn until(&self, at: &str) {
        self.service.clock().advance(us(at));
        self.service.step().await.unwrap();
    }

    pub(crate) async fn reminders(&mut self) -> Vec<pb::Reminder> {
        let asked = pb::ListRemindersRequest { ticket: format!("tenants/acme/tickets/{TICKET}"), ..Default::default() };
        self.service.catch_up().await.unwrap();
        self.client.list_reminders(by("sue", Role::Supervisor, asked)).await.unwrap().into_inner().reminders
    }

    /// As time goes by here, no letter that was begun can be under way any more.
    pub(crate) fn much_later(&self) {
        self.service.clock().advance(self.service.clock().now() + 60_000_000);
    }

    pub(crate) fn sender(&self, post: &Arc<dyn Post>) -> Sender {
        Sender::new(Arc::clone(&self.service), Arc::clone(post))
    }
}

/// A post office that keeps what it is given, and answers as it is told.
#[derive(Default)]
pub(crate) struct Office {
    pub(crate) letters: Mutex<Vec<Letter>>,
    pub(crate) troubles: Mutex<Vec<Trouble>>,
}

impl Post for Office {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            self.letters.lock().unwrap().push(letter.clone());
            tokio::task::yield_now().await;
            self.troubles.lock().unwrap().pop().map_or_else(|| Ok(Taken::of("250 ok")), Err)
        })
    }

    fn longest(&self) -> Duration {
        LONGEST
    }
}

/// A post office in which whoever sends never comes back.
pub(crate) struct Swamp;

impl Post for Swamp {
    fn send<'a>(&'a self, _: &'a Letter) -> Posting<'a> {
        Box::pin(std::future::pending())
    }

    fn longest(&self) -> Duration {
        LONGEST
    }
}
