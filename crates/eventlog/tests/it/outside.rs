//! Outsiders on a real server with the accounts it is given: clients of two other languages get what is theirs, and nobody
//! gets anything else.

use std::sync::Arc;
use std::time::Duration;

use decider::{Guards, Stream, Tenant};
use eventlog::bus::{Address, Bus, Credentials, Relay, Shape};
use eventlog::outside::{self, Keeper, Outsiders, Patience, Shown};
use eventlog::store::Select;
use eventlog::{Append, Keys, Log, Memory, NewEvent, Row};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::nats::Nats;

mod apart;
mod following;
mod lost;
mod peer;

/// Longest wait for anything.
const LONGEST: Duration = Duration::from_mins(1);
/// The word `secret`.
const HASH: &str = "$2a$04$1I55umlbx7LG5Wy5foHIkegdDZH57FEQe9zsOXIxnjk.3KQtV8ArS";
const PASSWORD: &str = "secret";
const ANN: Uuid = Uuid::from_u128(0xa);
const BOB: Uuid = Uuid::from_u128(0xb);

/// A file of outsiders; each line is one without its login.
fn file(subscribers: &[&str]) -> Outsiders {
    let lines: Vec<_> = subscribers.iter().map(|line| format!("  - {{{line}, password: {HASH}}}")).collect();
    let lines = lines.join("\n");
    Outsiders::load(&format!("internal: {{user: docket, password: {HASH}}}\nsubscribers:\n{lines}\n")).unwrap()
}

/// A log with its outsiders, relayed and kept until it is stopped.
struct House {
    log: Arc<Log>,
    nats: Nats,
    outsiders: Outsiders,
    patience: Patience,
    working: Option<Working>,
}

/// What works for a house.
struct Working {
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
    report: watch::Receiver<outside::Report>,
}

impl House {
    /// Nothing works yet; none where there is no nats-server.
    async fn open(outsiders: Outsiders, patience: Patience) -> Option<Self> {
        let nats = Nats::start_with(&outside::accounts(&outsiders)).await?;
        let log = Log::open(Arc::new(Memory::new()), Keys::memory(7));
        Some(Self { log, nats, outsiders, patience, working: None })
    }

    async fn work(&mut self) {
        let bus = self.bus().await;
        let shape = Shape { duplicate_window: Duration::from_millis(200), ..outside::shape(1) };
        let relay =
            Relay::new(Arc::clone(&self.log), bus.clone(), shape, Shown::new(Arc::clone(&self.log), &self.outsiders));
        let keeper = Keeper::new(Arc::clone(&self.log), bus, self.outsiders.clone(), 1);
        let keeper = keeper.with_patience(self.patience.clone());
        let (stop, report) = (CancellationToken::new(), keeper.report());
        let (relaying, keeping) = (stop.clone(), stop.clone());
        let tasks = [
            tokio::spawn(async move { relay.run(relaying).await }),
            tokio::spawn(async move { keeper.run(keeping).await }),
        ];
        self.working = Some(Working { stop, tasks, report });
    }

    async fn rest(&mut self) {
        let working = self.working.take().unwrap();
        working.stop.cancel();
        for task in working.tasks {
            timeout(LONGEST, task).await.unwrap().unwrap();
        }
    }

    /// The house's own connection.
    async fn bus(&self) -> Bus {
        let credentials = Credentials::Password { user: "docket".into(), password: PASSWORD.into() };
        Bus::connect(&Address { credentials, ..Address::open(&self.nats.url(), "test") }).await.unwrap()
    }

    /// The house's own client, for looking at the streams.
    async fn own(&self) -> async_nats::jetstream::Context {
        let options = async_nats::ConnectOptions::with_user_and_password("docket".into(), PASSWORD.into());
        async_nats::jetstream::new(options.connect(self.nats.url()).await.unwrap())
    }

    /// Appends one event of this kind for a tenant.
    async fn tell(&self, tenant: &str, kind: &str, body: Value) {
        let request = Uuid::from_u128(u128::try_from(self.log.head().await.unwrap().position).unwrap() + 1);
        let stream = Stream::stored(&format!("ticket/{}", Uuid::from_u128(1)));
        let event = NewEvent { stream, kind: kind.into(), body: body.to_string().into_bytes() };
        let append = Append {
            tenant: Tenant::new(tenant),
            actor: "user/ann".into(),
            request,
            content: vec![1],
            causation: None,
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            now: 1_000,
            occurred_at: 900,
            holds_until: None,
            guards: Guards::new(),
            events: vec![event],
        };
        self.log.append(append).await.unwrap();
    }

    /// So many rounds of everything that matters, for two tenants and the house itself; comments are of this person.
    async fn tell_rounds(&self, rounds: usize, subject: Uuid) {
        for _ in 0..rounds {
            for tenant in ["acme", "other co."] {
                self.tell(tenant, "Commented", comment(tenant, subject)).await;
                self.tell(tenant, "RecipientSet", json!({"addresses": [{"address": about(BOB, "bob@example.org")}]}))
                    .await;
                self.tell(tenant, "Arrived", json!({"visit": BOB, "place": {"lat_udeg": 1, "lon_udeg": 2}})).await;
            }
            self.tell(Tenant::system().as_str(), "ReactedThrough", json!({"position": 1})).await;
        }
    }

    /// Everything the log has of a tenant.
    async fn rows(&self, tenant: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        loop {
            let after = rows.last().map_or(0, |row: &Row| row.position);
            let page = self.log.read(&Select::All, None, after, 1_000).await.unwrap();
            if page.is_empty() {
                rows.retain(|row| row.tenant == tenant);
                return rows;
            }
            rows.extend(page);
        }
    }
}

fn about(subject: Uuid, value: &str) -> Value {
    json!({ "personal": { "subject": subject, "value": value } })
}

fn comment(tenant: &str, subject: Uuid) -> Value {
    json!({"author": "agent", "public": true, "text": about(subject, &format!("of {tenant}"))})
}

/// What a subscriber should be told, by position; `text` is what it sees of a comment on this person.
fn expected(rows: &[Row], text: &dyn Fn(Uuid) -> Value) -> Vec<Value> {
    let told = |row: &Row| {
        let body: Value = serde_json::from_slice(&row.body).unwrap();
        let data = match row.kind.as_str() {
            "Commented" => {
                let subject = body["text"]["sealed"]["subject"].as_str().unwrap().parse().unwrap();
                json!({"author": "agent", "public": true, "text": text(subject)})
            }
            "Arrived" => json!({"visit": BOB}),
            _ => return json!({"sequence": row.position}),
        };
        json!({
            "sequence": row.position, "position": row.position, "id": row.id, "kind": row.kind, "tenant": row.tenant,
            "data": data,
        })
    };
    rows.iter().map(told).collect()
}
