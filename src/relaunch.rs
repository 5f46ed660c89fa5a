//! Restarts the program without variables that are set but empty. CI systems cannot unset a variable, only empty it; the AWS
//! CLI treats an empty variable as unset, but the SDK does not. The SDK reads the environment of its process, which cannot be
//! changed safely from inside. Must not make any other decisions about variables.

use std::process::Command;
use std::{env, io};

use upsert_secret_config::environment::Environment;
use upsert_secret_core::bounded::io_reason;
use upsert_secret_core::failure::{Class, Failure};

/// Variables that the SDK or its dependencies read, besides those that start with `AWS_`.
const READ_BY_SDK: [&str; 4] = [
    "LOG_SENSITIVE_BODIES",
    "LOG_SIGNABLE_BODY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// Variables that the SDK treats as unset if they are empty. A partial access key and an empty one have their own messages.
const EMPTY_IS_FINE: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Restarts the program with the same arguments, unless there are no variables to remove.
///
/// # Errors
/// The program cannot be restarted.
pub(crate) fn without_empty_variables(environment: &Environment) -> Result<(), Failure> {
    let empty: Vec<_> = environment
        .empty_names()
        .filter(|name| misleads_sdk(name))
        .collect();
    if empty.is_empty() {
        return Ok(());
    }
    let error = restart(&empty);
    Err(Failure::new(
        Class::Input,
        format!("{} is set but empty", empty.join(", ")),
        "unset it",
    )
    .because(format!(
        "it cannot be treated as not set, because upsert-secret could not restart itself: {}",
        io_reason(&error)
    )))
}

fn misleads_sdk(name: &str) -> bool {
    // Variable names are case-insensitive on Windows.
    let name = name.to_ascii_uppercase();
    let name = name.as_str();
    (name.starts_with("AWS_") || READ_BY_SDK.contains(&name)) && !EMPTY_IS_FINE.contains(&name)
}

/// Replaces this process or, if the system does not support that, exits with the exit code of the new process. Returns only
/// after an error.
fn restart(without: &[&str]) -> io::Error {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1));
    for name in without {
        command.env_remove(name);
    }
    replace_process(&mut command)
}

#[cfg(unix)]
fn replace_process(command: &mut Command) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    if let Some(name) = env::args_os().next() {
        command.arg0(name);
    }
    command.exec()
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> io::Error {
    // The console sends Ctrl-C and Ctrl-Break to both processes. The new process handles them, and this one waits for it.
    let _signals = crate::signals::Signals::listen();
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_sdk_variable_is_removed() {
        for name in [
            "AWS_ENDPOINT_URL_STS",
            "AWS_PROFILE",
            "AWS_A_SETTING_OF_NEXT_YEAR",
            "SSL_CERT_FILE",
            "aws_profile",
        ] {
            assert!(misleads_sdk(name), "{name}");
        }
        for name in [
            "AWS_SESSION_TOKEN",
            "HTTPS_PROXY",
            "UPSERT_SECRET_NAME",
            "PATH",
        ] {
            assert!(!misleads_sdk(name), "{name}");
        }
    }
}
