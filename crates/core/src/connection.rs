//! How to reach AWS: region, identity, time limits, trusted CAs and proxies, checked and ready to use. Plain data: the config
//! crate reads it from the environment, and the aws crate uses it.

use std::sync::Arc;
use std::time::Duration;

use crate::value::SecretBytes;

/// The settings of a connection to AWS.
pub struct Connection {
    /// The region; `None` if the profile determines it.
    pub region: Option<String>,
    /// The credentials to use.
    pub identity: Arc<Identity>,
    /// The time limit of the whole run.
    pub timeout: Duration,
    /// How to send requests.
    pub settings: Settings,
}

/// The credentials to use.
#[derive(Default)]
pub struct Identity {
    /// The role to assume; `None` uses the credential chain.
    pub role: Option<Arc<Role>>,
    /// The role from `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, one step of the credential chain.
    pub token_file_role: Option<Arc<Role>>,
    /// The accounts that the credentials may belong to; empty allows any account.
    pub allowed_accounts: Vec<String>,
}

impl Identity {
    /// Whether the credential chain is used, either for the calls or to assume the role.
    pub fn uses_chain(&self) -> bool {
        let source = self.role.as_ref().map(|role| &role.source);
        source.is_none_or(|source| matches!(source, TokenSource::Credentials { .. }))
    }
}

/// A role, and how it is assumed.
pub struct Role {
    /// Its full ARN.
    pub arn: String,
    /// The session name in AWS logs; 2 to 64 characters.
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

/// What STS exchanges for the role's credentials.
pub enum TokenSource {
    /// An OIDC token from an environment variable.
    Token(SecretBytes),
    /// An OIDC token in a file, read each time it is needed, because other processes refresh it.
    TokenFile(String),
    /// An OIDC token that GitHub issues on request.
    Github(TokenRequest),
    /// The credentials of the credential chain.
    Credentials {
        /// The external ID that the role's trust policy may require.
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

/// How to send requests.
#[derive(Clone)]
pub struct Settings {
    /// The maximum number of attempts for one call, including the first; 1 to 100.
    pub max_attempts: u32,
    /// Which certificate authorities are trusted.
    pub trust: TrustSettings,
    /// Which requests go through a proxy.
    pub proxies: ProxySettings,
    /// Whether calls are traced (`RUNNER_DEBUG`, `CI_DEBUG_TRACE`).
    pub trace: bool,
    /// The CI system, for hints that apply only to some of them.
    pub ci: CiSystem,
}

/// A CI system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CiSystem {
    /// GitHub Actions, and Forgejo and Gitea, whose runners follow its protocol.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure Pipelines.
    AzurePipelines,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Buildkite.
    Buildkite,
    /// CircleCI.
    CircleCi,
    /// Drone.
    Drone,
    /// Jenkins.
    Jenkins,
    /// TeamCity.
    TeamCity,
    /// Woodpecker.
    Woodpecker,
    /// Another CI system, or a terminal.
    #[default]
    Other,
}

/// The trusted certificate authorities, as given by variables. The files have not been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrustSettings {
    /// The system's authorities, or Mozilla's if the system has none.
    #[default]
    System,
    /// Only the PEM file that `AWS_CA_BUNDLE` names.
    Bundle(String),
    /// `SSL_CERT_FILE` and the directories in `SSL_CERT_DIR`, at least one of them.
    Files {
        /// A PEM file.
        file: Option<String>,
        /// A list of directories in the operating system's format.
        folders: Option<String>,
    },
}

/// The proxies for requests. URLs may contain passwords, so the types have no `Debug`.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// For https requests.
    pub https: ProxyUrl,
    /// For http requests.
    pub http: ProxyUrl,
    /// For all other requests.
    pub all: ProxyUrl,
    /// Hosts to connect to directly: comma-separated names and addresses.
    pub no: String,
}

/// A proxy variable.
#[derive(Clone, Default)]
pub enum ProxyUrl {
    /// Not given.
    #[default]
    None,
    /// The checked URL of an HTTP proxy.
    Valid(String),
    /// Not the URL of an HTTP proxy, for this reason. Fails only the requests that would go through the proxy.
    Unusable(String),
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
