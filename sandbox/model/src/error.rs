//! The errors of Secrets Manager: status, code and recorded message. Independent of wire formats.

/// An error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The error code, such as `ResourceNotFoundException`.
    pub code: String,
    /// The message.
    pub message: String,
}

impl ServiceError {
    /// An error with any status, code and message.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
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

    pub(crate) fn invalid_next_token() -> Self {
        // Not recorded: the message is a choice of the model.
        let message = "The NextToken value is invalid.";
        Self::new(400, "InvalidNextTokenException", message)
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

    pub(crate) fn serialization() -> Self {
        Self::new(400, "SerializationException", "")
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// A request field that violates a constraint of the API model.
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

    /// AccessDeniedException in IAM's words.
    #[must_use]
    pub fn denied(principal: &str, action: &str, resource: &str, reason: &str) -> Self {
        Self::new(
            400,
            "AccessDeniedException",
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"
            ),
        )
    }
}
