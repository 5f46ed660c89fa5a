//! The sandbox as a program, for shell scripts and for trying things out. It must hold no logic of its own.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use sandbox::{Builder, Sandbox};

const HELP: &str = "\
AWS Secrets Manager and STS on loopback, for development only

Usage: sandbox [--port N] [--latency-ms N] [--writes-per-second N]

  --port N               listen on 127.0.0.1:N; 0, the default, takes a free port
  --latency-ms N         what every request takes at least
  --writes-per-second N  answer ThrottlingException above this rate
  --help                 this text

Prints the endpoint and the environment to use it, and runs until SIGINT or SIGTERM.
GET /_sandbox/log shows the requests, GET /_sandbox/secrets what is stored (never a value).
";

/// What the command line asks for; `None` is the help text.
fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Builder>> {
    let mut builder = Sandbox::builder();
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let mut number = || -> anyhow::Result<u32> {
            let value = arguments
                .next()
                .with_context(|| format!("{argument} needs a number"))?;
            value
                .parse()
                .with_context(|| format!("{argument} {value}: not a number"))
        };
        builder = match argument.as_str() {
            "--help" => return Ok(None),
            "--port" => builder.port(u16::try_from(number()?).context("--port: at most 65535")?),
            "--latency-ms" => builder.latency(Duration::from_millis(number()?.into())),
            "--writes-per-second" => builder.writes_per_second(number()?),
            _ => anyhow::bail!("unknown argument {argument}; try --help"),
        };
    }
    Ok(Some(builder))
}

fn run(builder: Builder) -> anyhow::Result<()> {
    let sandbox = builder.start().context("cannot listen")?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", sandbox.url())?;
    for (name, value) in sandbox.env() {
        writeln!(out, "{name}={value}")?;
    }
    out.flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime
        .block_on(stopped())
        .context("cannot wait for a signal")
}

#[cfg(unix)]
async fn stopped() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stopped() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

fn main() -> ExitCode {
    let fail = |code: u8, error: anyhow::Error| {
        // Nowhere is left to report that standard error is closed.
        let _ = writeln!(io::stderr(), "sandbox: {error:#}");
        ExitCode::from(code)
    };
    match parse(std::env::args().skip(1)) {
        Err(error) => fail(2, error),
        Ok(None) => match io::stdout().write_all(HELP.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, error.into()),
        },
        Ok(Some(builder)) => match run(builder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, error),
        },
    }
}
