//! Personal data inside JSON: sealed before it is stored, opened for rendering, found erased once its key is gone.
//!
//! `{"personal":{"subject","value"}}` is stored as `{"sealed":{"subject","data"}}`, wherever it stands in a body. The data
//! is base64 of event id, nonce and AES-256-GCM cipher text with its tag; tenant, subject and event id are bound to it.
//! The nonce is a keyed hash of event id, place and text: the same event gives the same bytes under the same keys, and
//! no nonce is ever used for two texts.

use std::collections::BTreeSet;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decider::Tenant;
use memchr::memmem;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::append::Rejected;
use crate::keys::{Keys, Ring};
use crate::store::StoreError;

/// The tag of a value as decided.
pub const PLAIN: &str = "personal";
/// The tag of a value as stored.
pub const SEALED: &str = "sealed";
/// The tag of a value whose key was destroyed, as rendered; never stored.
pub const ERASED: &str = "erased";

const ID_BYTES: usize = 16;

/// The key of one subject, as two: one seals, one makes nonces.
pub(crate) struct SubjectKey {
    seal: LessSafeKey,
    nonce: hmac::Key,
}

impl SubjectKey {
    /// Derives both from the stored key.
    pub(crate) fn new(stored: &[u8; 32]) -> Result<Self, StoreError> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, stored);
        let seal = UnboundKey::new(&AES_256_GCM, hmac::sign(&root, b"seal").as_ref())
            .map_err(|_| StoreError::Damaged("a subject's key has not the length of a key".into()))?;
        let nonce = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"nonce").as_ref());
        Ok(Self { seal: LessSafeKey::new(seal), nonce })
    }

    fn nonce(&self, event: Uuid, place: u64, text: &[u8]) -> [u8; NONCE_LEN] {
        let mut context = hmac::Context::with_key(&self.nonce);
        context.update(event.as_bytes());
        context.update(&place.to_be_bytes());
        context.update(text);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&context.sign().as_ref()[..NONCE_LEN]);
        nonce
    }
}

/// Whose value of which event a cipher text is; the authenticated half of it.
struct Bound<'a> {
    tenant: &'a Tenant,
    subject: Uuid,
    event: Uuid,
}

impl Bound<'_> {
    fn aad(&self) -> Aad<Vec<u8>> {
        Aad::from([self.tenant.as_str().as_bytes(), b"\0", self.subject.as_bytes(), self.event.as_bytes()].concat())
    }

    fn seal(&self, key: &SubjectKey, place: u64, text: Vec<u8>) -> Result<String, StoreError> {
        let nonce = key.nonce(self.event, place, &text);
        let mut cipher = text;
        key.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.aad(), &mut cipher)
            .map_err(|_| StoreError::Damaged("a value could not be sealed".into()))?;
        Ok(STANDARD.encode([self.event.as_bytes().as_slice(), &nonce, &cipher].concat()))
    }
}

/// Seals the personal data of one append's events, each with its id; bodies without any are left as they are.
pub(crate) async fn seal(keys: &Keys, tenant: &Tenant, events: &mut [(Uuid, &mut Vec<u8>)]) -> Result<(), Rejected> {
    let mut parsed = Vec::new();
    let mut subjects = BTreeSet::new();
    for (id, body) in events.iter_mut().filter(|(_, body)| mentions(body, PLAIN)) {
        let value = serde_json::from_slice(body).map_err(|error| StoreError::Damaged(format!("a body: {error}")))?;
        collect(&value, PLAIN, &mut subjects);
        parsed.push((*id, body, value));
    }
    if subjects.is_empty() {
        return Ok(());
    }
    let ring = keys.for_sealing(tenant, &subjects).await?;
    for (event, body, mut value) in parsed {
        let mut place = 0;
        replace(&mut value, PLAIN, &mut |subject, content| {
            let key = ring.get(&subject).ok_or_else(|| StoreError::Damaged("a key is missing".into()))?;
            let text = content.get("value").unwrap_or(&Value::Null).to_string().into_bytes();
            let data = Bound { tenant, subject, event }.seal(key, place, text)?;
            place += 1;
            Ok(json!({ SEALED: { "subject": subject, "data": data } }))
        })?;
        **body = value.to_string().into_bytes();
    }
    Ok(())
}

/// Opens every sealed value of one tenant inside `body`, in place; those whose key is gone become `{"erased":{subject}}`.
pub(crate) async fn open(keys: &Keys, tenant: &Tenant, body: &mut Value) -> Result<(), StoreError> {
    let mut subjects = BTreeSet::new();
    collect(body, SEALED, &mut subjects);
    if subjects.is_empty() {
        return Ok(());
    }
    let ring = keys.for_opening(tenant, &subjects).await?;
    replace(body, SEALED, &mut |subject, content| {
        let data = content.get("data").and_then(Value::as_str).unwrap_or_default();
        Ok(match open_one(&ring, tenant, subject, data)? {
            Some(text) => json!({ PLAIN: { "subject": subject, "value": parse::<Value>(subject, &text)? } }),
            None => json!({ ERASED: { "subject": subject } }),
        })
    })
}

/// The JSON text of one sealed value; `None` if its key is gone.
pub(crate) fn open_one(ring: &Ring, tenant: &Tenant, subject: Uuid, data: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(key) = ring.get(&subject) else { return Ok(None) };
    let damaged = || unreadable(subject);
    let bytes = STANDARD.decode(data).map_err(|_| damaged())?;
    let (event, rest) = bytes.split_at_checked(ID_BYTES).ok_or_else(damaged)?;
    let (nonce, cipher) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
    let event = Uuid::from_slice(event).map_err(|_| damaged())?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
    let mut text = cipher.to_vec();
    let aad = Bound { tenant, subject, event }.aad();
    let length = key.seal.open_in_place(nonce, aad, &mut text).map_err(|_| damaged())?.len();
    text.truncate(length);
    Ok(Some(text))
}

/// The value a JSON text stands for.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(subject: Uuid, text: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(text).map_err(|_| unreadable(subject))
}

fn unreadable(subject: Uuid) -> StoreError {
    StoreError::Damaged(format!("a sealed value of subject {subject} does not open under its key"))
}

/// Whether the bytes hold `"tag"`: a body that does not need not be parsed.
pub(crate) fn mentions(body: &[u8], tag: &str) -> bool {
    memmem::find(body, format!("\"{tag}\"").as_bytes()).is_some()
}

/// The subject of a value that is nothing but `{tag:{"subject":…}}`.
fn tagged(object: &Map<String, Value>, tag: &str) -> Option<Uuid> {
    let content = (object.len() == 1).then(|| object.get(tag))??;
    Uuid::parse_str(content.get("subject")?.as_str()?).ok()
}

fn collect(value: &Value, tag: &str, subjects: &mut BTreeSet<Uuid>) {
    match value {
        Value::Object(object) => match tagged(object, tag) {
            Some(subject) => drop(subjects.insert(subject)),
            None => object.values().for_each(|value| collect(value, tag, subjects)),
        },
        Value::Array(values) => values.iter().for_each(|value| collect(value, tag, subjects)),
        _ => {}
    }
}

pub(crate) type Replacement<'a> = dyn FnMut(Uuid, &Value) -> Result<Value, StoreError> + 'a;

pub(crate) fn replace(value: &mut Value, tag: &str, by: &mut Replacement<'_>) -> Result<(), StoreError> {
    match value {
        Value::Object(object) => match tagged(object, tag) {
            Some(subject) => *value = by(subject, &object[tag])?,
            None => object.values_mut().try_for_each(|value| replace(value, tag, by))?,
        },
        Value::Array(values) => values.iter_mut().try_for_each(|value| replace(value, tag, by))?,
        _ => {}
    }
    Ok(())
}
