//! The errors of authentication and of the identity services: status, code and recorded message. Independent of wire formats.

use sandbox_model::ServiceError;

pub(crate) fn validation(message: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationException", message)
}

pub(crate) fn throttled() -> ServiceError {
    ServiceError::new(400, "ThrottlingException", "Rate exceeded")
}

pub(crate) fn unknown_client() -> ServiceError {
    ServiceError::new(
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}

pub(crate) fn expired_token() -> ServiceError {
    ServiceError::new(
        400,
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )
}

pub(crate) fn bad_signature(message: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidSignatureException", message)
}

pub(crate) fn signature_mismatch() -> ServiceError {
    bad_signature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )
}

/// A web identity token that STS rejects.
pub(crate) fn invalid_token(message: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidIdentityToken", message)
}

/// STS could not get the issuer's keys in time, for a temporary reason or because the issuer is unreachable.
pub(crate) fn no_verification_key() -> ServiceError {
    // The double space is as recorded.
    invalid_token(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    )
}

/// No trust policy matches the token, or the role does not exist; STS does not distinguish the two.
pub(crate) fn untrusted_token() -> ServiceError {
    ServiceError::new(
        403,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )
}

/// Translates an error to the codes and statuses of the STS query protocol. `signed` is whether the operation
/// requires a signature: for one that does not, an expired token is the web identity token.
pub(crate) fn for_sts(mut error: ServiceError, signed: bool) -> ServiceError {
    let code = match error.code.as_str() {
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "ExpiredTokenException" if signed => "ExpiredToken",
        "AccessDeniedException" => "AccessDenied",
        "ThrottlingException" => {
            error.code = "Throttling".to_owned();
            return error;
        }
        "ValidationException" => {
            error.code = "ValidationError".to_owned();
            return error;
        }
        "UnknownOperationException" => {
            error.code = "InvalidAction".to_owned();
            return error;
        }
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        _ => return error,
    };
    error.code = code.to_owned();
    error.status = 403;
    error
}

/// Translates an error for services that report errors by status alone.
pub(crate) fn for_plain(mut error: ServiceError) -> ServiceError {
    error.status = match error.code.as_str() {
        "ThrottlingException" => 429,
        "AccessDeniedException" => 403,
        "ExpiredTokenException" | "InvalidSignatureException" => 401,
        "UnknownOperationException" => 404,
        _ => return error,
    };
    error
}
