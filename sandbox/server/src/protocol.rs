//! The services behind the one port.

/// The service that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Sts,
    /// GitHub's endpoint for ID tokens.
    Issuer,
    /// The endpoints from which machines get their own credentials.
    Metadata,
}
