//! Explains failures of the credential services of containers and instances. Names the service, its status and the responsible
//! variable. Must never quote a token.

use upsert_secret_core::failure::{Class, Failure};

use super::network;
use crate::fault::{ServiceFault, ServiceProblem};

/// Explains a failure of the container's credential service.
pub(super) fn explain_container(fault: &ServiceFault) -> Failure {
    let ServiceFault {
        variable,
        host,
        problem,
    } = fault;
    let place = format!("the container's credential service at {host}");
    let otherwise = "to use other credentials, unset that variable";
    let (class, what, next) = match problem {
        ServiceProblem::Status(status @ (429 | 500..=599)) => (
            Class::Unavailable,
            format!("{place} failed with HTTP {status}"),
            format!("run again; to use other credentials, unset {variable}"),
        ),
        ServiceProblem::Status(status @ (401 | 403)) => (
            Class::Credentials,
            format!("{place} rejected the request with HTTP {status}"),
            format!("check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, and the role of the task or pod; to use other credentials, unset {variable}"),
        ),
        ServiceProblem::Status(status) => (
            Class::Credentials,
            format!("{place} answered with HTTP {status}"),
            format!("check the path in {variable}, and that the task or pod has a role; {otherwise}"),
        ),
        ServiceProblem::NoCredentials | ServiceProblem::NoRole => (
            Class::Credentials,
            format!("the response from {place} holds no credentials (HTTP 200)"),
            format!("check that {variable} names the credential service, and not another server; {otherwise}"),
        ),
        ServiceProblem::NoAnswer => (
            Class::Unavailable,
            format!("{place} did not answer in time"),
            format!("run again; to use other credentials, unset {variable}"),
        ),
        ServiceProblem::Network(fault) => (
            Class::Unavailable,
            format!("no connection to {place}: {}", network::explain(fault, "").what),
            format!("check {variable}: was it set for another container? To use other credentials, unset that variable"),
        ),
        ServiceProblem::TokenFile => (
            Class::Credentials,
            format!("{variable} does not name a readable file"),
            "check that the token's volume is mounted and readable; to use other credentials, unset that variable and AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(),
        ),
        ServiceProblem::Token => (
            Class::Credentials,
            format!(
                "the token of {variable} contains a line break or another character that tokens cannot \
                 have"),
            "write the token as one line, without a line break at its end".to_owned(),
        ),
        ServiceProblem::Uri => (
            Class::Credentials,
            format!("{variable} is not the URI of a credential service"),
            format!("use https, or http with a loopback address, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]; {otherwise}"),
        ),
    };
    let failure = Failure::new(class, what, next);
    if host.is_empty() {
        failure
    } else {
        failure.because(format!("{variable} names this service"))
    }
}

/// Explains that there are no credentials and that the instance metadata service failed.
pub(super) fn explain_instance(fault: &ServiceFault, no_credentials: Failure) -> Failure {
    let ServiceFault {
        variable,
        host,
        problem,
    } = fault;
    let place = format!("the instance metadata service at {host}");
    let (class, cause, next) = match problem {
        ServiceProblem::Status(status) => (
            Class::Unavailable,
            format!("{place} failed with HTTP {status}"),
            "if the role of this EC2 instance is to be used, run again;".to_owned(),
        ),
        ServiceProblem::NoRole => (
            Class::Credentials,
            format!("{place} answered: the instance has no role"),
            "if the role of this EC2 instance is to be used, attach an instance profile;".to_owned(),
        ),
        _ => (
            Class::Credentials,
            format!("{place} accepted the connection and did not answer the request for a token (PUT)"),
            "if the role of this EC2 instance is to be used in a container, raise the instance's hop limit to 2 \
             (`aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2`);"
                .to_owned(),
        ),
    };
    let (mut what, mut why) = (no_credentials.what, no_credentials.why.unwrap_or_default());
    if class == Class::Unavailable {
        what = format!("{what}: {cause}");
    } else {
        why = format!("{why};\n{cause}");
    }
    Failure {
        class,
        what,
        why: Some(why),
        next: format!(
            "{next} {variable}=true skips the service;\n{}",
            no_credentials.next
        ),
        ..no_credentials
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fault::NetworkFault;

    #[test]
    fn each_problem_has_its_own_headline_and_class() {
        use Class::{Credentials, Unavailable};
        let problems = [
            (ServiceProblem::Status(404), Credentials),
            (ServiceProblem::Status(401), Credentials),
            (ServiceProblem::Status(429), Unavailable),
            (ServiceProblem::Status(503), Unavailable),
            (ServiceProblem::NoCredentials, Credentials),
            (ServiceProblem::NoAnswer, Unavailable),
            (
                ServiceProblem::Network(NetworkFault::ConnectionLost),
                Unavailable,
            ),
            (ServiceProblem::TokenFile, Credentials),
            (ServiceProblem::Token, Credentials),
            (ServiceProblem::Uri, Credentials),
        ];
        let mut headlines = BTreeSet::new();
        for (problem, class) in problems.clone() {
            let failure = explain_container(&ServiceFault {
                variable: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                host: "169.254.170.23".to_owned(),
                problem,
            });
            assert_eq!(failure.class, class, "{failure}");
            assert!(
                failure
                    .to_string()
                    .contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                "{failure}"
            );
            headlines.insert(failure.what);
        }
        assert_eq!(headlines.len(), problems.len());
    }
}
