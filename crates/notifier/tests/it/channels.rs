//! Every channel in conversation with somebody else's software.

use std::sync::Arc;
use std::time::Duration;

use notifier::link::{Link, Verb};
use notifier::sender::{ConfigError, Letter, Outside, Post, SenderConfig, Trouble};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use ticket::notifier::Medium;

use crate::peer::{Peer, letter};

fn config(channels: Value) -> SenderConfig {
    SenderConfig {
        mail_from: "Docket <docket@example.org>".into(),
        timeout: Duration::from_secs(5),
        reach: "127.0.0.1".parse().unwrap(),
        channels,
        ..SenderConfig::default()
    }
}

/// The post with these channels.
pub(crate) fn post(channels: Value) -> Arc<dyn Post> {
    Arc::new(Outside::new(&config(channels)).unwrap())
}

fn links() -> Vec<Link> {
    let link = |verb, url: &str| Link { verb, url: url.into() };
    vec![
        link(Verb::Acknowledge, "https://docket.example.org/l/a"),
        link(Verb::Snooze, "https://docket.example.org/l/b"),
    ]
}

fn trouble(sent: Result<notifier::sender::Taken, Trouble>) -> (String, bool, Option<u32>) {
    let Trouble { kind, permanent, retry_after_secs, .. } = sent.unwrap_err();
    (kind, permanent, retry_after_secs)
}

/// A certificate for localhost, its key, and the authority that signed it, as PEM.
fn certificates() -> (String, String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let trusted = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let mut server = CertificateParams::new(vec!["localhost".into()]).unwrap();
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    (server.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem(), trusted)
}

/// Proves part of: N1
#[tokio::test]
async fn a_mail_leaves_under_tls_and_a_login_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key, trusted) = certificates();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("cert"), certificate).unwrap();
    std::fs::write(file("key"), key).unwrap();
    for (mode, scheme, query) in [("starttls", "smtp", "?tls=required"), ("implicit", "smtps", "")] {
        let book = file(mode);
        let (cert, key) = (file("cert"), file("key"));
        let login = ["--login", "docket:s3cret", "--later", "1"];
        let arguments = [&[book.as_str(), "--tls", mode, "--cert", &cert, "--key", &key], &login[..]].concat();
        let Some(server) = Peer::python("mail.py", &arguments).await else { return };
        let send = async |login: &str, ca: bool, query: &str| {
            let smtp_url = Some(format!("{scheme}://{login}localhost:{}{query}", server.port));
            let smtp_ca = ca.then(|| trusted.clone().into_bytes());
            let outside = Outside::new(&SenderConfig { smtp_url, smtp_ca, ..config(Value::Null) })?;
            Ok::<_, ConfigError>(outside.send(&letter(Medium::Email, "ann@example.org")).await)
        };
        let later = |kind: &str| (kind.to_owned(), false, None);
        assert_eq!(
            trouble(send("docket:s3cret@", false, query).await.unwrap()),
            later("no secure connection"),
            "{mode}"
        );
        // What is wrong with our own account is no reason to give a recipient up.
        assert_eq!(trouble(send("docket:guess@", true, query).await.unwrap()), later("refused 535"), "{mode}");
        assert_eq!(trouble(send("docket:s3cret@", true, query).await.unwrap()), later("refused 451"), "{mode}");
        assert_eq!(send("docket:s3cret@", true, query).await.unwrap().unwrap().receipt, "250 taken");
        let arrived = std::fs::read_to_string(&book).unwrap();
        let ids: Vec<_> = arrived.lines().map(|line| line.split('\t').next().unwrap()).collect();
        let id = format!("<{}@example.org>", letter(Medium::Email, "").message_id);
        assert_eq!(ids, [&id, &id], "the same message goes out again");
        if mode == "starttls" {
            assert_eq!(trouble(send("", true, "").await.unwrap()), later("refused 530"), "nothing is taken in clear");
            assert!(matches!(send("docket:s3cret@", true, "").await, Err(ConfigError::Clear)));
        }
    }
}

/// Proves part of: N1
#[tokio::test]
async fn a_webhook_is_what_the_package_of_standard_webhooks_takes() {
    let Some(mut peer) = Peer::python("web.py", &[]).await else { return };
    let secret = crate::cluster::SECRET;
    let url = peer.url(&format!("/hook/{secret}"));
    let sent = Letter { secret: Some(secret.into()), links: links(), ..letter(Medium::Webhook, &url) };
    assert_eq!(post(Value::Null).send(&sent).await.unwrap().receipt, "status 204");
    let taken = peer.json().await;
    assert_eq!((&taken["wrong"], &taken["said"]["type"]), (&Value::Null, &json!("reminder.sent")));
    assert_eq!(taken["said"]["data"]["links"]["snooze"], "https://docket.example.org/l/b");
    let other = Letter { secret: Some("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()), ..sent };
    assert_eq!(trouble(post(Value::Null).send(&other).await), ("status 401".into(), true, None));
}

/// The three robots as they are set up at the peer, with this token.
fn robots(peer: &Peer, token: &str) -> [Letter; 3] {
    let secret = Some(format!("SEC-{token}"));
    let mut wecom = letter(Medium::Wecom, &peer.url(&format!("/wecom?key={token}")));
    let dingtalk = peer.url(&format!("/dingtalk?access_token={token}"));
    let mut dingtalk = Letter { secret: secret.clone(), ..letter(Medium::Dingtalk, &dingtalk) };
    let mut feishu = Letter { secret, ..letter(Medium::Feishu, &peer.url(&format!("/feishu/{token}"))) };
    for letter in [&mut wecom, &mut dingtalk, &mut feishu] {
        letter.links = links();
    }
    [wecom, dingtalk, feishu]
}

/// Proves part of: N1
#[tokio::test]
async fn robots_are_spoken_to_as_their_documents_say() {
    let Some(mut peer) = Peer::python("web.py", &[]).await else { return };
    let post = post(Value::Null);
    let mut said = Vec::new();
    for letter in robots(&peer, "team") {
        assert_eq!(post.send(&letter).await.unwrap().receipt, "code 0", "{:?}", letter.medium);
        let taken = peer.json().await;
        assert_eq!(taken["wrong"], Value::Null);
        said.push(taken["said"].clone());
    }
    let text = "**Late: <pump> & valve**\n\nThe pump of hall 3 is late.\n\n\
        [Acknowledge](https://docket.example.org/l/a) | [Remind me in an hour](https://docket.example.org/l/b)";
    assert_eq!(said[0], json!({"msgtype": "markdown", "markdown": {"content": text}}));
    let titled = json!({"title": "Late: <pump> & valve", "text": text});
    assert_eq!(said[1], json!({"msgtype": "markdown", "markdown": titled, "at": {"isAtAll": false}}));
    let post = &said[2]["content"]["post"]["en_us"];
    assert_eq!(post["content"][1][0]["href"], "https://docket.example.org/l/a");
    let [_, mut dingtalk, mut feishu] = robots(&peer, "team");
    for (letter, code) in [(&mut dingtalk, "code 310000"), (&mut feishu, "code 19021")] {
        letter.secret = Some("SEC-other".into());
        assert_eq!(trouble(self::post(Value::Null).send(letter).await), (code.into(), true, None));
    }
}

/// Proves part of: N1, N7
#[tokio::test]
async fn what_robots_say_in_a_200_is_understood() {
    let Some(peer) = Peer::python("web.py", &[]).await else { return };
    let post = post(Value::Null);
    let cases = [
        (0, 45_009, Some(60)),
        (0, 93_000, None),
        (1, 130_101, Some(600)),
        (1, 300_005, None),
        (2, 11_232, Some(60)),
        (2, 9_499, Some(60)),
        (2, 19_001, None),
    ];
    for (which, code, wait) in cases {
        let letter = &robots(&peer, &format!("code-{code}"))[which];
        let expected = (format!("code {code}"), wait.is_none(), wait);
        assert_eq!(trouble(post.send(letter).await), expected, "{:?}", letter.medium);
    }
}

/// Proves part of: N1, N5
#[tokio::test]
async fn a_robot_is_sent_no_more_than_it_takes_and_nothing_is_dropped() {
    let Some(mut peer) = Peer::python("web.py", &[]).await else { return };
    let post = post(Value::Null);
    let mut waits = Vec::new();
    for n in 0..23 {
        let mut letter = robots(&peer, "busy")[0].clone();
        letter.message_id = format!("m{n}");
        waits.extend(post.send(&letter).await.err().map(|trouble| (trouble.kind, trouble.retry_after_secs.unwrap())));
    }
    assert_eq!(waits.len(), 3);
    assert!(waits.iter().all(|(kind, secs)| kind == "paced" && (50..=60).contains(secs)), "{waits:?}");
    for _ in 0..20 {
        assert_eq!(peer.json().await["path"], "/wecom");
    }
}

/// Proves part of: N1
#[tokio::test]
async fn a_push_is_opened_by_the_browser_it_is_for_and_signed_by_us() {
    let Some(mut peer) = Peer::node("push.mjs").await else { return };
    let subscription = peer.line().await;
    let key = KeyPair::generate().unwrap().serialize_pem();
    let post = post(json!({"web_push": {"subject": "mailto:ops@example.org", "key": key}}));
    let sent = Letter { links: links(), ..letter(Medium::WebPush, &subscription) };
    assert_eq!(post.send(&sent).await.unwrap().receipt, "status 201");
    let taken = peer.json().await;
    assert_eq!(
        (&taken["ttl"], &taken["urgency"], &taken["encoding"]),
        (&json!("86400"), &json!("high"), &json!("aes128gcm"))
    );
    assert_eq!((&taken["said"]["title"], &taken["said"]["body"]), (&json!(sent.subject), &json!(sent.body)));
    assert_eq!(taken["said"]["links"]["acknowledge"], "https://docket.example.org/l/a");
    let vapid = &taken["token"];
    assert_eq!(
        (&vapid["genuine"], &vapid["alg"], &vapid["sub"]),
        (&json!(true), &json!("ES256"), &json!("mailto:ops@example.org"))
    );
    assert_eq!(vapid["aud"], peer.url(""));
    let ahead = vapid["exp"].as_i64().unwrap() - eventlog::clock::machine_now() / 1_000_000;
    assert!((1..=86_400).contains(&ahead), "no push service takes a token of more than a day");
    for (status, gone) in [("410", true), ("404", true), ("400", false)] {
        let address = subscription.replace(&format!("{}/", peer.port), &format!("{}/{status}", peer.port));
        let trouble = post.send(&letter(Medium::WebPush, &address)).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.permanent, trouble.gone), (format!("status {status}"), true, gone));
    }
    let long = Letter { subject: "工".repeat(500), body: "单".repeat(5_000), links: links(), ..sent };
    assert!(post.send(&long).await.is_ok(), "what is too long for one record is cut");
}

#[test]
fn what_is_said_of_channels_is_read_or_refused() {
    let fault = |channels: Value| Outside::new(&config(channels)).err().map(|error| error.to_string());
    let account = json!({"account": "AC1", "token": "t", "from": "+15005550006"});
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    assert_eq!(fault(json!({"sms": {"twilio": account}, "voice": {"twilio": account}})), None);
    assert_eq!(fault(json!({"pigeon": {}})).unwrap(), "there is no channel pigeon that takes a configuration");
    assert!(fault(json!({"sms": {"twilio": {"account": "AC1"}}})).unwrap().contains("missing field `token`"));
    assert!(
        fault(json!({"web_push": {"subject": "x", "key": "y"}})).unwrap().starts_with("channel web_push: key must")
    );
}
