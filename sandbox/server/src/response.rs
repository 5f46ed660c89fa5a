//! How a request ends, with a response or a broken connection, and the effects of faults on it.

use sandbox_model::{ACCOUNT, ServiceError};

use crate::{
    errors, faults::Fault, protocol::Service, request::ServiceRequest, wire::EncodedResponse,
};

const WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";

/// The page of a captive portal.
const PAGE: &str = "<!DOCTYPE html>\r\n<html><head><title>Sign in to the network</title></head><body><p>Please accept the terms.</p></body></html>\r\n";

/// What is delivered to the client.
pub(crate) enum Delivery {
    Send(EncodedResponse),
    /// Only the first half of the body is sent; the declared length is that of all of it.
    Truncate(EncodedResponse),
    Close,
    Reset,
}

/// Encodes an error in the format and with the codes of the service that was called.
pub(crate) fn error_response(request: &ServiceRequest, error: ServiceError) -> EncodedResponse {
    let error = match request.service {
        Service::SecretsManager => error,
        Service::Sts => errors::for_sts(error, request.operation != WEB_IDENTITY),
        Service::Issuer | Service::Metadata => errors::for_plain(error),
    };
    EncodedResponse::error(request.service, error)
}

/// The outcome of a fault that prevents the operation from running; `None` for other faults.
pub(crate) fn before_apply(fault: &Fault, request: &ServiceRequest) -> Option<Delivery> {
    let text = |name: &str| request.input[name].as_str().unwrap_or_default();
    let respond = |response| Some(Delivery::Send(response));
    let error = match fault {
        Fault::Error {
            status,
            code,
            message,
        } => {
            // The test chose this error as the service sends it: no translation.
            let error = ServiceError::new(*status, code, message);
            return respond(EncodedResponse::error(request.service, error));
        }
        Fault::Throttle => errors::throttled(),
        Fault::InternalError => ServiceError::new(
            500,
            "InternalServiceError",
            "An error occurred on the server side.",
        ),
        Fault::BadGateway => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
            return respond(EncodedResponse::plain(502, "text/html", page));
        }
        Fault::Unavailable => {
            return respond(EncodedResponse::of_aws(503, "text/plain", ""));
        }
        Fault::Page(status) => {
            return respond(EncodedResponse::plain(*status, "text/html", PAGE));
        }
        Fault::Foreign(status, body) => {
            return respond(EncodedResponse::plain(*status, "application/json", *body));
        }
        Fault::Pending => ServiceError::new(
            403,
            "JobNotRunning",
            "Can't issue ID_TOKEN for job in 'Pending' state",
        ),
        Fault::IdpUnreachable => ServiceError::new(
            400,
            "IDPCommunicationError",
            "The request could not be fulfilled because the identity provider (IDP) that was asked to verify the incoming identity token could not be reached.",
        ),
        Fault::NoVerificationKey => errors::no_verification_key(),
        Fault::ResetBefore => return Some(Delivery::Reset),
        Fault::BadSignature => errors::bad_signature(
            "Signature expired: 20231123T120000Z is now earlier than 20231123T125500Z (20231123T130000Z - 5 min.)",
        ),
        // Expired web identity tokens have an error of their own.
        Fault::ExpiredToken if request.operation == WEB_IDENTITY => {
            let text = "Token expired: current date/time 1700000300 must be before the expiration date/time 1700000000";
            ServiceError::new(400, "ExpiredTokenException", text)
        }
        Fault::ExpiredToken => errors::expired_token(),
        Fault::AccessDenied if request.operation == WEB_IDENTITY => errors::untrusted_token(),
        Fault::AccessDenied if request.service != Service::SecretsManager => {
            let user = format!("arn:aws:iam::{}:user/sandbox", ACCOUNT);
            let (action, role) = (format!("sts:{}", request.operation), text("RoleArn"));
            let text =
                format!("User: {user} is not authorized to perform: {action} on resource: {role}");
            ServiceError::new(403, "AccessDeniedException", text)
        }
        Fault::AccessDenied => {
            let action = format!("secretsmanager:{}", request.operation);
            let id = [text("SecretId"), text("Name")].concat();
            let user = format!("arn:aws:iam::{}:user/sandbox", ACCOUNT);
            let reason = format!("because no identity-based policy allows the {action} action");
            ServiceError::denied(&user, &action, &id, &reason)
        }
        Fault::QuoteValue => ServiceError::new(
            400,
            "InvalidRequestException",
            format!("The value {} is not valid here.", text("SecretString")),
        ),
        _ => return None,
    };
    respond(error_response(request, error))
}

/// Applies a fault to the response of an operation that ran.
pub(crate) fn after_apply(fault: &Fault, delivery: Delivery) -> Delivery {
    let Delivery::Send(mut answer) = delivery else {
        return delivery;
    };
    match fault {
        Fault::LostAfter => return Delivery::Close,
        Fault::CutBody => return Delivery::Truncate(answer),
        Fault::MalformedBody => answer.body = b"{\"ARN\": oops".to_vec(),
        Fault::EmptyObject => answer.body = b"{}".to_vec(),
        Fault::GarbledBody => answer.body = vec![0xff, 0xfe, 0x00, 0x80],
        Fault::Oversized(bytes) => answer.body.resize(answer.body.len().max(*bytes), b' '),
        Fault::MalformedGet => {
            answer.body.pop();
            answer.body.extend_from_slice(b",]");
        }
        _ => {}
    }
    Delivery::Send(answer)
}
