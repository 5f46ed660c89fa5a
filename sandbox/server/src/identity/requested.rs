//! The part of an identity service request that the log shows.

use serde_json::Value;

use super::jwt::Token;
use crate::{log::IdentityParameters, protocol::Service, request::ServiceRequest};

/// The parameters of a request, without its token.
pub(crate) fn requested(request: &ServiceRequest) -> IdentityParameters {
    let text = |name: &str| {
        let value = request.input.get(name).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    match request.service {
        Service::Sts => IdentityParameters {
            role: text("RoleArn"),
            session: text("RoleSessionName"),
            duration: text("DurationSeconds"),
            audience: text("WebIdentityToken").and_then(|token| {
                let token = Token::parse(&token)?;
                Some(token.audiences().join(" "))
            }),
            external_id: text("ExternalId"),
        },
        Service::Issuer => IdentityParameters {
            audience: text("audience"),
            ..IdentityParameters::default()
        },
        _ => IdentityParameters::default(),
    }
}
