//! What notifier records. The service joins later; its family and its streams already have their place.

use serde::{Deserialize, Serialize};

/// An event of a `reminder/*` or `recipient/*` stream; no kind has been released yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifierEvent {}
