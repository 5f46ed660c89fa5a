//! The sandbox as a program, for shell scripts and manual experiments. Holds no logic of its own.

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use sandbox::front::{Authority, Tls};
use sandbox::{Builder, Role, Sandbox, Trust};

const HELP: &str = "\
Local emulator of AWS Secrets Manager and STS, for development only

Usage: sandbox [OPTIONS]

  --bind ADDRESS         loopback address to listen on (default: 127.0.0.1)
  --port N               port to listen on (default: 0, any free port)
  --latency-ms N         minimum duration of every request
  --writes-per-second N  throttle writes above this rate (ThrottlingException)
  --tls-ca FILE          serve TLS as well, at SANDBOX_TLS_URL; FILE receives the certificate of its CA
  --help                 print this help

Roles (none by default; --trust-* and --max-session apply to the preceding --role):

  --role ARN               add a role that can be assumed
  --trust-github SUB       trust GitHub jobs with a matching subject (repo:OWNER/REPO:*)
  --trust-gitlab SUB       trust GitLab jobs with a matching subject (project_path:GROUP/PROJECT:*)
  --trust-principal ARN    trust a user or another role
  --max-session SECONDS    longest session (default: 3600)
  --github-audience TEXT   audience of GitHub tokens (default: sts.amazonaws.com)
  --gitlab-audience TEXT   audience of GitLab tokens (default: https://gitlab.com)

Output:

  --github-job SUB  print ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN of a job with this subject
  --gitlab-job SUB  print GITLAB_OIDC_TOKEN of a job with this subject
  --no-key          do not print the access key, which is allowed everything

Prints the endpoint and the environment variables to use it, and runs until SIGINT or SIGTERM.
GET /_sandbox/log lists the requests and their callers, GET /_sandbox/secrets the secrets without their values.
";

/// The parsed command line.
struct Options {
    builder: Builder,
    roles: Vec<RoleOption>,
    github_audience: String,
    gitlab_audience: String,
    github_job: Option<String>,
    gitlab_job: Option<String>,
    no_key: bool,
    tls_ca: Option<String>,
}

/// A role on the command line. The audiences are known only after all options are read.
struct RoleOption {
    role: Role,
    github: Vec<String>,
    gitlab: Vec<String>,
}

/// Returns `None` if the help text is requested.
fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let mut options = Options {
        builder: Sandbox::builder(),
        roles: Vec::new(),
        github_audience: "sts.amazonaws.com".to_owned(),
        gitlab_audience: "https://gitlab.com".to_owned(),
        github_job: None,
        gitlab_job: None,
        no_key: false,
        tls_ca: None,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" => return Ok(None),
            "--no-key" => options.no_key = true,
            // The help text is the list of options: an option that it does not explain does not exist.
            name if name.starts_with("--") && HELP.contains(&format!("  {name} ")) => {
                let value = arguments.next();
                let value = value.with_context(|| format!("{name} needs a value"))?;
                options = options.set(name, value)?;
            }
            _ => bail!("unknown argument {argument}; try --help"),
        }
    }
    Ok(Some(options))
}

fn number(name: &str, value: &str) -> anyhow::Result<u32> {
    value
        .parse()
        .with_context(|| format!("{name} {value}: not a number"))
}

impl Options {
    fn set(mut self, name: &str, value: String) -> anyhow::Result<Self> {
        let builder = self.builder;
        self.builder = match name {
            "--bind" => {
                let address = value.parse();
                builder.bind(address.with_context(|| format!("{name} {value}: not an IP address"))?)
            }
            "--port" => {
                let port = u16::try_from(number(name, &value)?);
                builder.port(port.context("--port: must be at most 65535")?)
            }
            "--latency-ms" => builder.latency(Duration::from_millis(number(name, &value)?.into())),
            "--writes-per-second" => builder.writes_per_second(number(name, &value)?),
            _ => builder,
        };
        match name {
            "--role" => self.roles.push(RoleOption {
                role: Role::try_new(&value)
                    .with_context(|| format!("{value}: not the ARN of a role"))?,
                github: Vec::new(),
                gitlab: Vec::new(),
            }),
            "--tls-ca" => self.tls_ca = Some(value),
            "--github-audience" => self.github_audience = value,
            "--gitlab-audience" => self.gitlab_audience = value,
            "--github-job" => self.github_job = Some(value),
            "--gitlab-job" => self.gitlab_job = Some(value),
            "--trust-github" => self.last_role(name)?.github.push(value),
            "--trust-gitlab" => self.last_role(name)?.gitlab.push(value),
            "--trust-principal" => {
                let option = self.last_role(name)?;
                option.role = option.role.clone().trust(Trust::principal(&value));
            }
            "--max-session" => {
                let max = Duration::from_secs(number(name, &value)?.into());
                let option = self.last_role(name)?;
                option.role = option.role.clone().max_session(max);
            }
            _ => {}
        }
        Ok(self)
    }

    fn last_role(&mut self, name: &str) -> anyhow::Result<&mut RoleOption> {
        let last = self.roles.last_mut();
        last.with_context(|| format!("{name} must follow the --role it applies to"))
    }
}

fn run(options: Options) -> anyhow::Result<()> {
    let sandbox = options.builder.start().context("cannot listen")?;
    for RoleOption {
        mut role,
        github,
        gitlab,
    } in options.roles
    {
        for subject in github {
            role = role.trust(Trust::github(&subject).audience(&options.github_audience));
        }
        for subject in gitlab {
            role = role.trust(Trust::gitlab(&options.gitlab_audience, &subject));
        }
        sandbox.add_role(role);
    }
    let mut lines = match options.no_key {
        true => sandbox.keyless_env(),
        false => sandbox.env(),
    };
    let job = options
        .github_job
        .map(|subject| sandbox.github_oidc(&subject));
    let job = job.unwrap_or_default();
    lines.extend(
        job.iter()
            .map(|(name, value)| (name.as_str(), value.clone())),
    );
    if let Some(subject) = options.gitlab_job {
        let token = sandbox.gitlab_token(&subject, &options.gitlab_audience);
        lines.push(("GITLAB_OIDC_TOKEN", token));
    }
    let tls = options.tls_ca.map(|file| serve_tls(&sandbox, &file));
    let tls = tls.transpose()?;
    lines.extend(tls.iter().map(|tls| ("SANDBOX_TLS_URL", tls.url())));
    // Before anything is printed: a script that has read the output may stop the program at once.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let context = runtime.enter();
    let stopped = stopped().context("cannot wait for a signal")?;
    drop(context);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", sandbox.url())?;
    for (name, value) in lines {
        writeln!(out, "{name}={value}")?;
    }
    out.flush()?;
    runtime.block_on(stopped);
    Ok(())
}

/// Serves TLS in front of the sandbox, with a new CA, whose certificate is written to `file`.
fn serve_tls(sandbox: &Sandbox, file: &str) -> anyhow::Result<Tls> {
    let authority = Authority::new();
    fs::write(file, authority.pem()).with_context(|| format!("cannot write {file}"))?;
    let builder = Tls::builder(&["localhost"]).authority(&authority);
    Ok(builder.start(&sandbox.url()))
}

/// Starts to listen for termination signals; the future completes with the first one.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // If there is no signal to wait for, the only option is to stop.
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn main() -> ExitCode {
    let fail = |code: u8, error: anyhow::Error| {
        // If standard error is closed, there is nowhere to report it.
        let _ = writeln!(io::stderr(), "sandbox: {error:#}");
        ExitCode::from(code)
    };
    match parse(std::env::args().skip(1)) {
        Err(error) => fail(2, error),
        Ok(None) => match io::stdout().write_all(HELP.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, error.into()),
        },
        Ok(Some(options)) => match run(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, error),
        },
    }
}
