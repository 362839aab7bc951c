//! Who may call what: a table of methods and roles, denied by default, enforced before any handler runs.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, header};
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request, Status};

use crate::refuse::Refused;
use crate::token::{Caller, Role, Verifier};

/// A service's rows: a method as `docket.intake.v1.IntakeService/OpenTicket`, and the roles that may call it.
pub type Access = &'static [(&'static str, &'static [Role])];

/// Services that need no token: they tell how the server is and what it offers, nothing of any tenant.
const OPEN: [&str; 3] =
    ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// The tables of every service of a server, and what tells genuine tokens.
pub(crate) struct Gate {
    rows: BTreeMap<&'static str, &'static [Role]>,
    verifier: Verifier,
}

impl Gate {
    pub(crate) fn new(tables: &[Access], verifier: Verifier) -> Self {
        Self { rows: tables.iter().flat_map(|table| table.iter().copied()).collect(), verifier }
    }

    /// The method of a request path if the table knows it: a name fit to be a label, whatever the caller sent.
    pub(crate) fn method(&self, path: &str) -> Option<&'static str> {
        self.rows.get_key_value(path.strip_prefix('/')?).map(|(method, _)| *method)
    }

    /// Lets a call in, and says for whom; open services know no caller.
    pub(crate) fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Option<Caller>, Refused> {
        let method = path.trim_start_matches('/');
        if method.split_once('/').is_some_and(|(service, _)| OPEN.contains(&service)) {
            return Ok(None);
        }
        let caller = self.verifier.verify(bearer(headers)?).map_err(|error| {
            tracing::info!(%error, "token refused");
            Refused::new(Code::Unauthenticated, "TOKEN_INVALID", "the bearer token is not valid")
        })?;
        let Some(roles) = self.rows.get(method) else {
            return Err(Refused::new(Code::Unimplemented, "METHOD_UNKNOWN", "no service here has this method"));
        };
        if roles.iter().any(|role| caller.roles.contains(role)) {
            return Ok(Some(caller));
        }
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        Err(Refused::new(Code::PermissionDenied, "ROLE_REQUIRED", "your roles may not call this method")
            .with("method", method)
            .with("roles", names.join(",")))
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let missing = || Refused::new(Code::Unauthenticated, "TOKEN_MISSING", "the call carries no bearer token");
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token) } else { Err(missing()) }
}

/// The verified caller of a request.
///
/// Fails with `TOKEN_MISSING` where no token was asked for, so that a handler reached by mistake stays closed.
pub fn caller<T>(request: &Request<T>) -> Result<&Caller, Status> {
    request.extensions().get::<Caller>().ok_or_else(|| {
        Refused::new(Code::Unauthenticated, "TOKEN_MISSING", "the call carries no bearer token").into_status()
    })
}

/// Where tables and contract disagree, one line each: RPCs that no row covers, rows that no RPC has, rows given twice
/// or open to nobody.
///
/// `descriptors` is an encoded `FileDescriptorSet`; services outside the `docket` packages are not looked at.
pub fn uncovered(descriptors: &[u8], tables: &[Access]) -> Result<Vec<String>, prost::DecodeError> {
    let files = FileDescriptorSet::decode(descriptors)?.file;
    let rpcs: BTreeSet<String> = files
        .iter()
        .filter(|file| file.package().starts_with("docket."))
        .flat_map(|file| file.service.iter().map(move |service| (file.package(), service)))
        .flat_map(|(package, service)| {
            service.method.iter().map(move |rpc| format!("{package}.{}/{}", service.name(), rpc.name()))
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (method, roles) in tables.iter().copied().flatten() {
        if !seen.insert((*method).to_owned()) {
            faults.push(format!("{method}: two rows"));
        }
        if roles.is_empty() {
            faults.push(format!("{method}: open to nobody"));
        }
    }
    faults.extend(rpcs.difference(&seen).map(|method| format!("{method}: no row")));
    faults.extend(seen.difference(&rpcs).map(|method| format!("{method}: no such RPC")));
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

    fn descriptors(package: &str, rpcs: &[&str]) -> Vec<u8> {
        let method = rpcs.iter().map(|name| MethodDescriptorProto { name: Some((*name).into()), ..Default::default() });
        let service = ServiceDescriptorProto { name: Some("S".into()), method: method.collect(), ..Default::default() };
        let file = FileDescriptorProto { package: Some(package.into()), service: vec![service], ..Default::default() };
        FileDescriptorSet { file: vec![file] }.encode_to_vec()
    }

    #[test]
    fn a_full_table_has_no_faults() {
        const FULL: Access = &[("docket.x.v1.S/A", &[Role::Agent]), ("docket.x.v1.S/B", &[Role::Admin])];
        assert!(uncovered(&descriptors("docket.x.v1", &["A", "B"]), &[FULL]).unwrap().is_empty());
        assert!(uncovered(&descriptors("grpc.health.v1", &["Check"]), &[]).unwrap().is_empty());
    }

    #[test]
    fn every_disagreement_is_named() {
        const ODD: Access =
            &[("docket.x.v1.S/A", &[]), ("docket.x.v1.S/C", &[Role::Agent]), ("docket.x.v1.S/C", &[Role::Agent])];
        assert_eq!(
            uncovered(&descriptors("docket.x.v1", &["A", "B"]), &[ODD]).unwrap(),
            [
                "docket.x.v1.S/A: open to nobody",
                "docket.x.v1.S/C: two rows",
                "docket.x.v1.S/B: no row",
                "docket.x.v1.S/C: no such RPC",
            ]
        );
    }

    #[test]
    fn the_contract_itself_is_read() {
        let faults = uncovered(proto::DESCRIPTORS, &[]).unwrap();
        assert!(faults.contains(&"docket.intake.v1.IntakeService/OpenTicket: no row".to_owned()), "{faults:?}");
    }
}
