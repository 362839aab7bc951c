//! The webhook receiver: a POST with a genuine signature (Standard Webhooks) is taken when it is on the disk.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::{Book, MESSAGE_MAX_BYTES, note};

/// Answers `POST /{recipient}`.
pub(crate) fn router(book: Arc<Book>) -> Router {
    let routes = Router::new().route("/{recipient}", post(take));
    routes.layer(DefaultBodyLimit::max(MESSAGE_MAX_BYTES)).with_state(book)
}

async fn take(
    State(book): State<Arc<Book>>,
    Path(recipient): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    if book.is_out() {
        book.refuse("hook").await.map_err(failed)?;
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    if book.webhook.verify(&body, &headers).is_err() {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let subject = said.pointer("/data/subject").and_then(Value::as_str).unwrap_or_default();
    note(&book.hooks, &["hook", id, &recipient, subject]).await.map_err(failed)?;
    Ok(StatusCode::OK)
}
