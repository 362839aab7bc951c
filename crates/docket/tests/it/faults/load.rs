//! The load faults are survived under: clients that carry tickets through their lives over all replicas, and repeat every
//! request under its own id until it is answered.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::caller::{Caller, Secured};
use chassis::endpoints::Endpoints;
use chassis::token::{DevKey, Role};
use proto::intake::v1 as intake;
use proto::intake::v1::intake_service_client::IntakeServiceClient;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use uuid::Uuid;

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Wait before a request is repeated, at another replica.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a neglected ticket is left alone: longer than its clock runs and a lease lasts.
const NEGLECTED: Duration = Duration::from_secs(15);

/// What the clients have in common.
#[derive(Debug)]
struct Shared {
    data: PathBuf,
    token: String,
    name: String,
    stop: AtomicBool,
    answered: AtomicU64,
    repeated: AtomicU64,
    acks: Mutex<File>,
    /// Refusals, which nothing the clients do deserves, by reason.
    refused: Mutex<BTreeMap<String, u64>>,
}

/// Clients at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
    runtime: Runtime,
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Worked {
    /// Requests answered.
    pub(crate) answered: u64,
    /// Requests sent again.
    pub(crate) repeated: u64,
    /// Refusals by reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Load {
    /// Starts so many clients on the cluster of a data directory; `name` tells their requests from others'.
    pub(crate) fn start(data: &Path, clients: usize, name: &str) -> Self {
        let key = DevKey::load_or_create(&data.join("dev.key")).unwrap();
        let token = key.issue("ann", "demo", &[Role::Admin], Duration::from_hours(12)).unwrap();
        let shared = Arc::new(Shared {
            data: data.to_owned(),
            token,
            name: name.to_owned(),
            stop: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            acks: Mutex::new(File::create(data.join(format!("{name}.tsv"))).unwrap()),
            refused: Mutex::default(),
        });
        let runtime = Runtime::new().unwrap();
        let clients = (0..clients).map(|number| runtime.spawn(work(Arc::clone(&shared), number))).collect();
        Self { shared, clients, runtime }
    }

    /// Requests answered up to now.
    pub(crate) fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Lets every client end the ticket it is at.
    pub(crate) fn stop(self) -> Worked {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.runtime.block_on(async {
            for client in self.clients {
                client.await.unwrap();
            }
        });
        Worked {
            answered: self.shared.answered.load(Ordering::Relaxed),
            repeated: self.shared.repeated.load(Ordering::Relaxed),
            refused: self.shared.refused.lock().unwrap().clone(),
        }
    }
}

/// Carries one ticket after the other through its life.
async fn work(shared: Arc<Shared>, number: usize) {
    let mut client = Client { replica: number, intake: None, requests: 0, number, shared };
    let mut tickets = 0;
    while !client.shared.stop.load(Ordering::Relaxed) {
        client.carry(tickets + number).await;
        tickets += 1;
    }
}

/// One client.
struct Client {
    shared: Arc<Shared>,
    number: usize,
    /// Which replica is asked, counted over all there are.
    replica: usize,
    intake: Option<IntakeServiceClient<Secured>>,
    requests: u64,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open { mailed: bool, critical: bool },
    Take,
    Note,
    Wait,
    Answer,
    Resolve,
    Reject,
    Confirm,
    Close,
    Cancel,
}

impl Client {
    /// A ticket's life: one in nine is neglected until its clock ran out; of the others, one in four has a customer, who is
    /// mailed. Nobody who is mailed has a ticket that ends: that recalls what was not said yet, and what was not said yet
    /// when a fault held it up is not what was lost.
    async fn carry(&mut self, ticket: usize) {
        let critical = ticket % 9 == 5;
        let mailed = ticket.is_multiple_of(4) && !critical;
        let Some(name) = self.ask("", Step::Open { mailed, critical }).await else { return };
        let steps: &[Step] = match (critical, mailed) {
            (true, _) => {
                // Beside the others: whoever waits here would not load anything.
                tokio::spawn(self.neglect(name));
                return;
            }
            (_, true) => &[Step::Take, Step::Note, Step::Resolve, Step::Confirm],
            _ if ticket.is_multiple_of(3) => &[
                Step::Take,
                Step::Wait,
                Step::Answer,
                Step::Resolve,
                Step::Reject,
                Step::Resolve,
                Step::Confirm,
                Step::Close,
            ],
            _ => &[Step::Take, Step::Note, Step::Wait, Step::Answer, Step::Resolve, Step::Confirm, Step::Close],
        };
        for step in steps {
            if self.ask(&name, *step).await.is_none() {
                return;
            }
        }
    }

    /// Leaves a ticket alone until its clock ran out.
    fn neglect(&mut self, name: String) -> impl Future<Output = ()> + use<> {
        let mut other = Self {
            shared: Arc::clone(&self.shared),
            number: self.number,
            replica: self.replica,
            intake: None,
            requests: self.requests + (1 << 32),
        };
        async move {
            sleep(NEGLECTED).await;
            other.ask(&name, Step::Cancel).await;
        }
    }

    /// Asks until it is answered; the ticket's name, or nothing if it was refused.
    async fn ask(&mut self, ticket: &str, step: Step) -> Option<String> {
        self.requests += 1;
        let request = format!("{}/{}/{}", self.shared.name, self.number, self.requests);
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, request.as_bytes());
        loop {
            let answer = match self.intake().await {
                Some(mut client) => timeout(ANSWER, send(&mut client, ticket, step, request)).await,
                None => Ok(Err(Status::unavailable("nobody listens"))),
            };
            match answer {
                Ok(Ok((name, position))) => {
                    self.acknowledged(request, &position, &name);
                    return Some(name);
                }
                Ok(Err(status)) if !may_do_better(&status) => {
                    let reason = format!("{step:?}: {status}");
                    *self.shared.refused.lock().unwrap().entry(reason).or_default() += 1;
                    return None;
                }
                Ok(Err(_)) | Err(_) => {
                    self.intake = None;
                    self.replica += 1;
                    self.shared.repeated.fetch_add(1, Ordering::Relaxed);
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// The replica that is asked, where it listens now.
    async fn intake(&mut self) -> Option<IntakeServiceClient<Secured>> {
        if self.intake.is_none() {
            let text = std::fs::read_to_string(self.shared.data.join("endpoints")).ok()?;
            let all: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("intake=")).collect();
            let at: Endpoints = all.get(self.replica % all.len().max(1))?.parse().ok()?;
            let channels = timeout(ANSWER, at.connect()).await.ok()?.ok()?;
            self.intake = Some(Caller::new(channels, &self.shared.token).ok()?.intake());
        }
        self.intake.clone()
    }

    /// Keeps an acknowledgement outside of this process.
    fn acknowledged(&self, request: Uuid, position: &str, name: &str) {
        let mut acks = self.shared.acks.lock().unwrap();
        acks.write_all(format!("{request}\t{position}\t{name}\n").as_bytes()).unwrap();
        self.shared.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the same request may be answered in a moment; a status with a source was made here, of a broken connection.
fn may_do_better(status: &Status) -> bool {
    let asked_again = [Code::Unavailable, Code::Aborted, Code::DeadlineExceeded, Code::ResourceExhausted];
    asked_again.contains(&status.code()) || std::error::Error::source(status).is_some()
}

/// Sends a request once; the ticket's name and the position of the answer.
async fn send(
    client: &mut IntakeServiceClient<Secured>,
    ticket: &str,
    step: Step,
    request: Uuid,
) -> Result<(String, String), Status> {
    let (name, request_id) = (ticket.to_owned(), request.to_string());
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident: $value:expr),* }) => {{
            let asked = intake::$request { name, request_id, $($field: $value,)* ..intake::$request::default() };
            client.$method(asked).await?.into_inner().log_position
        }};
    }
    let position = match step {
        Step::Open { mailed, critical } => {
            let asked = intake::OpenTicketRequest {
                ticket: Some(described(request, mailed, critical)),
                request_id,
                ..intake::OpenTicketRequest::default()
            };
            let answer = client.open_ticket(asked).await?.into_inner();
            return Ok((answer.ticket.unwrap_or_default().name, answer.log_position));
        }
        Step::Take => call!(take_ticket, TakeTicketRequest {}),
        Step::Note => {
            call!(add_comment, AddCommentRequest { text: "We are on it.".into(), author: intake::Author::Agent.into() })
        }
        Step::Answer => {
            call!(
                add_comment,
                AddCommentRequest { text: "Here it is.".into(), author: intake::Author::Customer.into() }
            )
        }
        Step::Wait => call!(hold_ticket, HoldTicketRequest { reasons: vec![intake::WaitReason::Customer.into()] }),
        Step::Resolve => call!(resolve_ticket, ResolveTicketRequest { solution: "Exchanged.".into() }),
        Step::Reject => call!(reject_ticket, RejectTicketRequest { reason: "It does the same again.".into() }),
        Step::Confirm => call!(confirm_ticket, ConfirmTicketRequest {}),
        Step::Close => call!(close_ticket, CloseTicketRequest { review: "Complete.".into() }),
        Step::Cancel => call!(cancel_ticket, CancelTicketRequest { reason: "Nobody cared.".into() }),
    };
    Ok((ticket.to_owned(), position))
}

fn described(request: Uuid, mailed: bool, critical: bool) -> intake::Ticket {
    let (impact, urgency) = if critical {
        (intake::Impact::Department, intake::Urgency::Critical)
    } else {
        (intake::Impact::Person, intake::Urgency::Medium)
    };
    let customer = if mailed { format!("C-{request}") } else { String::new() };
    let email = if mailed { format!("{request}@example.com") } else { String::new() };
    intake::Ticket {
        ticket_type: "incident".into(),
        title: "It does not start".into(),
        customer,
        contact: mailed.then(|| intake::Contact { email, ..intake::Contact::default() }),
        impact: impact.into(),
        urgency: urgency.into(),
        ..intake::Ticket::default()
    }
}
