//! What takes messages by HTTP: webhooks with a genuine signature (Standard Webhooks), messages of a Feishu robot, text
//! messages as Twilio takes them. Each is taken when it is on the disk.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::fs::File;
use tokio::sync::Mutex;

use super::{Book, MESSAGE_MAX_BYTES, note};

/// Answers `POST /{recipient}`, `POST /feishu/{recipient}` and the way to messages of an account of Twilio's.
pub(crate) fn router(book: Arc<Book>) -> Router {
    let routes = Router::new()
        .route("/{recipient}", post(take))
        .route("/feishu/{recipient}", post(robot))
        .route("/2010-04-01/Accounts/{recipient}/Messages.json", post(text));
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

async fn robot(
    State(book): State<Arc<Book>>,
    Path(recipient): Path<String>,
    body: String,
) -> Result<&'static str, StatusCode> {
    write_down(&book, &book.robots, &["robot", &body, &recipient]).await?;
    Ok(r#"{"code": 0, "msg": "success"}"#)
}

async fn text(
    State(book): State<Arc<Book>>,
    Path(account): Path<String>,
    body: String,
) -> Result<(StatusCode, &'static str), StatusCode> {
    write_down(&book, &book.texts, &["text", &body, &account]).await?;
    Ok((StatusCode::CREATED, r#"{"sid": "SM1", "status": "queued"}"#))
}

/// Has a message on the disk, unless nothing is taken right now.
async fn write_down(book: &Book, file: &Mutex<File>, cells: &[&str]) -> Result<(), StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    if book.is_out() {
        book.refuse(cells[0]).await.map_err(failed)?;
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    note(file, cells).await.map_err(failed)
}
