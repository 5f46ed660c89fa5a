//! Runs the program from the environment to the exit code: arguments, inputs, the work, the report. Owns their order and leaves
//! each part to another module.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use upsert_secret_aws::{CallGate, CallObserver};
use upsert_secret_config::ci;
use upsert_secret_config::environment::{Environment, bytes};
use upsert_secret_config::inputs::RawInputs;
use upsert_secret_config::resolve::{SecretSink, hide_pairs};
use upsert_secret_config::run::{Action, Draft, Run as CheckedRun};
use upsert_secret_config::spelling::Spelling;
use upsert_secret_config::variables;
use upsert_secret_config::{other_secrets, policy_request, timeout_or_default};
use upsert_secret_core::bounded::io_reason;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::iam;
use upsert_secret_core::notice::Level;

use crate::args::{self, Args, Format, Parsed};
use crate::commands::{self, Command};
use crate::platform::{self, Platform};
use crate::progress::Progress;
use crate::redact::Output;
use crate::relaunch;
use crate::run_report::{RunKind, RunReport};

mod execute;
mod finish;

use execute::Execution;
use finish::Finish;

/// Runs the program and returns its exit code. `arguments` excludes the program name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let started = Instant::now();
    let environment = Environment::of_process();
    let output = Arc::new(Output::new(
        ci::log_format(&environment),
        platform::shows_color(&environment),
    ));
    for secret in other_secrets(&environment) {
        output.hide_unmasked(secret.expose());
    }
    let args = match args::parse(arguments) {
        Ok(Parsed::Run(args)) => args,
        Ok(Parsed::Help(page)) => {
            Output::print_help(&page);
            return 0;
        }
        Err(failure) => {
            // An argument may contain the value from the environment.
            let (raw, _) = variables::read(&environment);
            hide_values(&raw, &environment, &output);
            output.annotate(Level::Error, &finish::with_exit_code(&failure));
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
        public: Vec::new(),
        documents: None,
        manifest: None,
        fail_on_change: false,
    };
    // A panic in the SDK becomes a regular failure that still reports what is known.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_command(args, &environment, &mut finish)
    }))
    .unwrap_or_else(|_| Err(caught_panic()));
    catch_unwind(AssertUnwindSafe(|| finish.end(ended))).unwrap_or(Class::Bug.exit_code())
}

fn hide_values(raw: &RawInputs, environment: &Environment, output: &Output) {
    let hide = |secret: &[u8]| {
        if ci::is_path_of_file_variable(environment, secret) {
            return;
        }
        let hide_whole = |secret: &[u8]| output.hide(secret);
        // A dry run shows the names in this document.
        match raw.value_encoding.as_deref() {
            Some("dotenv") => hide_pairs(secret, &hide_whole),
            _ => hide_whole(secret),
        }
    };
    if let Some(value) = &raw.value {
        hide(value.expose());
    }
    if let Some(key) = &raw.version_id_key {
        output.hide(key.expose());
    }
    // `iam-policy` never reads the value, but a user may have copied the value into a name.
    let named = [&raw.web_identity_token_env, &raw.value_env];
    let named = named.into_iter().flatten();
    for secret in named.filter_map(|name| environment.raw(name)) {
        hide(bytes(secret).expose());
    }
}

fn caught_panic() -> Failure {
    Failure::new(
        Class::Bug,
        "internal error in upsert-secret",
        "report the place named above and the inputs without the value; running again is safe",
    )
}

/// Runs the command. `finish` receives the results.
fn run_command(args: Args, environment: &Environment, finish: &mut Finish) -> Result<(), Failure> {
    relaunch::without_empty_variables(environment)?;
    let (mut raw, known) = variables::read(environment);
    hide_values(&raw, environment, &finish.output);
    // Before anything can fail: outputs of an earlier call must not be mistaken for outputs of this one.
    let limit = timeout_or_default(&raw);
    let opened = Platform::open(environment, raw.output_file.as_deref(), limit)
        .map(|platform| finish.platform = Some(platform));
    known?;
    // The command line applies to this call, while the environment may apply to several.
    raw.manifest = args.manifest.or(raw.manifest);
    raw.only = args.only.or(raw.only);
    finish.report.spelling = Spelling::of(&raw);
    let given = raw.command.as_deref().map(commands::command).transpose()?;
    let (command, action) = resolve_command(args.command, given);
    opened?;
    if command == Command::IamPolicy {
        let request = policy_request::check(action, raw, environment)?;
        let documents = iam::documents(&request);
        finish.documents = Some((format!("{documents:#}"), request.notes));
        return Ok(());
    }
    if let Some(platform) = &mut finish.platform
        && (raw.manifest.is_some() || raw.release.is_some())
    {
        let release = raw.release.as_deref();
        let report = release.and_then(|release| release.strip_prefix("file:"));
        let kept = [
            raw.manifest.as_deref(),
            raw.output_file.as_deref(),
            report.map(str::trim),
        ];
        let kept: Vec<&str> = kept.into_iter().flatten().collect();
        platform.open_report(
            environment,
            raw.report_file.as_deref(),
            &kept,
            release.is_some(),
        )?;
    }
    if action == Action::Import {
        check_import(command, args.format)?;
    }
    work(command == Command::Plan, action, raw, environment, finish)
}

/// Rejects options that cannot be combined with `import`.
fn check_import(command: Command, format: Format) -> Result<(), Failure> {
    let (what, next) = match (command, format) {
        (Command::Plan, _) => (
            "`import` has no plan: it writes nothing",
            "run `import` without `plan`",
        ),
        (_, Format::Json) => (
            "`--format json` cannot be combined with `import`: what it omits is listed in comments, which \
             JSON does not have",
            "omit `--format`: the manifest is YAML",
        ),
        _ => return Ok(()),
    };
    Err(Failure::new(Class::Input, what, next))
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
    // Masks reach the runner through its standard output. Only in our own action is standard output known to be connected to
    // the runner.
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
    if run.fail_on_change && !plan_only {
        return Err(Failure::new(
            Class::Input,
            "`fail-on-change: true` is for the command `plan` only",
            "set the command `plan`, or omit the input",
        ));
    }
    if let Some(platform) = &mut finish.platform {
        platform.clear_report()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Class::Unavailable,
                "the event loop could not be started",
                "check the limits of the container (open files, seccomp)",
            )
            .because(io_reason(&error))
        })?;
    finish.fail_on_change = run.fail_on_change;
    let spelling = finish.report.spelling;
    finish.report = start_report(&finish.output, &run, plan_only, spelling);
    finish.public = run.public_texts();
    if run.drafts.is_empty() && run.import.is_none() {
        // The release changed no current version.
        return Ok(());
    }
    let observer = Arc::new(OutputObserver(Arc::clone(&finish.output)));
    let mut gate = CallGate::new(observer, run.connection.settings.trace);
    if let Some(rate) = run.rate() {
        gate = gate.with_rate_limit(rate);
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
        manifest: OnceCell::new(),
    };
    let ended = runtime.block_on(execution.execute(run));
    let manifest = execution.manifest.into_inner();
    // Does not wait for a thread that hangs, such as a DNS lookup, and does not drop the timers of a thread that is still
    // loading credentials, which would panic.
    mem::forget(runtime);
    finish.manifest = manifest;
    ended
}

/// Prints the trace of calls, and redacts credentials obtained during the run.
struct OutputObserver(Arc<Output>);

impl CallObserver for OutputObserver {
    fn trace(&self, line: &str) {
        self.0.info(line);
    }

    fn hide(&self, secret: &[u8]) {
        self.0.hide_unmasked(secret);
    }
}

fn start_report(
    output: &Arc<Output>,
    run: &CheckedRun,
    plan_only: bool,
    spelling: Spelling,
) -> RunReport {
    let manifest = run.manifest.as_ref();
    let kind = RunKind {
        single: manifest.is_none(),
        plan_only,
        all_or_nothing: manifest.is_some_and(|pacing| pacing.all_or_nothing),
    };
    let progress = Progress::new(Arc::clone(output), run.drafts.len(), !kind.single);
    let names = run.drafts.iter().map(Draft::id).map(str::to_owned);
    let mut report = RunReport::new(names, kind, progress);
    report.spelling = spelling;
    for warning in &run.warnings {
        report.note(Level::Warning, warning.clone());
    }
    for notice in &run.notices {
        report.note(Level::Notice, notice.clone());
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
