//! What the server answers when things go wrong: codes, reasons, and never its inner life.

use std::time::Duration;

use chassis::serve::{Limits, MESSAGE_MAX_BYTES};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_types::StatusExt;

use crate::probe::{self, NAME, limits, reason, start, unary};

#[tokio::test]
async fn a_panic_is_internal_and_the_server_goes_on() {
    let server = start(limits()).await;
    let status = server.check("panic").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    assert!(!format!("{status:?}").contains("luck"));
    assert!(server.check("").await.is_ok());
}

#[tokio::test]
async fn what_is_not_ready_is_unavailable_for_a_while() {
    let server = start(limits()).await;
    server.health.set_ready(NAME, false).await;
    let status = server.check("").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NOT_READY"));
    assert_eq!(status.get_error_details().retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
    server.health.set_ready(NAME, true).await;
    assert!(server.check("").await.is_ok());
}

#[tokio::test]
async fn a_panic_within_a_stream_ends_that_stream_only() {
    let server = start(limits()).await;
    let mut stream = server.watch("panic").await.unwrap();
    let status = loop {
        if let Err(status) = stream.message().await.map(|message| message.expect("no good end")) {
            break status;
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
}

#[tokio::test]
async fn no_text_of_an_inner_error_leaves_the_house() {
    let server = start(limits()).await;
    let unary = server.check("leak").await.unwrap_err();
    let mut stream = server.watch("leak").await.unwrap();
    stream.message().await.unwrap();
    for status in [unary, stream.message().await.unwrap_err()] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
        assert!(!format!("{status:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_huge_message_is_resource_exhausted() {
    let server = start(limits()).await;
    assert!(server.check(&"x".repeat(MESSAGE_MAX_BYTES - 100)).await.is_ok());
    let status = server.check(&"x".repeat(MESSAGE_MAX_BYTES + 1)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = start(limits()).await;
    let status = unary(server.channel().await, "Nothing", server.ask("")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "METHOD_UNKNOWN"));
}

#[tokio::test]
async fn impatience_is_deadline_exceeded() {
    let server = start(Limits { patience: Duration::from_millis(50), ..limits() }).await;
    let status = server.check("sleep").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

/// tonic's client watches the deadline too and would answer in the server's place: this one asks on bare HTTP/2. Many
/// calls and short deadlines, since tonic's own timer, which would say CANCELLED, stands right behind ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_itself_keeps_the_callers_deadline() {
    let server = start(limits()).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for timeout in ["1m", "3m", "20000u"] {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let token = server.token(&[chassis::token::Role::Agent]);
                tokio::spawn(grpc_status(client.clone(), server.addr, timeout, token))
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), "4", "{timeout}");
        }
    }
}

async fn grpc_status(
    client: h2::client::SendRequest<axum::body::Bytes>,
    addr: std::net::SocketAddr,
    timeout: &str,
    token: String,
) -> String {
    let request = http::Request::post(format!("http://{addr}/{}/Check", probe::NAME))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout)
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap();
    let (response, mut body) = client.ready().await.unwrap().send_request(request, false).unwrap();
    // One uncompressed message: HealthCheckRequest { service: "sleep" }.
    body.send_data(axum::body::Bytes::from_static(b"\0\0\0\0\x07\x0a\x05sleep"), true).unwrap();
    response.await.unwrap().headers()["grpc-status"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn calls_beyond_the_bound_are_shed_and_probes_are_not() {
    let server = start(Limits { calls: 1, ..limits() }).await;
    let channel = server.channel().await;
    let first = tokio::spawn(unary(channel.clone(), "Check", server.ask("wait")));
    // The first call is in hand once a second one finds no place.
    let status = loop {
        if let Err(status) = unary(channel.clone(), "Check", server.ask("")).await {
            break status;
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "OVERLOADED"));
    assert_eq!(status.get_error_details().retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let probe = tonic_health::pb::HealthCheckRequest { service: "liveness".into() };
    assert!(health.check(probe).await.is_ok());
    server.release.notify_one();
    assert!(first.await.unwrap().is_ok());
    assert!(server.check("").await.is_ok());
}

#[tokio::test]
async fn watchers_are_bounded_and_take_no_calls_place() {
    let server = start(Limits { calls: 1, answers: 2, ..limits() }).await;
    let mut watchers = vec![server.watch("").await.unwrap(), server.watch("").await.unwrap()];
    let status = server.watch("").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "OVERLOADED"));
    watchers.pop();
    // The server hears of the hang-up a moment later.
    while server.check("").await.is_err() {
        tokio::task::yield_now().await;
    }
}
