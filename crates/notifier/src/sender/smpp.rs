//! Text messages by SMPP 3.4: one session that is bound when it is first needed, GSM 7-bit where that can say it and UCS-2
//! where not, long messages in parts with a header each, receipts from the message centre.

use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rusmpp::extra::concatenation::SubmitSmMultipartExt;
use rusmpp::extra::encoding::ucs2::Ucs2;
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::TlvValue;
use rusmpp::types::COctetString;
use rusmpp::values::{InterfaceVersion, MessageState, MessageType, Npi, RegisteredDelivery, Ton};
use rusmpp::{CommandStatus, Pdu};
use rusmppc::error::Error;
use rusmppc::{Client, ConnectionBuilder, Event};
use serde::Deserialize;
use ticket::notifier::Medium;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_stream::{Stream, StreamExt};

use super::Trouble;
use super::channel::Carrier;
use super::hear::Mouth;
use super::post::{Letter, Posting, passing, permanent};
use super::sms::text;
use super::twilio::is_number;
use crate::retry::{Fate, Taken};

/// How long a message centre that is asked too much is left alone, seconds.
const THROTTLED_SECS: u32 = 10;
/// A receipt is wanted of how it ended, well or not.
const RECEIPT: u8 = 1;

/// A message centre.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Centre {
    /// `host:port`.
    address: String,
    system_id: String,
    password: String,
    /// Who it is from: a number, or a name of at most eleven letters.
    from: String,
}

/// The session with a message centre.
pub(super) struct Smpp {
    centre: Centre,
    timeout: Duration,
    mouth: Mouth,
    session: Mutex<Option<Client>>,
    /// Tells the parts of one message from those of others.
    reference: AtomicU16,
}

impl Carrier for Smpp {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(self.send(letter))
    }
}

impl Smpp {
    pub(super) fn new(centre: Centre, timeout: Duration, mouth: &Mouth) -> Self {
        Self { centre, timeout, mouth: mouth.clone(), session: Mutex::default(), reference: AtomicU16::new(0) }
    }

    async fn send(&self, letter: &Letter) -> Result<Taken, Trouble> {
        let parts = self.parts(letter)?;
        let many = parts.len();
        let client = self.session().await?;
        let mut reference = String::new();
        for part in parts {
            let taken = client.submit_sm(part).await.map_err(|error| trouble(&error))?;
            reference = taken.message_id().to_string();
        }
        let receipt = format!("taken in {many} as {reference}");
        Ok(Taken { receipt, reference: Some(reference) })
    }

    /// The message in as many parts as it takes; a receipt is wanted of the last.
    fn parts(&self, letter: &Letter) -> Result<Vec<SubmitSm>, Trouble> {
        let to = letter.address.strip_prefix('+').unwrap_or(&letter.address);
        let to = COctetString::from_str(to).map_err(|_| permanent("address invalid"))?;
        let (kind, plan, from) = match self.centre.from.strip_prefix('+') {
            Some(number) if is_number(&self.centre.from) => (Ton::International, Npi::Isdn, number),
            _ => (Ton::Alphanumeric, Npi::Unknown, self.centre.from.as_str()),
        };
        let from = COctetString::from_str(from).map_err(|_| permanent("sender invalid"))?;
        let whole = SubmitSm::builder()
            .source_addr_ton(kind)
            .source_addr_npi(plan)
            .source_addr(from)
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(to)
            .build();
        let text = text(letter);
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let parts = whole.multipart(&text).reference_u16(reference).gsm7bit_unpacked().fallback(Ucs2::new()).build();
        let mut parts = parts.map_err(|_| permanent("message invalid"))?;
        if let Some(last) = parts.last_mut() {
            last.registered_delivery = RegisteredDelivery::from(RECEIPT);
        }
        Ok(parts)
    }

    /// The session, bound anew where there is none.
    async fn session(&self) -> Result<Client, Trouble> {
        let mut session = self.session.lock().await;
        if let Some(client) = session.as_ref().filter(|client| client.is_active()) {
            return Ok(client.clone());
        }
        let connecting = tokio::time::timeout(self.timeout, TcpStream::connect(&self.centre.address)).await;
        let stream = connecting.map_err(|_| passing("timeout"))?.map_err(|_| passing("unreachable"))?;
        let builder = ConnectionBuilder::new().response_timeout(self.timeout).disable_interface_version_check();
        let (client, events) = builder.connected(stream);
        let word = |text: &str| COctetString::from_str(text).map_err(|_| permanent("credentials invalid"));
        let password = COctetString::from_str(&self.centre.password).map_err(|_| permanent("credentials invalid"))?;
        let bind = BindTransceiver::builder().system_id(word(&self.centre.system_id)?).password(password);
        let bind = bind.interface_version(InterfaceVersion::Smpp3_4).build();
        if let Err(error) = client.bind_transceiver(bind).await {
            // Whatever is wrong with a bind is wrong with us, and not with who is to be told.
            drop(client.close().await);
            return Err(Trouble { permanent: false, ..trouble(&error) });
        }
        tokio::spawn(listen(client.clone(), events, self.mouth.clone()));
        *session = Some(client.clone());
        Ok(client)
    }
}

/// Hears what the message centre says of its own, as long as the session lasts. What is not recorded is not answered: it
/// is told again.
async fn listen(client: Client, mut events: impl Stream<Item = Event> + Unpin, mouth: Mouth) {
    while let Some(event) = events.next().await {
        let Event::Incoming(command) = event else { continue };
        let Some(Pdu::DeliverSm(said)) = command.pdu() else { continue };
        let heard = match report(said) {
            Some((reference, fate)) => mouth.tell(Medium::Sms, reference, fate).await,
            None => true,
        };
        if heard && client.deliver_sm_resp(command.sequence_number(), DeliverSmResp::default()).await.is_err() {
            return;
        }
    }
}

/// What a receipt says of which message; nothing if it is none, or of something that goes on.
fn report(said: &DeliverSm) -> Option<(String, Fate)> {
    if said.esm_class.message_type != MessageType::ShortMessageContainsMCDeliveryReceipt {
        return None;
    }
    let text = String::from_utf8_lossy(said.short_message().as_ref()).into_owned();
    let (mut reference, mut state) = (word(&text, "id:"), word(&text, "stat:").and_then(|word| named(&word)));
    for tlv in said.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(id)) => reference = Some(id.to_string()),
            Some(TlvValue::MessageState(told)) => state = Some(*told),
            _ => {}
        }
    }
    let fate = match state? {
        MessageState::Delivered => Fate::Delivered("receipt delivered".to_owned()),
        MessageState::Expired => returned("expired"),
        MessageState::Deleted => returned("deleted"),
        MessageState::Undeliverable => returned("undeliverable"),
        MessageState::Rejected => returned("rejected"),
        _ => return None,
    };
    Some((reference?, fate))
}

fn returned(state: &str) -> Fate {
    Fate::Returned(format!("receipt {state}"))
}

/// The state behind the seven letters that a receipt's text has.
fn named(word: &str) -> Option<MessageState> {
    Some(match word {
        "DELIVRD" => MessageState::Delivered,
        "EXPIRED" => MessageState::Expired,
        "DELETED" => MessageState::Deleted,
        "UNDELIV" => MessageState::Undeliverable,
        "REJECTD" => MessageState::Rejected,
        _ => return None,
    })
}

/// The word behind a label of a receipt's text: `id:77 sub:001 … stat:DELIVRD err:000 text:…`.
fn word(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn trouble(error: &Error) -> Trouble {
    match error {
        Error::UnexpectedResponse { response } => {
            let status = response.status();
            let kind = format!("status {:#010x}", u32::from(status));
            match status {
                CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => {
                    Trouble { retry_after_secs: Some(THROTTLED_SECS), ..passing(kind) }
                }
                CommandStatus::EsmeRinvdstadr | CommandStatus::EsmeRinvdstton | CommandStatus::EsmeRinvdstnpi => {
                    permanent(kind)
                }
                _ => passing(kind),
            }
        }
        Error::ResponseTimeout { .. } => passing("timeout"),
        _ => passing("unreachable"),
    }
}
