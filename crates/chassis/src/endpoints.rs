//! Where the services of a cluster listen, and the way there: one address for all, or some for each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint, Error};

/// How long a service is waited for before the next address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The services of a cluster, as their addresses name them.
pub const SERVICES: [&str; 5] = ["intake", "dispatch", "sla-monitor", "notifier", "analytics"];

/// Addresses as somebody writes them: `http://host:port` for every service, or `service=http://host:port` for each, as
/// often as it has replicas; apart by white space or commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<&'static str, Vec<String>>);

/// Why a text does not say where the services are.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It names a service there is none of.
    #[error("no service is called {0}")]
    Unknown(String),
    /// It has no address of a service.
    #[error("no address of {0}")]
    Missing(&'static str),
    /// An address is no URI.
    #[error("{0} is no address: {1}")]
    Address(String, Error),
    /// Nothing listens at any of the addresses.
    #[error("no cluster answers at {0}")]
    Nobody(String),
}

impl FromStr for Endpoints {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let mut addresses = Self::default();
        for word in text.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty()) {
            let Some((name, address)) = word.split_once('=') else {
                for service in SERVICES {
                    addresses.push(service, word);
                }
                continue;
            };
            let service = SERVICES.into_iter().find(|service| *service == name);
            addresses.push(service.ok_or_else(|| EndpointError::Unknown(name.to_owned()))?, address);
        }
        match SERVICES.into_iter().find(|service| !addresses.0.contains_key(service)) {
            Some(missing) => Err(EndpointError::Missing(missing)),
            None => Ok(addresses),
        }
    }
}

/// A line for each address, as it is read.
impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter().flat_map(|(service, all)| all.iter().map(move |address| (service, address)));
        lines.try_for_each(|(service, address)| writeln!(f, "{service}={address}"))
    }
}

impl Endpoints {
    fn push(&mut self, service: &'static str, address: &str) {
        self.0.entry(service).or_default().push(address.to_owned());
    }

    /// Connects to the first replica of each service that answers. One that has none is called again with every call,
    /// so that it is missed only by who needs it; fails if no service answers at all.
    pub async fn connect(&self) -> Result<Channels, EndpointError> {
        let mut known = BTreeMap::new();
        let mut channels = BTreeMap::new();
        for (service, addresses) in &self.0 {
            let mut chosen = None;
            for address in addresses {
                if !known.contains_key(address) {
                    known.insert(address, endpoint(address)?.connect().await.ok());
                }
                chosen = chosen.or_else(|| known.get(address).cloned().flatten());
            }
            channels.insert(*service, (chosen, addresses));
        }
        if known.values().all(Option::is_none) {
            let tried: Vec<_> = known.into_keys().map(String::as_str).collect();
            return Err(EndpointError::Nobody(tried.join(", ")));
        }
        let channel = |service| match channels.get(service) {
            Some((Some(channel), _)) => Ok(channel.clone()),
            Some((None, addresses)) => Ok(endpoint(addresses.first().map_or("", String::as_str))?.connect_lazy()),
            None => Err(EndpointError::Missing(service)),
        };
        Ok(Channels {
            intake: channel("intake")?,
            dispatch: channel("dispatch")?,
            sla_monitor: channel("sla-monitor")?,
            notifier: channel("notifier")?,
            analytics: channel("analytics")?,
        })
    }
}

fn endpoint(address: &str) -> Result<Endpoint, EndpointError> {
    let endpoint = Endpoint::from_shared(address.to_owned());
    let endpoint = endpoint.map_err(|error| EndpointError::Address(address.to_owned(), error))?;
    Ok(endpoint.connect_timeout(CONNECT_TIMEOUT))
}

/// A channel to each service; with one listener all are the same.
#[derive(Clone, Debug)]
pub struct Channels {
    pub(crate) intake: Channel,
    pub(crate) dispatch: Channel,
    pub(crate) sla_monitor: Channel,
    pub(crate) notifier: Channel,
    pub(crate) analytics: Channel,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_stands_for_all_and_each_service_may_have_its_own() {
        let one: Endpoints = "http://127.0.0.1:7100\n".parse().unwrap();
        assert_eq!(one.to_string().lines().count(), 5);
        let each = "intake=http://a:1 dispatch=http://b:1,sla-monitor=http://c:1\nnotifier=http://d:1\n\
                    analytics=http://e:1\nintake=http://f:1";
        let each: Endpoints = each.parse().unwrap();
        assert_eq!(each.0["intake"], ["http://a:1", "http://f:1"]);
        assert_eq!(each.to_string().parse::<Endpoints>().unwrap(), each);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let error = |text: &str| text.parse::<Endpoints>().unwrap_err().to_string();
        assert_eq!(error("intake=http://a:1"), "no address of dispatch");
        assert_eq!(error("billing=http://a:1"), "no service is called billing");
        assert_eq!(error(""), "no address of intake");
    }

    #[tokio::test]
    async fn the_first_replica_that_answers_is_taken_and_a_silent_service_is_not_everybodys() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        let serving = tonic::transport::Server::builder()
            .add_routes(tonic::service::Routes::default())
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener));
        let serving = tokio::spawn(serving);
        let nowhere = "http://127.0.0.1:1";
        let text = format!(
            "intake={nowhere} intake={here} dispatch={here} sla-monitor={here} notifier={nowhere} analytics={here}"
        );
        text.parse::<Endpoints>().unwrap().connect().await.unwrap();
        let error = nowhere.parse::<Endpoints>().unwrap().connect().await.unwrap_err();
        assert_eq!(error.to_string(), "no cluster answers at http://127.0.0.1:1");
        serving.abort();
    }
}
