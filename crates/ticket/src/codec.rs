//! Events to and from the stored bytes: the kind is a name, the body the event's fields as JSON.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use decider::Micros;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};

use crate::dispatch::DispatchEvent;
use crate::house::HouseEvent;
use crate::intake::IntakeEvent;
use crate::notifier::NotifierEvent;
use crate::sla::SlaEvent;
use crate::{Event, upcast};

/// Why stored bytes are no event this program knows.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The kind was written by a newer program: what it means cannot be decided here.
    #[error("kind {0} is not known to this program")]
    UnknownKind(String),
    /// The schema was written by a newer program.
    #[error("schema {1} of kind {0} is newer than this program")]
    UnknownSchema(String, u32),
    /// The body is not of its kind's form.
    #[error("body of kind {0}: {1}")]
    Body(String, serde_json::Error),
}

/// The family a kind belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Of intake.
    Intake,
    /// Of dispatch.
    Dispatch,
    /// Of sla-monitor.
    Sla,
    /// Of notifier.
    Notifier,
    /// Of every service for itself.
    House,
}

/// Every kind this program can read, by name: the variants the enums themselves declare.
pub static KINDS: LazyLock<BTreeMap<&'static str, Family>> = LazyLock::new(|| {
    let families = [
        (Family::Intake, variants::<IntakeEvent>()),
        (Family::Dispatch, variants::<DispatchEvent>()),
        (Family::Sla, variants::<SlaEvent>()),
        (Family::Notifier, variants::<NotifierEvent>()),
        (Family::House, variants::<HouseEvent>()),
    ];
    families.into_iter().flat_map(|(family, kinds)| kinds.iter().map(move |kind| (*kind, family))).collect()
});

/// The stored form of an event: its kind and its body.
pub fn encode(event: &Event) -> Result<(String, Vec<u8>), CodecError> {
    match event {
        Event::Intake(event) => split(event),
        Event::Dispatch(event) => split(event),
        Event::Sla(event) => split(event),
        Event::Notifier(event) => split(event),
        Event::House(event) => split(event),
    }
}

/// The kinds of one family, in order.
pub fn kinds(family: Family) -> Vec<&'static str> {
    KINDS.iter().filter_map(|(kind, of)| (*of == family).then_some(*kind)).collect()
}

/// The event a kind and a body stand for.
pub fn decode(kind: &str, schema: u32, body: &[u8]) -> Result<Event, CodecError> {
    let body = upcast::lift(kind, schema, body).ok_or_else(|| CodecError::UnknownSchema(kind.to_owned(), schema))?;
    match KINDS.get(kind) {
        Some(Family::Intake) => join(kind, body).map(Event::Intake),
        Some(Family::Dispatch) => join(kind, body).map(Event::Dispatch),
        Some(Family::Sla) => join(kind, body).map(Event::Sla),
        Some(Family::Notifier) => join(kind, body).map(Event::Notifier),
        Some(Family::House) => join(kind, body).map(Event::House),
        None => Err(CodecError::UnknownKind(kind.to_owned())),
    }
}

/// RFC 3339 with microseconds, for people.
pub fn rfc3339(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Serialises `{"Kind":{…}}` and takes it apart, so that the body needs no second enum.
fn split<E: Serialize>(event: &E) -> Result<(String, Vec<u8>), CodecError> {
    let mut json = serde_json::to_vec(event).map_err(|error| CodecError::Body(String::new(), error))?;
    let end = json.iter().skip(2).position(|byte| *byte == b'"').map_or(json.len(), |quote| quote + 2);
    let kind = String::from_utf8_lossy(json.get(2..end).unwrap_or_default()).into_owned();
    json.pop();
    json.drain(..(end + 2).min(json.len()));
    Ok((kind, json))
}

fn join<'de, E: Deserialize<'de>>(kind: &'de str, body: &'de [u8]) -> Result<E, CodecError> {
    E::deserialize(KindAndBody { kind, body }).map_err(|error| CodecError::Body(kind.to_owned(), error))
}

/// A deserializer that takes the variant's name from `kind` and its content from `body`: no tag inside the body, no
/// buffering of it.
struct KindAndBody<'de> {
    kind: &'de str,
    body: &'de [u8],
}

impl<'de> Deserializer<'de> for KindAndBody<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for KindAndBody<'de> {
    type Error = serde_json::Error;
    type Variant = Body<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Body<'de>), Self::Error> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.kind))?;
        Ok((variant, Body(self.body)))
    }
}

struct Body<'de>(&'de [u8]);

impl<'de> VariantAccess<'de> for Body<'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        serde_json::from_slice(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        seed.deserialize(&mut serde_json::Deserializer::from_slice(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        (&mut serde_json::Deserializer::from_slice(self.0)).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        (&mut serde_json::Deserializer::from_slice(self.0)).deserialize_map(visitor)
    }
}

/// The names of an enum's variants, which its derived `Deserialize` hands to the deserializer.
fn variants<E: for<'a> Deserialize<'a>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    let _never_read = E::deserialize(Variants(&mut names));
    names
}

struct Variants<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Variants<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("asked for its variants only"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = variants;
        Err(serde::de::Error::custom("asked for its variants only"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
