//! The accounts of the bus as its server is configured: the house's own, and one for each subscriber.
//!
//! An account of its own, and not just permissions: whoever may ask for messages names the subject they are sent to, and
//! within one account that may be anybody's inbox or a stream of ours. Across accounts an answer goes back to the account
//! that asked, and the permissions keep it in the asker's inbox.

use std::fmt::Write as _;

use super::subscribers::{Login, Outsiders};
use super::{API_PREFIX, STREAM};

/// The account of our own services, which holds every stream.
pub const INTERNAL: &str = "DOCKET";

/// The block `accounts` of the server's configuration.
pub fn accounts(outsiders: &Outsiders) -> String {
    let (user, password) = &outsiders.internal;
    let exports: String = outsiders.subscribers.keys().map(|name| exports(name)).collect();
    let mut text = format!(
        "accounts {{\n  {INTERNAL} {{\n    jetstream: enabled\n    \
         users: [ {{ user: \"{user}\", password: \"{password}\" }} ]\n    \
         exports: [\n{exports}    ]\n  }}\n"
    );
    for (name, subscriber) in &outsiders.subscribers {
        account(&mut text, name, &subscriber.login);
    }
    text.push_str("}\n");
    text
}

/// What the house's account lets this subscriber ask of it.
fn exports(name: &str) -> String {
    let account = account_of(name);
    format!(
        "      {{ service: \"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}\", response_type: stream, accounts: [{account}] }}\n      \
               {{ service: \"$JS.API.CONSUMER.INFO.{STREAM}.{name}\", accounts: [{account}] }}\n      \
               {{ service: \"$JS.ACK.{STREAM}.{name}.>\", accounts: [{account}] }}\n"
    )
}

fn account(text: &mut String, name: &str, login: &Login) {
    let who = match login {
        Login::Password(hash) => format!("user: \"{name}\", password: \"{hash}\""),
        Login::Nkey(key) => format!("nkey: {key}"),
    };
    let (next, info) = (format!("CONSUMER.MSG.NEXT.{STREAM}.{name}"), format!("CONSUMER.INFO.{STREAM}.{name}"));
    let ack = format!("$JS.ACK.{STREAM}.{name}.>");
    let import = |subject: &str, to: &str| {
        format!("      {{ service: {{ account: {INTERNAL}, subject: \"{subject}\" }}, to: \"{to}\" }}\n")
    };
    let imports = [
        import(&format!("$JS.API.{next}"), &format!("{API_PREFIX}.{next}")),
        import(&format!("$JS.API.{info}"), &format!("{API_PREFIX}.{info}")),
        import(&ack, &ack),
    ]
    .concat();
    let account = account_of(name);
    // Writing into a string cannot fail.
    let _written = write!(
        text,
        "  {account} {{\n    \
           users: [ {{ {who}, permissions: {{\n      \
             publish: {{ allow: [\"{API_PREFIX}.{next}\", \"{API_PREFIX}.{info}\", \"{ack}\"] }}\n      \
             subscribe: {{ allow: [\"_INBOX_{name}.>\"] }}\n    }} }} ]\n    \
           imports: [\n{imports}    ]\n  }}\n"
    );
}

fn account_of(name: &str) -> String {
    format!("OUT_{name}")
}
