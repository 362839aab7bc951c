//! Where tickets belong: the `kind: Routing` documents. The first rule that holds wins.

use serde_json::Value;
use ticket::condition::{Condition, TicketFacts};
use ticket::dispatch::Destination;
use ticket::document::{self, Fault, Part};

/// Most rules of a document.
const MAX_RULES: usize = 200;

/// The spec of a `kind: Routing` document.
#[derive(Debug)]
pub struct Routing {
    /// In their order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, unique in the document.
    pub name: String,
    /// When it holds.
    pub when: Condition,
    /// Where it sends a ticket.
    pub to: Destination,
}

impl Routing {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&["rules"]);
            let items = part.field("rules")?.items();
            if items.len() > MAX_RULES {
                part.fault_at("/rules", format!("has more than {MAX_RULES} rules"));
                return None;
            }
            let mut rules: Vec<Rule> = Vec::with_capacity(items.len());
            for item in items {
                let Some(rule) = rule(&item) else { continue };
                if rules.iter().any(|known| known.name == rule.name) {
                    item.fault_at("/name", "is the name of a rule before");
                }
                rules.push(rule);
            }
            Some(Self { rules })
        })
    }

    /// The first rule that holds.
    pub fn find(&self, facts: &TicketFacts) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.when.holds(&[("ticket", facts)]))
    }
}

fn rule(part: &Part<'_>) -> Option<Rule> {
    part.only(&["name", "when", "queue", "team", "person"]);
    let name = part.field("name").and_then(|name| name.text().map(str::to_owned));
    let when = part.field("when").and_then(|when| {
        let compiled = Condition::compile(when.text()?, &[("ticket", TicketFacts::sample())]);
        compiled.map_err(|message| when.fault(message)).ok()
    });
    let text = |name| part.maybe(name).and_then(|part| part.text().map(str::to_owned));
    let to = match (text("queue"), text("team"), text("person")) {
        (Some(queue), None, None) => Some(Destination::Queue(queue)),
        (None, Some(team), None) => Some(Destination::Team(team)),
        (None, None, Some(person)) => Some(Destination::Person(person)),
        _ => {
            part.fault("must name one of queue, team and person");
            None
        }
    };
    Some(Rule { name: name?, when: when?, to: to? })
}
