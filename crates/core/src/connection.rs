//! How AWS is reached: region, identity, time limits, trust and proxies, checked and ready to use. Plain data: reading it
//! from the environment is for the config crate, using it for the aws crate.

use std::sync::Arc;
use std::time::Duration;

use crate::value::SecretBytes;

/// What a connection to AWS needs.
pub struct Connection {
    /// The region; `None` leaves it to the profile.
    pub region: Option<String>,
    /// The credentials to use.
    pub identity: Arc<Identity>,
    /// The time limit of the whole run.
    pub timeout: Duration,
    /// How requests are made.
    pub settings: Settings,
}

/// Which credentials are used.
#[derive(Default)]
pub struct Identity {
    /// The role to assume; `None` uses the credential chain.
    pub role: Option<Arc<Role>>,
    /// The role of `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, one step of the credential chain.
    pub token_file_role: Option<Arc<Role>>,
    /// Accounts that the credentials may belong to; empty allows any.
    pub allowed_accounts: Vec<String>,
}

/// A role, and how it is assumed.
pub struct Role {
    /// Its full ARN.
    pub arn: String,
    /// The session name in AWS's logs; 2 to 64 characters.
    pub session_name: String,
    /// The length of the session in seconds, 900 to 43,200.
    pub duration: u32,
    /// What STS exchanges for the role.
    pub source: TokenSource,
}

impl Role {
    /// The account of the role: twelve digits.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }
}

/// What STS exchanges for a role's credentials.
pub enum TokenSource {
    /// An OIDC token from an environment variable.
    Token(SecretBytes),
    /// An OIDC token in a file, read each time it is needed, because other processes renew it.
    TokenFile(String),
    /// An OIDC token that GitHub issues on request.
    Github(TokenRequest),
    /// The credentials of the credential chain.
    Credentials {
        /// The external id that the role's trust policy may require.
        external_id: Option<String>,
    },
}

/// The request for an OIDC token from GitHub.
pub struct TokenRequest {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`; https, or on loopback.
    pub url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    pub bearer: SecretBytes,
    /// The audience of the token.
    pub audience: String,
}

/// How requests are made.
#[derive(Clone)]
pub struct Settings {
    /// Attempts for one call, the first included; 1 to 100.
    pub max_attempts: u32,
    /// Which certificate authorities are trusted.
    pub trust: TrustSettings,
    /// Which requests go through a proxy.
    pub proxies: ProxySettings,
    /// Whether calls are traced (`RUNNER_DEBUG`, `CI_DEBUG_TRACE`).
    pub trace: bool,
}

/// Which certificate authorities are trusted, by the variables that name them. The files have not been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrustSettings {
    /// Those of the system, or Mozilla's if the system has none.
    #[default]
    System,
    /// The PEM file that `AWS_CA_BUNDLE` names, and no other.
    Bundle(String),
    /// `SSL_CERT_FILE` and the folders of `SSL_CERT_DIR`, at least one of them.
    Files {
        /// A PEM file.
        file: Option<String>,
        /// A list of folders in the system's notation.
        folders: Option<String>,
    },
}

/// Checked proxy URLs, each empty if not given. They may contain passwords, so the type has no `Debug`.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// For https requests.
    pub https: String,
    /// For http requests.
    pub http: String,
    /// For all others.
    pub all: String,
    /// Hosts that are reached directly: names and addresses with commas between them.
    pub no: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_of_role_is_read_from_its_arn() {
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/path/ci".to_owned(),
            session_name: "made-up".to_owned(),
            duration: 900,
            source: TokenSource::Credentials { external_id: None },
        };
        assert_eq!(role.account(), "111122223333");
    }
}
