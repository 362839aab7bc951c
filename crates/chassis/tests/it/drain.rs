//! How a server stops: told to, it ends what would not end by itself, finishes what is in hand, and returns.

use std::time::Duration;

use chassis::serve::Limits;
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::probe::{NAME, limits, reason, start, unary};

#[tokio::test]
async fn open_streams_are_ended_and_the_server_returns() {
    let server = start(limits()).await;
    let mut watch = server.watch("").await.unwrap();
    assert!(watch.message().await.unwrap().is_some());
    // Health's own watch is a stream like any other, and nobody wraps it.
    let mut health = HealthClient::new(server.channel().await);
    let mut probe = health.watch(HealthCheckRequest { service: "liveness".into() }).await.unwrap().into_inner();
    assert!(probe.message().await.unwrap().is_some());

    let addr = server.addr;
    server.stopped().await;
    for status in [watch.message().await.unwrap_err(), probe.message().await.unwrap_err()] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
        assert!(status.get_error_details().retry_info().is_some());
    }
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_stream_that_never_pauses_is_ended_too() {
    let server = start(limits()).await;
    let mut flood = server.watch("flood").await.unwrap();
    assert!(flood.message().await.unwrap().is_some());
    let stopped = tokio::spawn(server.stopped());
    let status = loop {
        if let Err(status) = flood.message().await.map(|message| message.expect("no good end")) {
            break status;
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_call_in_hand_is_answered() {
    let server = start(limits()).await;
    let call = tokio::spawn(unary(server.channel().await, "Check", server.ask("wait")));
    let release = std::sync::Arc::clone(&server.release);
    let stopped = tokio::spawn(server.stopped());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!stopped.is_finished(), "it waits for the call");
    release.notify_one();
    assert!(call.await.unwrap().is_ok());
    stopped.await.unwrap();
}

#[tokio::test]
async fn readiness_ends_first_and_calls_are_still_taken() {
    let server = start(Limits { farewell: Duration::from_millis(500), ..limits() }).await;
    let channel = server.channel().await;
    let mut watch = HealthClient::new(channel.clone())
        .watch(HealthCheckRequest { service: "readiness".into() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status, 1);
    let ask = server.ask("");
    let health = server.health.clone();
    let stopped = tokio::spawn(server.stopped());
    assert_eq!(watch.next().await.unwrap().unwrap().status, 2);
    assert!(unary(channel, "Check", ask).await.is_ok());
    health.set_ready(NAME, true).await;
    assert!(!health.until_ready().await, "a stopping server does not become ready again");
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_finished_stream_ends_as_ever() {
    let server = start(limits()).await;
    let mut watch = server.watch("end").await.unwrap();
    assert!(watch.message().await.unwrap().is_some());
    assert!(watch.message().await.unwrap().is_none());
}
