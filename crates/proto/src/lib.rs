//! The gRPC contract as Rust: messages, clients and servers, generated at build time from `proto/`.
//!
//! A package `docket.intake.v1` is the module [`intake::v1`], and so on for each service.

#[expect(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the contract's own comments and buf lint answer for it"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

pub use generated::docket::*;
/// Encoding of messages and Google's well-known types, so that a service needs neither crate of its own.
pub use {prost, prost_types};

/// Every contract and all it imports, comments included: an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
