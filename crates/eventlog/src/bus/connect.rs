//! The connection to the broker: kept for ever, every break of it told at once.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;
use tokio::time::timeout;

use super::BusError;

/// Longest wait for an answer of the broker.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// A broker that answers none of three pings is gone; one is sent this often.
const PING: Duration = Duration::from_secs(2);
/// First and longest wait between two attempts to connect; each is twice the one before.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Where the broker is, and who asks.
#[derive(Clone, Debug)]
pub struct Address {
    /// `nats://host:port` or `tls://host:port`; several, separated by commas, for a cluster.
    pub url: String,
    /// The connection's name, for the broker's own reports.
    pub name: String,
    /// How this program proves who it is.
    pub credentials: Credentials,
    /// Only by TLS, whatever the broker offers.
    pub tls: bool,
    /// Certificates trusted beside the machine's own.
    pub ca: Option<PathBuf>,
}

impl Address {
    /// A broker on this address that asks for nothing.
    pub fn open(url: &str, name: &str) -> Self {
        Self { url: url.to_owned(), name: name.to_owned(), credentials: Credentials::None, tls: false, ca: None }
    }
}

/// How a client proves who it is.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// By a password.
    Password {
        /// Whose.
        user: String,
        /// Which.
        password: String,
    },
    /// By the seed of an nkey.
    Nkey(String),
    /// By a credentials file.
    File(PathBuf),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
            Self::Nkey(_) => f.write_str("Nkey"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A connection to the broker, which lasts until the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Bus {
    jetstream: Context,
    state: watch::Receiver<State>,
}

/// The connection as its last events left it.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    connected: bool,
    breaks: u64,
}

impl Bus {
    /// Begins to connect, and goes on for ever, with a growing wait of at most two seconds between attempts: until it has,
    /// requests are answered by [`BusError::Unavailable`]. Fails only if the address or the credentials cannot be read.
    pub async fn connect(address: &Address) -> Result<Self, BusError> {
        let (told, state) = watch::channel(State::default());
        let options = options(address).await.map_err(|error| BusError::Refused(error.to_string()))?;
        let options = options.event_callback(move |event| {
            let told = told.clone();
            async move { tell(&told, &event) }
        });
        let servers = address.url.split(',').map(str::parse).collect::<Result<Vec<async_nats::ServerAddr>, _>>();
        let servers = servers.map_err(|error| BusError::Refused(format!("{}: {error}", address.url)))?;
        let client = options.connect(servers).await.map_err(|error| BusError::Refused(error.to_string()))?;
        Ok(Self { jetstream: ContextBuilder::new().timeout(ANSWER).build(client), state })
    }

    pub(crate) fn jetstream(&self) -> &Context {
        &self.jetstream
    }

    pub(crate) fn client(&self) -> Client {
        self.jetstream.client()
    }

    /// The connection, once there is one, to be watched from now on.
    pub(crate) async fn link(&self) -> Result<Link, BusError> {
        let mut state = self.state.clone();
        let breaks = match timeout(ANSWER, state.wait_for(|state| state.connected)).await {
            Ok(Ok(up)) => up.breaks,
            Ok(Err(_)) | Err(_) => return Err(BusError::Unavailable("there is no connection".into())),
        };
        Ok(Link { state, breaks })
    }
}

/// The connection as it was when somebody began to rely on it.
pub(crate) struct Link {
    state: watch::Receiver<State>,
    breaks: u64,
}

impl Link {
    /// Resolves when the connection has broken since, however soon it was mended.
    pub(crate) async fn broken(&mut self) -> BusError {
        let breaks = self.breaks;
        // The sender lives as long as the client.
        let _closed_is_broken_too = self.state.wait_for(|state| state.breaks > breaks).await;
        BusError::Unavailable("the connection broke".into())
    }
}

async fn options(address: &Address) -> std::io::Result<ConnectOptions> {
    let options = ConnectOptions::new()
        .name(&address.name)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| super::doubling(RECONNECT, attempts))
        .ping_interval(PING)
        .request_timeout(Some(ANSWER))
        .require_tls(address.tls);
    let options = match &address.ca {
        None => options,
        Some(file) => options.add_root_certificates(file.clone()),
    };
    match &address.credentials {
        Credentials::None => Ok(options),
        Credentials::Password { user, password } => Ok(options.user_and_password(user.clone(), password.clone())),
        Credentials::Nkey(seed) => Ok(options.nkey(seed.clone())),
        Credentials::File(file) => options.credentials_file(file).await,
    }
}

fn tell(told: &watch::Sender<State>, event: &Event) {
    match event {
        Event::Connected => {
            tracing::info!("connected to the broker");
            told.send_modify(|state| state.connected = true);
        }
        Event::Disconnected | Event::Closed => {
            tracing::warn!(%event, "the connection to the broker broke");
            told.send_modify(|state| *state = State { connected: false, breaks: state.breaks + 1 });
        }
        other => tracing::warn!(event = %other, "the broker's connection"),
    }
}
