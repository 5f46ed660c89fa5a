//! The services that provide a container or an instance with the credentials of its role, and their faults. The SDK makes the
//! requests but its errors have no status, so this module records the result of the last request. Must not record tokens or
//! responses.

use std::env;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use http::header::InvalidHeaderValue;
use http_body_util::BodyExt as _;

use crate::error::{AwsError, ErrorKind, connector_kind, find_cause};
use crate::fault::{NetworkFault, ServiceFault, ServiceProblem};
use crate::http::Http;
use crate::proxies::host_name;

const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The ECS or EKS credential service, which two variables can name.
pub(super) fn container(config: &ProviderConfig, http: &Http) -> SharedCredentialsProvider {
    let recorder = Recorder::new(http);
    let config = config.clone().with_http_client(recorder.clone());
    let inner = EcsCredentialsProvider::builder()
        .configure(&config)
        .dns(http.lookups().clone())
        .build();
    explained(inner, move |error| {
        if let CredentialsError::CredentialsNotLoaded(_) = error {
            return error;
        }
        // GitHub cannot unset a variable, only set it to an empty text.
        let is_set = |name| env::var_os(name).is_some_and(|uri| !uri.is_empty());
        let variable = match (is_set(RELATIVE_URI), is_set(FULL_URI)) {
            (true, _) => RELATIVE_URI,
            (false, true) => FULL_URI,
            (false, false) => return CredentialsError::not_loaded("empty variables"),
        };
        let fault = container_fault(&error, variable, recorder.last());
        let kind = ErrorKind::CredentialService(Box::new(fault));
        CredentialsError::provider_error(AwsError::new("credentials", kind))
    })
}

/// The instance metadata service. Most failures mean that it has no credentials, because another service may use its address,
/// such as the metadata service of another cloud.
pub(super) fn instance(config: &ProviderConfig, http: &Http) -> SharedCredentialsProvider {
    let recorder = Recorder::new(http);
    let config = config.clone().with_http_client(recorder.clone());
    let inner = ImdsCredentialsProvider::builder()
        .configure(&config)
        .build();
    explained(inner, move |error| {
        match recorder.last().and_then(instance_fault) {
            // The last provider of the chain determines the error.
            Some(fault) => {
                let kind = ErrorKind::InstanceMetadata(Box::new(fault));
                CredentialsError::provider_error(AwsError::new("credentials", kind))
            }
            None => CredentialsError::not_loaded(error),
        }
    })
}

fn explained(
    inner: impl ProvideCredentials + 'static,
    explain: impl Fn(CredentialsError) -> CredentialsError + Send + Sync + 'static,
) -> SharedCredentialsProvider {
    let (inner, explain) = (Arc::new(inner), Arc::new(explain));
    SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let (inner, explain) = (Arc::clone(&inner), Arc::clone(&explain));
        async move {
            let loaded = inner.provide_credentials().await;
            loaded.map_err(|error| explain(error))
        }
    }))
}

fn container_fault(
    error: &CredentialsError,
    variable: &'static str,
    last: Option<Exchange>,
) -> ServiceFault {
    let Some(Exchange { host, ended, .. }) = last else {
        let token = if env::var_os(TOKEN_FILE).is_some() {
            TOKEN_FILE
        } else {
            TOKEN
        };
        let (variable, problem) = if find_cause::<io::Error>(error).is_some() {
            (TOKEN_FILE, ServiceProblem::TokenFile)
        } else if find_cause::<InvalidHeaderValue>(error).is_some() {
            (token, ServiceProblem::Token)
        } else {
            (variable, ServiceProblem::Uri)
        };
        return ServiceFault {
            variable,
            host: String::new(),
            problem,
        };
    };
    let problem = match ended {
        Ok(200..=299) => ServiceProblem::NoCredentials,
        Ok(status) => ServiceProblem::Status(status),
        Err(ErrorKind::Network(NetworkFault::UnknownScheme { .. })) => ServiceProblem::Uri,
        Err(ErrorKind::Network(fault)) => ServiceProblem::Network(fault),
        Err(_) => ServiceProblem::NoAnswer,
    };
    ServiceFault {
        variable,
        host,
        problem,
    }
}

/// The fault of a service, if it is the instance metadata service and not another server at the same address.
fn instance_fault(last: Exchange) -> Option<ServiceFault> {
    let problem = match (last.ended, last.is_put) {
        // Only the instance metadata service responds to the first request, which requests a token.
        (Ok(404), false) => ServiceProblem::NoRole,
        (Ok(status @ 500..=599), _) => ServiceProblem::Status(status),
        (Err(ErrorKind::Timeout), true) => ServiceProblem::NoAnswer,
        _ => return None,
    };
    Some(ServiceFault {
        variable: "AWS_EC2_METADATA_DISABLED",
        host: last.host,
        problem,
    })
}

/// The result of a request.
#[derive(Clone)]
struct Exchange {
    host: String,
    is_put: bool,
    /// The status, or the reason there is none.
    ended: Result<u16, ErrorKind>,
}

/// The HTTP client of a service. Records its last request.
#[derive(Clone)]
struct Recorder {
    http: Http,
    last: Arc<Mutex<Option<Exchange>>>,
}

impl Recorder {
    fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            last: Arc::default(),
        }
    }

    fn last(&self) -> Option<Exchange> {
        let last = self.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RecordingConnector {
            inner: self.http.http_connector(settings, components),
            last: Arc::clone(&self.last),
        })
    }
}

#[derive(Debug)]
struct RecordingConnector {
    inner: SharedHttpConnector,
    last: Arc<Mutex<Option<Exchange>>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().parse::<Uri>().unwrap_or_default();
        let host = host_name(&uri).to_owned();
        let names_role = uri.path().ends_with("/security-credentials/");
        let is_put = request.method() == "PUT";
        let (response, last) = (self.inner.call(request), Arc::clone(&self.last));
        HttpConnectorFuture::new(async move {
            let response = response.await;
            let ended = match &response {
                Ok(response) => Ok(response.status().as_u16()),
                Err(error) => Err(connector_kind(error)),
            };
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Exchange {
                host,
                is_put,
                ended,
            });
            match response {
                Ok(response) if names_role && response.status().is_success() => {
                    check_role_name(response).await
                }
                other => other,
            }
        })
    }
}

/// Reads the name of an instance's role. The SDK builds a path from it, and panics if it cannot.
async fn check_role_name(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = response.take_body().collect().await;
    let name = body
        .map_err(|error| ConnectorError::io(error.to_string().into()))?
        .to_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(byte);
    if !name.iter().all(is_name) {
        return Err(ConnectorError::other("not the name of a role".into(), None));
    }
    *response.body_mut() = SdkBody::from(name);
    Ok(response)
}
