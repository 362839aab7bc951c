//! How letters leave the process, and where the links in them come back.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use eventlog::Service;
use notifier::Notifier;
use notifier::link::Links;
use notifier::sender::{Outside, Reach, Sender, SenderConfig, answers};
use serde_json::Value;
use ticket::yaml;

use super::bind;
use super::house::House;

/// How long the answer of a mail server or a web server is waited for.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How effects leave the house.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Carries no effect out: nobody is mailed, no webhook is called.
    pub hold: bool,
    /// The mail server, `smtp://host:port` or `smtps://host:port`; without it nobody is mailed.
    pub smtp: Option<String>,
    /// A file of certificates trusted for the mail server beside the machine's own.
    pub smtp_ca: Option<PathBuf>,
    /// The sender of mails.
    pub mail_from: String,
    /// Where webhooks and other addresses of the web may lead.
    pub reach: Reach,
    /// A file that says what channels need: accounts of providers, keys.
    pub channels: Option<PathBuf>,
    /// What links in letters begin with; without it letters carry none.
    pub links_url: Option<String>,
    /// Where links are answered.
    pub links_addr: String,
}

impl House {
    /// Sends letters, unless effects are held, and answers the links in them; beside the owner of a log nobody does.
    /// `secret` signs links. Where links are answered, if they are.
    pub(super) async fn send(
        &mut self,
        notifier: Arc<Service<Notifier>>,
        effects: &Effects,
        secret: &[u8; 32],
    ) -> anyhow::Result<Option<SocketAddr>> {
        if self.read_only {
            return Ok(None);
        }
        let outside = Outside::new(&config(effects)?)?;
        let hold = effects.hold.then(|| self.log.hold("--hold-effects was given"));
        let mut sender = Sender::new(Arc::clone(&notifier), Arc::new(outside));
        let mut answered_at = None;
        if let Some(url) = &effects.links_url {
            let links = Links::new(url, secret)?;
            sender = sender.with_links(links.clone());
            let listener = bind(&effects.links_addr).await?;
            answered_at = Some(listener.local_addr()?);
            let router = answers::router(notifier, links);
            self.lifecycle.front("links", |stop| async move {
                axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
            });
        }
        self.lifecycle.back("sender", |stop| async move {
            sender.run(stop).await;
            drop(hold);
            Ok::<_, Infallible>(())
        });
        Ok(answered_at)
    }
}

fn config(effects: &Effects) -> anyhow::Result<SenderConfig> {
    let Effects { smtp: smtp_url, smtp_ca, mail_from, reach, channels, .. } = effects.clone();
    let read = |file: PathBuf| std::fs::read(&file).with_context(|| format!("reading {}", file.display()));
    Ok(SenderConfig {
        smtp_url,
        smtp_ca: smtp_ca.map(read).transpose()?,
        mail_from,
        timeout: SEND_TIMEOUT,
        reach,
        channels: channels.as_deref().map(channels_of).transpose()?.unwrap_or_default(),
    })
}

/// What a file says of channels. Its faults are told by their places alone: it holds secrets.
fn channels_of(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    match yaml::load(&text) {
        Ok(mut documents) if documents.len() == 1 => Ok(documents.remove(0).value),
        Ok(_) => bail!("{} must hold one document", file.display()),
        Err(faults) => {
            let lines: Vec<_> = faults.iter().map(|fault| fault.place.line.to_string()).collect();
            bail!("{} is no YAML: see line {}", file.display(), lines.join(", "))
        }
    }
}
