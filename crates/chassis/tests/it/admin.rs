//! The admin listener as a scraper and a prober meet it.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::probe::{NAME, Running, limits, start};

async fn get(server: &Running, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// The samples of a scrape: name, labels, value. Whatever breaks the text format fails the test.
fn samples(text: &str) -> Vec<(String, String, f64)> {
    assert!(text.ends_with('\n'));
    let mut samples = Vec::new();
    let mut typed = String::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<_> = comment.splitn(3, ' ').collect();
            assert!(["HELP", "TYPE"].contains(&words[0]) && words.len() == 3, "{line}");
            words[1].clone_into(&mut typed);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) =
            series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').unwrap()));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
        assert!(name.starts_with(&typed), "{line} has no TYPE");
        samples.push((name.to_owned(), labels.to_owned(), value.parse().unwrap()));
    }
    samples
}

#[tokio::test]
async fn probes_follow_health() {
    let server = start(limits()).await;
    server.health.set_ready(NAME, false).await;
    server.health.set_progress(NAME, Arc::new(|| "position 7 of 9".to_owned())).await;
    assert_eq!(get(&server, "/livez").await.0, 200);
    let behind = get(&server, "/readyz").await;
    assert_eq!(behind, (503, format!("not ready\n{NAME}: not ready, position 7 of 9\n")));
    server.health.set_ready(NAME, true).await;
    assert_eq!(get(&server, "/readyz").await, (200, format!("ok\n{NAME}: ready, position 7 of 9\n")));
    assert_eq!(get(&server, "/elsewhere").await.0, 404);
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_alone() {
    let server = start(limits()).await;
    server.check("").await.unwrap();
    server.check("").await.unwrap();
    server.check("panic").await.unwrap_err();
    let mut watch = server.watch("end").await.unwrap();
    while watch.message().await.unwrap().is_some() {}
    let (status, text) = get(&server, "/metrics").await;
    assert_eq!(status, 200);
    let samples = samples(&text);
    let count = |method: &str, code: &str| {
        let labels = format!("rpc_method=\"{NAME}/{method}\",rpc_response_status_code=\"{code}\"");
        let series = ("rpc_server_call_duration_seconds_count", labels.as_str());
        samples.iter().find(|(name, labels, _)| (name.as_str(), labels.as_str()) == series).map(|sample| sample.2)
    };
    assert_eq!(
        [count("Check", "OK"), count("Check", "INTERNAL"), count("Watch", "OK")],
        [Some(2.), Some(1.), Some(1.)]
    );
}
