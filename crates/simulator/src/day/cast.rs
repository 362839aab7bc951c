//! Who plays, as the documents of the pack name them, and how each wants to be told.

use std::sync::Arc;

use anyhow::{Context, ensure};
use chassis::endpoints::Channels;
use chassis::token::{DevKey, Role};
use proto::notifier::v1::{Address, Medium, Recipient};
use ticket::yaml::Document;

use super::person::Person;

/// Customers with a token of their own.
const CUSTOMERS: usize = 24;
/// The customer whose mail address is wrong.
const UNREACHABLE: usize = 5;

/// Names by role.
#[derive(Clone, Debug)]
pub struct Cast {
    agents: Vec<String>,
    dispatchers: Vec<String>,
    supervisors: Vec<String>,
    engineers: Vec<String>,
}

impl Cast {
    /// Reads the roster and the members of the queues `desk`, `second-line`, `field-dispatch` and `supervisors`.
    pub fn of(documents: &[Document]) -> anyhow::Result<Self> {
        let members = |name: &str| -> Vec<String> {
            let queue = documents.iter().find(|document| document.kind == "Queue" && document.name == name);
            let members = queue.and_then(|queue| queue.spec.get("members")?.as_array());
            members.into_iter().flatten().filter_map(|member| Some(member.as_str()?.to_owned())).collect()
        };
        let engineers = documents.iter().filter(|document| document.kind == "Engineer");
        let cast = Self {
            agents: [members("desk"), members("second-line")].concat(),
            dispatchers: members("field-dispatch"),
            supervisors: members("supervisors"),
            engineers: engineers.map(|document| document.name.clone()).collect(),
        };
        let each = [&cast.agents, &cast.dispatchers, &cast.supervisors, &cast.engineers];
        ensure!(each.iter().all(|people| !people.is_empty()), "the pack leaves a role empty: {cast:?}");
        Ok(cast)
    }
}

/// Everybody who plays.
pub(crate) struct People {
    pub(crate) operator: Person,
    pub(crate) customers: Vec<Arc<Person>>,
    pub(crate) agents: Vec<Arc<Person>>,
    pub(crate) dispatchers: Vec<Arc<Person>>,
    pub(crate) supervisors: Vec<Arc<Person>>,
    pub(crate) engineers: Vec<Arc<Person>>,
}

impl People {
    /// Gives everybody a token of their own.
    pub(crate) fn new(cast: &Cast, channels: &Channels, (key, tenant): (&DevKey, &str)) -> anyhow::Result<Self> {
        let person = |name: &str, role| Person::new(channels, (key, tenant), name, role);
        let people = |names: &[String], role| {
            names.iter().map(|name| Ok(Arc::new(person(name, role)?))).collect::<anyhow::Result<Vec<_>>>()
        };
        let customers: Vec<_> = (0..CUSTOMERS).map(|number| format!("customer-{number:02}")).collect();
        Ok(Self {
            operator: person("operator", Role::Admin)?,
            customers: people(&customers, Role::Requester)?,
            agents: people(&cast.agents, Role::Agent)?,
            dispatchers: people(&cast.dispatchers, Role::Dispatcher)?,
            supervisors: people(&cast.supervisors, Role::Supervisor)?,
            engineers: people(&cast.engineers, Role::Engineer)?,
        })
    }

    /// Those who answer for what they are told.
    pub(crate) fn office(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.agents.iter().chain(&self.dispatchers).chain(&self.supervisors)
    }

    /// Anybody who may look at every ticket.
    pub(crate) fn reader(&self) -> anyhow::Result<&Arc<Person>> {
        self.supervisors.first().context("there is a supervisor")
    }

    /// How everybody on our side wants to be told; `hooks` is the URL under which webhooks are taken, and their secret.
    pub(crate) fn recipients(&self, hooks: &(String, String)) -> Vec<Recipient> {
        let ours = self.office().chain(&self.engineers);
        let told = |(number, person): (usize, &Arc<Person>)| {
            let subject = person.subject.clone();
            let mut addresses = vec![address(Medium::Email, format!("{subject}@example.com"), "")];
            let by_hook = [self.dispatchers.first(), self.supervisors.first()].into_iter().flatten();
            if by_hook.into_iter().any(|other| other.subject == subject) {
                addresses.insert(0, address(Medium::Webhook, format!("{}/{subject}", hooks.0), &hooks.1));
            }
            let quiet = number % 2 == 0;
            let hour = |text: &str| if quiet { text.to_owned() } else { String::new() };
            Recipient {
                subject,
                language: if number % 4 == 1 { "zh-CN" } else { "en" }.into(),
                zone: "Europe/Berlin".into(),
                quiet_from: hour("11:00"),
                quiet_to: hour("14:00"),
                hourly_cap: if number % 3 == 1 { 2 } else { 0 },
                addresses,
                ..Recipient::default()
            }
        };
        ours.enumerate().map(told).collect()
    }
}

/// Where a customer is reached.
pub(crate) fn customer_mail(number: usize) -> String {
    let domain = if number == UNREACHABLE { "nowhere.example" } else { "example.com" };
    format!("customer-{number:02}@{domain}")
}

fn address(medium: Medium, address: String, secret: &str) -> Address {
    Address { medium: medium.into(), address, secret: secret.into(), ..Default::default() }
}
