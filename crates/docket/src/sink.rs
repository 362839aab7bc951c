//! `docket sink`: a mail server, a webhook receiver, a chat robot and a provider of text messages of somebody else, which
//! write down what really arrived.
//!
//! A message is a line in `mails.tsv` or `hooks.tsv`, on the disk before the sender hears that it was taken: kind,
//! Message-ID or webhook-id, recipient, subject. Of what has no id, `robots.tsv` and `texts.tsv` have the body as it came:
//! kind, body, recipient. While the file `outage` lies there everything is refused, and each
//! refusal is a line in `refused.tsv`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::lifecycle::stop_signal;
use chassis::token::DevKey;
use standardwebhooks::Webhook;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, oneshot};

use crate::cli::Sink;
use crate::out;

mod hook;
mod smtp;

/// Connections served at once by each of the two; more wait.
const MAX_CONNECTIONS: usize = 64;
/// The longest message taken, bytes.
const MESSAGE_MAX_BYTES: usize = 256 * 1024;

/// Where arrivals are written down.
pub(crate) struct Book {
    dir: PathBuf,
    mails: Mutex<File>,
    hooks: Mutex<File>,
    robots: Mutex<File>,
    texts: Mutex<File>,
    refused: Mutex<File>,
    webhook: Webhook,
}

impl Book {
    async fn open(dir: &Path) -> anyhow::Result<Self> {
        tokio::fs::create_dir_all(dir).await.with_context(|| format!("making {}", dir.display()))?;
        let secret = DevKey::load_or_create(&dir.join("sink.key"))?.derive("webhook");
        tokio::fs::write(dir.join("secret"), format!("whsec_{}\n", STANDARD.encode(secret))).await?;
        let file = async |name: &str| -> anyhow::Result<Mutex<File>> {
            let path = dir.join(name);
            let file = OpenOptions::new().create(true).append(true).open(&path).await;
            Ok(Mutex::new(file.with_context(|| format!("opening {}", path.display()))?))
        };
        Ok(Self {
            dir: dir.to_owned(),
            mails: file("mails.tsv").await?,
            hooks: file("hooks.tsv").await?,
            robots: file("robots.tsv").await?,
            texts: file("texts.tsv").await?,
            refused: file("refused.tsv").await?,
            webhook: Webhook::from_bytes(secret.to_vec())?,
        })
    }

    /// Whether nothing is taken right now.
    fn is_out(&self) -> bool {
        self.dir.join("outage").exists()
    }

    async fn refuse(&self, kind: &str) -> std::io::Result<()> {
        note(&self.refused, &[kind]).await
    }
}

/// Appends a line and has it on the disk when it returns.
async fn note(file: &Mutex<File>, cells: &[&str]) -> std::io::Result<()> {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace(|c: char| c.is_control(), " ")).collect();
    let mut file = file.lock().await;
    file.write_all(format!("{}\n", cells.join("\t")).as_bytes()).await?;
    file.flush().await?;
    file.sync_data().await
}

pub(crate) async fn run(args: &Sink) -> anyhow::Result<ExitCode> {
    let stop = stop_signal()?;
    let book = Arc::new(Book::open(&args.dir).await?);
    let mail = listen(&args.dir.join("smtp")).await?;
    let http = listen(&args.dir.join("http")).await?;
    out::say(format!("smtp {} http {}", mail.local_addr()?, http.local_addr()?));
    let orphaned = args.with_parent.then(end_of_input);
    let orphaned = async {
        match orphaned {
            // The other end is held by the parent alone: nothing is ever said on it.
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop => {}
        () = orphaned => {}
        served = serve_mail(mail, Arc::clone(&book)) => served?,
        served = axum::serve(http, hook::router(book)) => served?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Told when standard input ends; a thread of its own, for a read that blocks cannot be taken back.
fn end_of_input() -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let read = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop((read, end));
    });
    ended
}

/// Listens where it did before, so that addresses given out stay good, else anywhere; the address is in the file.
async fn listen(file: &Path) -> anyhow::Result<TcpListener> {
    let before = tokio::fs::read_to_string(file).await.unwrap_or_default();
    let listener = match before.trim().parse::<SocketAddr>() {
        Ok(before) => TcpListener::bind(before).await.ok(),
        Err(_) => None,
    };
    let listener = match listener {
        Some(listener) => listener,
        None => TcpListener::bind("127.0.0.1:0").await?,
    };
    // The file appears whole: whoever waits for it reads a whole address.
    let draft = file.with_extension("draft");
    tokio::fs::write(&draft, format!("{}\n", listener.local_addr()?)).await?;
    tokio::fs::rename(&draft, file).await?;
    Ok(listener)
}

async fn serve_mail(listener: TcpListener, book: Arc<Book>) -> anyhow::Result<()> {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let (connection, _) = listener.accept().await?;
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            // A client that goes away in the middle of a message has not handed it over.
            drop(smtp::converse(connection, &book).await);
            drop(slot);
        });
    }
}
