//! Bearer tokens: who calls, for which tenant, in which roles. Signed by a local development key, verified fail closed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The audience every token must name.
const AUDIENCE: &str = "docket";
/// How far the clocks of signer and verifier may differ, seconds.
const LEEWAY_SECS: u64 = 5;
/// Longest subject a token may name, bytes.
const SUBJECT_MAX_BYTES: usize = 256;

/// What a caller may be to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reports a problem and confirms its repair.
    Requester,
    /// Works at the desk.
    Agent,
    /// Visits and repairs.
    Engineer,
    /// Decides who is sent.
    Dispatcher,
    /// Reviews and closes.
    Supervisor,
    /// Reads figures and reports.
    Manager,
    /// Configures.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::Requester, Self::Agent, Self::Engineer, Self::Dispatcher, Self::Supervisor, Self::Manager, Self::Admin];

    /// The name tokens and refusals use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Agent => "agent",
            Self::Engineer => "engineer",
            Self::Dispatcher => "dispatcher",
            Self::Supervisor => "supervisor",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

/// Who calls: what a verified token says, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant: `[a-z0-9-]{1,63}`.
    pub tenant: String,
    /// The person or machine, as its issuer names it.
    pub subject: String,
    /// The roles held within the tenant.
    pub roles: Vec<Role>,
}

/// Why a key or a token could not be used; the text is for the log and the caller alike and names no secret.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The key file could not be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The key file holds no Ed25519 key, or one could not be made.
    #[error("no Ed25519 key: {0}")]
    Key(String),
    /// The token is damaged, expired, of a forbidden algorithm, or signed by somebody else.
    #[error("token refused: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// The token is genuine but says something no token may say.
    #[error("token claims an invalid {0}")]
    Claim(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    sub: String,
    tenant: String,
    roles: Vec<Role>,
    exp: u64,
}

/// The installation's own signing key: an Ed25519 key in a file only its owner can read.
pub struct DevKey {
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl DevKey {
    /// Reads the key at `path`, making it (mode 0600) at the first start.
    pub fn load_or_create(path: &Path) -> Result<Self, TokenError> {
        let file_error = |source| TokenError::File { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(text) => {
                let pkcs8 = STANDARD.decode(text.trim()).map_err(|error| TokenError::Key(error.to_string()))?;
                Self::from_pkcs8(pkcs8)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pkcs8 = Ed25519KeyPair::generate()
                    .and_then(|pair| Ok(pair.to_pkcs8()?.as_ref().to_vec()))
                    .map_err(|error| TokenError::Key(error.to_string()))?;
                write_once(path, &STANDARD.encode(&pkcs8)).map_err(file_error)?;
                // Two first starts may race for the file: whoever lost takes the winner's key.
                Self::load_or_create(path)
            }
            Err(error) => Err(file_error(error)),
        }
    }

    fn from_pkcs8(pkcs8: Vec<u8>) -> Result<Self, TokenError> {
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|error| TokenError::Key(error.to_string()))?;
        Ok(Self { public: pair.public_key().as_ref().to_vec(), pkcs8 })
    }

    /// Signs a token for `subject` at `tenant`, good for `ttl` from now. Refuses names that no verifier would take.
    pub fn issue(&self, subject: &str, tenant: &str, roles: &[Role], ttl: Duration) -> Result<String, TokenError> {
        // A token's life is machine time, whatever the business clock says: jsonwebtoken asks the machine itself.
        let exp = jsonwebtoken::get_current_timestamp().saturating_add(ttl.as_secs());
        let claims =
            Claims { aud: AUDIENCE.into(), sub: subject.into(), tenant: tenant.into(), roles: roles.to_vec(), exp };
        check(&claims)?;
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &EncodingKey::from_ed_der(&self.pkcs8))?)
    }

    /// The verifier of the tokens this key signs; it holds the public half only.
    pub fn verifier(&self) -> Verifier {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY_SECS;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Verifier { key: DecodingKey::from_ed_der(&self.public), validation }
    }

    /// A secret for another purpose, which reveals nothing of this key: HMAC-SHA-256(key, label).
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.pkcs8);
        let mut secret = [0; 32];
        secret.copy_from_slice(hmac::sign(&key, label.as_bytes()).as_ref());
        secret
    }
}

/// Creates the file with its whole content at once; one that is there already stays as it is.
fn write_once(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Tells genuine tokens from all others.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// Who the token speaks for, if it is genuine, current and well formed.
    pub fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)?.claims;
        check(&claims)?;
        Ok(Caller { tenant: claims.tenant, subject: claims.sub, roles: claims.roles })
    }
}

fn check(claims: &Claims) -> Result<(), TokenError> {
    let tenant_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    // The alphabet has no underscore: `_`-names are the reserved tenants of the cluster itself.
    if !(1..=63).contains(&claims.tenant.len()) || !claims.tenant.bytes().all(tenant_letter) {
        return Err(TokenError::Claim("tenant"));
    }
    if claims.sub.is_empty() || claims.sub.len() > SUBJECT_MAX_BYTES || claims.sub.contains(char::is_control) {
        return Err(TokenError::Claim("subject"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const HOUR: Duration = Duration::from_hours(1);

    fn key() -> DevKey {
        let folder = tempfile::tempdir().unwrap();
        DevKey::load_or_create(&folder.path().join("dev.key")).unwrap()
    }

    fn forged(header: &Header, claims: &serde_json::Value, key: &EncodingKey) -> String {
        jsonwebtoken::encode(header, claims, key).unwrap()
    }

    #[test]
    fn a_token_says_who_calls() {
        let key = key();
        let token = key.issue("ann", "acme", &[Role::Agent, Role::Admin], HOUR).unwrap();
        let caller = key.verifier().verify(&token).unwrap();
        let roles = vec![Role::Agent, Role::Admin];
        assert_eq!(caller, Caller { tenant: "acme".into(), subject: "ann".into(), roles });
    }

    #[test]
    fn the_key_outlives_the_process_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.key");
        let token = DevKey::load_or_create(&path).unwrap().issue("ann", "acme", &[], HOUR).unwrap();
        let again = DevKey::load_or_create(&path).unwrap();
        assert!(again.verifier().verify(&token).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
        assert_ne!(again.derive("a"), again.derive("b"));
    }

    #[test]
    fn a_damaged_key_file_is_an_error_not_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.key");
        fs::write(&path, "bm90IGEga2V5").unwrap();
        assert!(matches!(DevKey::load_or_create(&path), Err(TokenError::Key(_))));
    }

    #[test]
    fn tokens_of_another_key_or_algorithm_are_refused() {
        let ours = key();
        let foreign = key().issue("ann", "acme", &[Role::Admin], HOUR).unwrap();
        assert!(ours.verifier().verify(&foreign).is_err());
        // The classic confusion: the public key taken for an HMAC secret.
        let claims =
            serde_json::json!({"aud": "docket", "sub": "ann", "tenant": "acme", "roles": [], "exp": 9_999_999_999_u64});
        let confused = forged(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&ours.public));
        assert!(ours.verifier().verify(&confused).is_err());
    }

    #[test]
    fn claims_that_no_token_may_make_are_refused() {
        let key = key();
        let good = serde_json::json!({"aud": "docket", "sub": "ann", "tenant": "acme", "roles": ["agent"], "exp": 9_999_999_999_u64});
        let verify = |claims: &serde_json::Value| {
            key.verifier().verify(&forged(
                &Header::new(Algorithm::EdDSA),
                claims,
                &EncodingKey::from_ed_der(&key.pkcs8),
            ))
        };
        assert!(verify(&good).is_ok());
        for (claim, value) in [
            ("aud", serde_json::json!("elsewhere")),
            ("exp", serde_json::json!(1)),
            ("sub", serde_json::json!("")),
            ("tenant", serde_json::json!("")),
            ("tenant", serde_json::json!("_system")),
            ("tenant", serde_json::json!("Acme")),
            ("tenant", serde_json::json!("a/b")),
            ("tenant", serde_json::json!("a".repeat(64))),
            ("roles", serde_json::json!(["root"])),
            ("nbf", serde_json::json!(9_999_999_998_u64)),
        ] {
            let mut claims = good.clone();
            claims[claim] = value.clone();
            assert!(verify(&claims).is_err(), "{claim} = {value}");
        }
        for claim in ["aud", "exp", "sub", "tenant", "roles"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(verify(&claims).is_err(), "without {claim}");
        }
    }

    #[test]
    fn issue_refuses_what_verify_would() {
        assert!(matches!(key().issue("ann", "_system", &[], HOUR), Err(TokenError::Claim("tenant"))));
    }
}
