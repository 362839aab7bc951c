//! Who gets in: tokens, roles, and the services that need neither.

use std::time::Duration;

use chassis::token::{DevKey, Role};
use tokio_stream::StreamExt;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse::FileDescriptorResponse;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse as Alpha;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_types::StatusExt;

use crate::probe::{NAME, authorized, limits, reason, start, unary};

/// Proves part of: X3
#[tokio::test]
async fn the_handler_learns_who_calls_from_the_token() {
    let server = start(limits()).await;
    assert_eq!(server.check("").await.unwrap().metadata().get("tenant").unwrap(), "acme");
}

/// Proves part of: X3
#[tokio::test]
async fn without_a_token_nothing_is_said() {
    let server = start(limits()).await;
    let channel = server.channel().await;
    for request in [Request::new(HealthCheckRequest::default()), authorized("", "Basic YTpi"), authorized("", "Bearer")]
    {
        let status = unary(channel.clone(), "Check", request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "TOKEN_MISSING"));
    }
    // Not even which methods there are.
    let status = unary(channel, "Nothing", Request::new(HealthCheckRequest::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let server = start(limits()).await;
    let channel = server.channel().await;
    let folder = tempfile::tempdir().unwrap();
    let foreign = DevKey::load_or_create(&folder.path().join("foreign.key")).unwrap();
    let hour = Duration::from_hours(1);
    let mut damaged = server.token(&[Role::Agent]);
    damaged.replace_range(40..41, if damaged.as_bytes()[40] == b'A' { "B" } else { "A" });
    for token in ["junk".to_owned(), damaged, foreign.issue("ann", "acme", &[Role::Agent], hour).unwrap()] {
        let request = authorized("", &format!("Bearer {token}"));
        let status = unary(channel.clone(), "Check", request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "TOKEN_INVALID"));
    }
}

/// Proves part of: X3
#[tokio::test]
async fn a_role_is_required_and_named() {
    let server = start(limits()).await;
    for roles in [&[][..], &[Role::Admin], &[Role::Requester, Role::Manager]] {
        let request = authorized("", &format!("Bearer {}", server.token(roles)));
        let status = unary(server.channel().await, "Check", request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["roles"], "agent");
        assert_eq!(details.error_info().unwrap().metadata["method"], format!("{NAME}/Check"));
    }
}

/// Proves part of: X5
#[tokio::test]
async fn health_is_told_to_anyone_by_name() {
    let server = start(limits()).await;
    server.health.set_ready(NAME, false).await;
    let client = tonic_health::pb::health_client::HealthClient::new(server.channel().await);
    let ask = |service: &'static str| {
        let mut client = client.clone();
        async move { client.check(HealthCheckRequest { service: service.into() }).await.map(|r| r.into_inner().status) }
    };
    let (serving, not_serving) = (Ok(1), Ok(2));
    let code = |answer: Result<i32, tonic::Status>| answer.map_err(|status| status.code());
    assert_eq!(code(ask("liveness").await), serving);
    for name in ["readiness", NAME, ""] {
        assert_eq!(code(ask(name).await), not_serving, "{name}");
    }
    server.health.set_ready(NAME, true).await;
    for name in ["readiness", NAME, "", "liveness"] {
        assert_eq!(code(ask(name).await), serving, "{name}");
    }
    assert_eq!(code(ask("nobody").await), Err(Code::NotFound));
}

/// Proves part of: X5
#[tokio::test]
async fn reflection_of_both_versions_knows_contract_health_and_details() {
    let server = start(limits()).await;
    let channel = server.channel().await;
    for symbol in ["docket.intake.v1.IntakeService", "grpc.health.v1.Health", "google.rpc.ErrorInfo"] {
        let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
        let ask = v1::server_reflection_request::MessageRequest::FileContainingSymbol(symbol.into());
        let ask = v1::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
        let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
        let answer = answers.next().await.unwrap().unwrap().message_response;
        assert!(matches!(answer, Some(FileDescriptorResponse(_))), "v1 {symbol}: {answer:?}");

        let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
        let ask = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(symbol.into());
        let ask = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
        let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
        let answer = answers.next().await.unwrap().unwrap().message_response;
        assert!(matches!(answer, Some(Alpha(_))), "v1alpha {symbol}: {answer:?}");
    }
}
