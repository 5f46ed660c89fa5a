//! Owns the errors the services answer with: code, status and the words that were recorded.
//! It must not know how they travel (see `wire.rs`).

/// One error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequestException", message)
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFoundException", message)
    }

    pub(crate) fn no_secret() -> Self {
        Self::not_found("Secrets Manager can't find the specified secret.")
    }

    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceExistsException", message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(400, "LimitExceededException", message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// A member that breaks a constraint of the API model.
    pub(crate) fn constraint(member: &str, constraint: &str) -> Self {
        let mut chars = member.chars();
        let lower: String = chars
            .next()
            .map(|first| first.to_ascii_lowercase())
            .into_iter()
            .chain(chars)
            .collect();
        Self::validation(format!(
            "1 validation error detected: Value at '{lower}' failed to satisfy constraint: Member must {constraint}"
        ))
    }

    pub(crate) fn bad_name() -> Self {
        Self::validation(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    }

    pub(crate) fn marked_for_deletion() -> Self {
        Self::invalid_request(
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    }

    pub(crate) fn replica() -> Self {
        Self::invalid_parameter(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        )
    }

    pub(crate) fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn unknown_client() -> Self {
        Self::new(
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    }

    pub(crate) fn expired_token() -> Self {
        Self::new(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    pub(crate) fn bad_signature(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidSignatureException", message)
    }

    pub(crate) fn signature_mismatch() -> Self {
        Self::bad_signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    }

    pub(crate) fn denied(principal: &str, action: &str, resource: &str, reason: &str) -> Self {
        Self::new(
            400,
            "AccessDeniedException",
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"
            ),
        )
    }

    /// A web identity token that STS does not take.
    pub(crate) fn invalid_token(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidIdentityToken", message)
    }

    /// STS could not get the issuer's keys in time: for a passing reason, or because nobody answers there.
    pub(crate) fn no_verification_key() -> Self {
        // The two blanks are recorded.
        Self::invalid_token(
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        )
    }

    /// No trust policy holds for the token, or there is no such role: STS does not say which.
    pub(crate) fn untrusted_token() -> Self {
        Self::new(
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )
    }

    /// The query protocol of STS has names and a status of its own for what went wrong with the caller.
    /// `signed` is whether the request had to pass the front door: a token that expired is another thing there.
    pub(crate) fn for_sts(mut self, signed: bool) -> Self {
        let code = match self.code.as_str() {
            "UnrecognizedClientException" => "InvalidClientTokenId",
            "InvalidSignatureException" => "SignatureDoesNotMatch",
            "ExpiredTokenException" if signed => "ExpiredToken",
            "AccessDeniedException" => "AccessDenied",
            "ThrottlingException" => {
                self.code = "Throttling".to_owned();
                return self;
            }
            "ValidationException" => {
                self.code = "ValidationError".to_owned();
                return self;
            }
            "UnknownOperationException" => {
                self.code = "InvalidAction".to_owned();
                return self;
            }
            "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
            _ => return self,
        };
        self.code = code.to_owned();
        self.status = 403;
        self
    }

    /// Services without error codes speak in statuses.
    pub(crate) fn for_plain(mut self) -> Self {
        self.status = match self.code.as_str() {
            "ThrottlingException" => 429,
            "AccessDeniedException" => 403,
            "ExpiredTokenException" | "InvalidSignatureException" => 401,
            "UnknownOperationException" => 404,
            _ => return self,
        };
        self
    }
}
