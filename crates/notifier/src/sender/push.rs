//! Web push: a letter encrypted for one browser (RFC 8291, 8188), handed to its push service (RFC 8030) under our own name
//! (VAPID, RFC 8292).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use eventlog::clock::machine_now;
use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ticket::notifier::Medium;

use super::channel::{Carrier, Channel, Fault, Given, fitting};
use super::http::{Http, ask, judge};
use super::post::{ConfigError, Letter, Posting, permanent};
use super::webhook::url_fault;
use super::{Taken, Trouble};

const SECOND_US: i64 = 1_000_000;
/// Bytes of a public key of P-256, uncompressed.
const PUBLIC_BYTES: usize = 65;
/// Bytes of a browser's authentication secret, and of a salt.
const SECRET_BYTES: usize = 16;
/// The record size that is announced; there is one record, which is shorter.
const RECORD_BYTES: u32 = 4_096;
/// Longest text of subject and body each, bytes: with the links they fit into the one record.
const MAX_SUBJECT: usize = 256;
const MAX_BODY: usize = 1_536;
/// How long the push service keeps it for a browser that is not there, seconds.
const TTL_SECS: u32 = 86_400;
/// How long our name is good for, seconds; a day at the most.
const TOKEN_SECS: i64 = 12 * 3_600;
/// Longest subscription, bytes.
const MAX_SUBSCRIPTION: usize = 3_000;

pub(super) const CHANNEL: Channel = Channel {
    medium: Medium::WebPush,
    check,
    open: |tools| {
        let Some(config) = tools.section::<Config>(Medium::WebPush)? else { return Ok(None) };
        let key = config.key_pair().ok_or_else(|| {
            let fault = "key must be a private key of P-256 as PKCS #8 PEM";
            ConfigError::Section(Medium::WebPush.name(), fault.to_owned())
        })?;
        Ok(Some(Box::new(Push { http: tools.http.clone(), key, subject: config.subject })))
    },
};

/// Who pushes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Whom a push service turns to: `mailto:ops@example.org` or a URL.
    subject: String,
    /// The private key as `openssl genpkey` writes it.
    key: String,
}

impl Config {
    fn key_pair(&self) -> Option<EcdsaKeyPair> {
        let lines = self.key.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()
    }
}

/// A browser's subscription, as `PushSubscription.toJSON()` gives it.
#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl Subscription {
    fn read(address: &str) -> Option<(String, Vec<u8>, Vec<u8>)> {
        let Self { endpoint, keys } = serde_json::from_str(address).ok()?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let (public, secret) = (decode(&keys.p256dh)?, decode(&keys.auth)?);
        (public.len() == PUBLIC_BYTES && secret.len() == SECRET_BYTES).then_some((endpoint, public, secret))
    }
}

fn check(given: &Given<'_>) -> Vec<Fault> {
    let fault = match Subscription::read(given.address).filter(|_| given.address.len() <= MAX_SUBSCRIPTION) {
        None => Some(("address", "must be a subscription such as PushSubscription.toJSON() gives")),
        Some((endpoint, ..)) => url_fault(&Given { address: &endpoint, ..*given }),
    };
    fault.into_iter().chain(given.needless_secret()).collect()
}

struct Push {
    http: Http,
    key: EcdsaKeyPair,
    subject: String,
}

impl Carrier for Push {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(self.send(letter))
    }
}

impl Push {
    async fn send(&self, letter: &Letter) -> Result<Taken, Trouble> {
        let (endpoint, public, secret) =
            Subscription::read(&letter.address).ok_or_else(|| permanent("address invalid"))?;
        let request = self.http.post(&endpoint)?;
        let body = encrypted(payload(letter).as_bytes(), &public, &secret).ok_or_else(|| permanent("key invalid"))?;
        let name = self.name(&endpoint).ok_or_else(|| permanent("address invalid"))?;
        let request = request
            .header("authorization", name)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", TTL_SECS)
            .header("urgency", if letter.urgent { "high" } else { "normal" })
            // What was sent before of the same reminder and is not shown yet is replaced by this.
            .header("topic", letter.reminder.simple().to_string())
            .body(body);
        let response = ask(request).await?;
        let judged = judge(&response);
        match response.status() {
            // RFC 8030 says of a subscription that is over that there is none.
            StatusCode::NOT_FOUND => judged.map_err(|trouble| Trouble { gone: true, ..trouble }),
            _ => judged,
        }
    }

    /// Our name for one push service: a token signed by our key, and the key.
    fn name(&self, endpoint: &str) -> Option<String> {
        let audience = Url::parse(endpoint).ok()?.origin().ascii_serialization();
        let until = machine_now() / SECOND_US + TOKEN_SECS;
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "aud": audience, "exp": until, "sub": self.subject });
        let said = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ES256" })), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), said.as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let key = URL_SAFE_NO_PAD.encode(self.key.public_key());
        Some(format!("vapid t={said}.{signature}, k={key}"))
    }
}

/// What the page's service worker is told.
fn payload(letter: &Letter) -> String {
    let links = letter.links.iter().map(|link| (link.verb.name().to_owned(), Value::from(link.url.as_str())));
    json!({
        "id": letter.message_id,
        "reminder": letter.reminder,
        "ticket": letter.ticket,
        "title": fitting(&letter.subject, MAX_SUBJECT),
        "body": fitting(&letter.body, MAX_BODY),
        "language": letter.language,
        "urgent": letter.urgent,
        "links": links.collect::<Map<_, _>>(),
    })
    .to_string()
}

/// A length of what is derived.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256.
fn derived<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    let salted = Salt::new(HKDF_SHA256, salt).extract(secret);
    salted.expand(&[info], Bytes(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// One record of `aes128gcm`, its key agreed between the browser's key and one of ours that is used once.
fn encrypted(text: &[u8], theirs: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let ours = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).ok()?;
    let public = ours.compute_public_key().ok()?;
    let info = [b"WebPush: info\0".as_slice(), theirs, public.as_ref()].concat();
    let peer = UnparsedPublicKey::new(&ECDH_P256, theirs);
    let agreed = |shared: &[u8]| derived::<32>(secret, shared, &info).ok_or(());
    let agreed = agreement::agree_ephemeral(ours, peer, (), agreed).ok()?;
    let mut salt = [0; SECRET_BYTES];
    rand::fill(&mut salt).ok()?;
    let key = derived::<16>(&salt, &agreed, b"Content-Encoding: aes128gcm\0")?;
    let nonce = derived::<NONCE_LEN>(&salt, &agreed, b"Content-Encoding: nonce\0")?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    // The delimiter of the last record.
    let mut record = [text, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).ok()?;
    let length = u8::try_from(public.as_ref().len()).ok()?;
    Some([&salt[..], &RECORD_BYTES.to_be_bytes(), &[length], public.as_ref(), &record].concat())
}
