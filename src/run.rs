//! A run from the environment to the exit code: arguments, inputs, the work, the report. It owns their order and leaves
//! each part to another module.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use upsert_secret_aws::{CallGate, CallObserver};
use upsert_secret_config::ci;
use upsert_secret_config::environment::{Environment, bytes};
use upsert_secret_config::inputs::{self, RawInputs};
use upsert_secret_config::resolve::SecretSink;
use upsert_secret_config::run::{Action, Draft, Run as CheckedRun};
use upsert_secret_config::{policy_request, proxy_passwords};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::iam;
use upsert_secret_core::notice::Level;

use crate::args::{self, Args, Parsed};
use crate::commands::{self, Command};
use crate::platform::{self, Platform};
use crate::progress::Progress;
use crate::redact::Output;
use crate::run_report::{RunKind, RunReport};

mod execute;
mod finish;

use execute::Execution;
use finish::Finish;

/// Variables that hold other secrets, which are redacted like the value.
const CREDENTIALS: &[&str] = &[
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "GITHUB_TOKEN",
    "CI_JOB_TOKEN",
];

/// Runs the program and returns its exit code. `arguments` come without the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let started = Instant::now();
    let environment = Environment::of_process();
    let output = Arc::new(Output::new(
        ci::log_format(&environment),
        platform::shows_color(&environment),
    ));
    for secret in CREDENTIALS.iter().filter_map(|name| environment.raw(name)) {
        output.hide(secret.as_encoded_bytes());
    }
    for secret in proxy_passwords(&environment) {
        output.hide_unmasked(secret.expose());
    }
    let args = match args::parse(arguments) {
        Ok(Parsed::Run(args)) => args,
        Ok(Parsed::Help(page)) => {
            Output::print_help(&page);
            return 0;
        }
        Err(failure) => {
            // An argument may be the value that is also in the environment.
            let (raw, _) = inputs::read(&environment);
            hide_values(&raw, &environment, &output);
            output.annotate(Level::Error, &failure.to_string());
            return failure.class.exit_code();
        }
    };
    let single = RunKind {
        single: true,
        ..RunKind::default()
    };
    let mut finish = Finish {
        output,
        format: args.format,
        started,
        platform: None,
        report: RunReport::new(None, single, Progress::silent()),
        documents: None,
    };
    // A panic of the SDK becomes a clean failure that still reports what is known.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_command(args, &environment, &mut finish)
    }))
    .unwrap_or_else(|_| Err(caught_panic()));
    catch_unwind(AssertUnwindSafe(|| finish.end(ended))).unwrap_or(Class::Bug.exit_code())
}

fn hide_values(raw: &RawInputs, environment: &Environment, output: &Output) {
    if let Some(value) = &raw.value {
        output.hide(value.expose());
    }
    if let Some(key) = &raw.version_id_key {
        output.hide(key.expose());
    }
    // `iam-policy` never reads the value, which may still have been copied into a name.
    let named = [&raw.web_identity_token_env, &raw.value_env];
    let named = named.into_iter().flatten();
    for secret in named.filter_map(|name| environment.raw(name)) {
        output.hide(bytes(secret).expose());
    }
}

fn caught_panic() -> Failure {
    Failure::new(
        Class::Bug,
        "upsert-secret has a bug",
        "please report the place named above, with the inputs but without the value; running again is safe",
    )
}

/// Runs the command. `finish` receives the results.
fn run_command(args: Args, environment: &Environment, finish: &mut Finish) -> Result<(), Failure> {
    let (mut raw, known) = inputs::read(environment);
    hide_values(&raw, environment, &finish.output);
    // Before anything can fail: outputs of an earlier call must not be mistaken for those of this one.
    let opened = Platform::open(environment, raw.output_file.as_deref())
        .map(|platform| finish.platform = Some(platform));
    known?;
    // The command line applies to this call, the environment perhaps to several.
    raw.manifest = args.manifest.or(raw.manifest);
    let given = raw.command.as_deref().map(commands::command).transpose()?;
    let (command, action) = resolve_command(args.command, given);
    opened?;
    if command == Command::IamPolicy {
        let request = policy_request::check(action, raw, environment)?;
        let documents = iam::documents(&request);
        finish.documents = Some((format!("{documents:#}"), request.notes));
        return Ok(());
    }
    work(command == Command::Plan, action, raw, environment, finish)
}

fn work(
    plan_only: bool,
    action: Action,
    raw: RawInputs,
    environment: &Environment,
    finish: &mut Finish,
) -> Result<(), Failure> {
    let output = Arc::clone(&finish.output);
    let hide = |bytes: &[u8]| output.hide(bytes);
    // Masks reach the runner through its standard output. Only in our own action is standard output known to be the runner's.
    let masks = raw.from_action && ci::is_github(environment);
    let mask = |bytes: &[u8]| {
        if let Some(text) = str::from_utf8(bytes).ok().filter(|_| masks) {
            output.mask(text);
        }
    };
    let sink = SecretSink {
        hide: &hide,
        mask: &mask,
    };
    let run = CheckedRun::check(action, raw, environment, Some(&sink))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Class::Unavailable,
                "no event loop could be started",
                "check the limits of the container (open files, seccomp)",
            )
            .because(error.kind().to_string())
        })?;
    finish.report = start_report(&finish.output, &run, plan_only);
    let observer = Arc::new(OutputObserver(Arc::clone(&finish.output)));
    let mut gate = CallGate::new(observer, run.connection.settings.trace);
    if let Some(pacing) = &run.manifest {
        gate = gate.with_rate_limit(pacing.rate);
    }
    let execution = Execution {
        gate: Arc::new(gate),
        run_identity: ci::run_identity(environment),
        left: run
            .connection
            .timeout
            .saturating_sub(finish.started.elapsed()),
        sink: &sink,
        report: &finish.report,
    };
    let ended = runtime.block_on(execution.execute(run));
    // A hanging name lookup must not keep the process alive.
    runtime.shutdown_background();
    ended
}

/// Prints the trace of calls, and redacts credentials that are obtained during the run.
struct OutputObserver(Arc<Output>);

impl CallObserver for OutputObserver {
    fn trace(&self, line: &str) {
        self.0.info(line);
    }

    fn hide(&self, secret: &[u8]) {
        self.0.hide_unmasked(secret);
    }
}

fn start_report(output: &Arc<Output>, run: &CheckedRun, plan_only: bool) -> RunReport {
    let manifest = run.manifest.as_ref();
    let kind = RunKind {
        single: manifest.is_none(),
        plan_only,
        all_or_nothing: manifest.is_some_and(|pacing| pacing.all_or_nothing),
    };
    let progress = Progress::new(Arc::clone(output), run.drafts.len(), !kind.single);
    let names = run.drafts.iter().map(Draft::id).map(str::to_owned);
    let report = RunReport::new(names, kind, progress);
    for warning in &run.warnings {
        report.note(Level::Warning, warning.clone());
    }
    report
}

/// The command and its action. With `plan` or `iam-policy` on the command line, the input `command` names the action.
fn resolve_command(line: Option<Command>, given: Option<Command>) -> (Command, Action) {
    let command = line.or(given).unwrap_or(Command::Run(Action::Upsert));
    match (command, line.and(given)) {
        (Command::Run(action), _) | (_, Some(Command::Run(action))) => (command, action),
        _ => (command, Action::Upsert),
    }
}
