//! From messages of the wire to what is asked.

use chassis::refuse::{Refused, listed};
use chassis::token::Role;
use chassis::wire;
use decider::Tenant;
use eventlog::Log;
use eventlog::service::Ask;
use proto::notifier::v1 as pb;
use proto::prost::Message;
use ticket::Personal;
use ticket::intake::Priority;
use ticket::notifier::{Device, Medium, Presence, Quiet, Verdict};
use tonic::{Request, Status};
use uuid::Uuid;

use super::{refuse, render};
use crate::defer;
use crate::person::{MAX_CAP, Settings, Way};
use crate::refusal::Refusal;
use crate::sender::Reach;
use crate::sender::channel::{Given, channel};
use crate::text::{DEFAULT_LANGUAGE, is_language};

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];

/// The zone of those who name none.
const DEFAULT_ZONE: &str = "UTC";

/// Who asks.
pub(super) struct Who {
    pub(super) tenant: Tenant,
    wire: wire::Who,
}

impl Who {
    /// Takes a request apart: who asks, and what.
    pub(super) fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let (wire, asked) = wire::Who::of(request)?;
        Ok((Self { tenant: Tenant::new(&wire.caller.tenant), wire }, asked))
    }

    /// The request under which a message is decided.
    pub(super) fn ask(&self, rpc: &str, message: &impl Message, request_id: &str) -> Result<Ask, Status> {
        let wire::Who { caller, trace } = &self.wire;
        let request = self.wire.request(rpc, message, request_id)?;
        Ok(Ask::by_user(&caller.tenant, &caller.subject, request, trace))
    }

    /// The caller's token subject.
    pub(super) fn subject(&self) -> &str {
        &self.wire.caller.subject
    }

    /// Whether the caller has one of these roles.
    pub(super) fn is_one_of(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.wire.caller.roles.contains(role))
    }

    /// The ticket and the reminder within a reminder's name; if it is none, there is no such reminder.
    pub(super) fn reminder_id(&self, name: &str) -> Result<(Uuid, Uuid), Status> {
        let parse = || {
            let (ticket, reminder) = name.rsplit_once("/reminders/")?;
            Some((wire::ticket_id(self.tenant.as_str(), ticket)?, reminder.parse().ok()?))
        };
        parse().ok_or_else(|| refuse::refused(&Refusal::ReminderUnknown).into_status())
    }
}

/// A medium; nothing if it is not said.
fn medium(medium: pb::Medium) -> Option<Medium> {
    Medium::ALL.into_iter().find(|known| render::medium(*known) == medium)
}

/// What somebody is; nothing if it is not said.
pub(super) fn presence(presence: pb::Presence) -> Option<Presence> {
    match presence {
        pb::Presence::Unspecified => None,
        pb::Presence::Online => Some(Presence::Online),
        pb::Presence::Busy => Some(Presence::Busy),
        pb::Presence::Away => Some(Presence::Away),
    }
}

/// What somebody has before them; nothing if it is not said.
pub(super) fn device(device: pb::Device) -> Option<Device> {
    match device {
        pb::Device::Unspecified => None,
        pb::Device::Desktop => Some(Device::Desktop),
        pb::Device::Phone => Some(Device::Phone),
    }
}

/// What is said of a reminder; nothing if it is not said.
pub(super) fn verdict(verdict: pb::Verdict) -> Option<Verdict> {
    match verdict {
        pb::Verdict::Unspecified => None,
        pb::Verdict::Useful => Some(Verdict::Useful),
        pb::Verdict::NotUseful => Some(Verdict::NotUseful),
        pb::Verdict::WrongPerson => Some(Verdict::WrongPerson),
    }
}

/// Faults of fields, gathered.
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    fn refused(self) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = self.0.iter().map(|(field, message)| format!("{field} {message}")).collect();
        let refused = listed(&[], "FIELDS_INVALID", all.join("; "));
        Err(self.0.into_iter().fold(refused, |refused, (field, message)| refused.field(field, message)))
    }
}

/// How somebody wants to be told, or every field that is wrong with it.
pub(super) fn settings(
    (asked, subject): (&pb::Recipient, &str),
    tenant: &Tenant,
    log: &Log,
    reach: &Reach,
) -> Result<Settings, Refused> {
    let mut faults = Faults(Vec::new());
    let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    let language = or(&asked.language, DEFAULT_LANGUAGE);
    if !is_language(&language) {
        faults.add("recipient.language", "must be a tag such as en or zh-CN");
    }
    let zone = or(&asked.zone, DEFAULT_ZONE);
    if defer::zone(&zone).is_none() {
        faults.add("recipient.zone", "must be an IANA zone such as Europe/Berlin");
    }
    if asked.hourly_cap > MAX_CAP {
        faults.add("recipient.hourly_cap", format!("must be at most {MAX_CAP}"));
    }
    let quiet = quiet(asked, &mut faults);
    let important_from = PRIORITIES.into_iter().find(|priority| priority.name() == asked.important_from);
    if important_from.is_none() && !asked.important_from.is_empty() {
        faults.add("recipient.important_from", "must be low, medium, high or critical");
    }
    let whose = log.pseudonym(tenant, "recipient", subject);
    let mut ways: Vec<Way> = Vec::new();
    for (n, address) in asked.addresses.iter().enumerate() {
        let field = format!("recipient.addresses[{n}]");
        let Some((medium, channel)) = medium(address.medium()).and_then(|medium| Some((medium, channel(medium)?)))
        else {
            faults.add(format!("{field}.medium"), "must be one that needs an address, such as EMAIL");
            continue;
        };
        if ways.iter().any(|way| way.medium == medium) {
            faults.add(format!("{field}.medium"), "is given twice");
        }
        for (part, must) in (channel.check)(&Given { address: &address.address, secret: &address.secret, reach }) {
            faults.add(format!("{field}.{part}"), must);
        }
        let digest = log.pseudonym(tenant, "address", &format!("{}\0{}", address.address, address.secret));
        let sealed = |text: &str| Personal::new(whose, text.to_owned());
        let secret = (!address.secret.is_empty()).then(|| sealed(&address.secret));
        let site = site(&address.address).map(|host| log.pseudonym(tenant, "site", &host));
        ways.push(Way { medium, digest, address: sealed(&address.address), secret, site });
    }
    faults.refused()?;
    Ok(Settings { language, zone, quiet, hourly_cap: asked.hourly_cap, important_from, ways })
}

/// The host of an address that is called, be it a URL or a push subscription that holds one.
fn site(address: &str) -> Option<String> {
    let (_, behind) = address.split_once("://")?;
    let authority = behind.split(['/', '?', '#', '"']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// `22:00` to `07:00`; both or none.
fn quiet(asked: &pb::Recipient, faults: &mut Faults) -> Option<Quiet> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    if asked.quiet_from.is_empty() && asked.quiet_to.is_empty() {
        return None;
    }
    let (from, to) = (minute(&asked.quiet_from), minute(&asked.quiet_to));
    for (field, read) in [("recipient.quiet_from", from), ("recipient.quiet_to", to)] {
        if read.is_none() {
            faults.add(field, "must be a time of day such as 22:00");
        }
    }
    let (from_minute, to_minute) = (from?, to?);
    if from_minute == to_minute {
        faults.add("recipient.quiet_to", "must not be quiet_from: nobody is quiet all day");
    }
    Some(Quiet { from_minute, to_minute })
}

#[cfg(test)]
mod tests {
    use super::site;

    #[test]
    fn addresses_at_one_host_are_at_one_site() {
        let push = r#"{"endpoint": "https://Push.example.org/send/abc", "keys": {}}"#;
        for (address, host) in [
            ("https://hooks.example.org:8443/a?b=c", Some("hooks.example.org")),
            ("https://user:word@hooks.example.org", Some("hooks.example.org")),
            (push, Some("push.example.org")),
            ("ann@example.org", None),
            ("+493012345678", None),
            ("https://", None),
        ] {
            assert_eq!(site(address).as_deref(), host, "{address}");
        }
    }
}
