//! The table of outputs, from which `action.yml`, the README and `--help` are generated, and the characters allowed in an
//! output.

/// Output values by name, in the documented order.
pub(crate) type Outputs = Vec<(&'static str, String)>;

/// A documented output.
pub struct Output {
    /// The name, as in `steps.ID.outputs.NAME`.
    pub name: &'static str,
    /// The description.
    pub meaning: &'static str,
}

const fn output(name: &'static str, meaning: &'static str) -> Output {
    Output { name, meaning }
}

const OUTPUTS: [Output; 16] = [
    output("secret_id", "The ARN of the secret."),
    output("secret_name", "The name of the secret."),
    output(
        "secret_version_id",
        "The ID of the version that holds the value.",
    ),
    output(
        "previous_version_id",
        "The ID of the version that was current before, if this run moved AWSCURRENT.",
    ),
    output(
        "version_stages",
        "The staging labels of the version, separated by commas.",
    ),
    output(
        "result",
        "`created`, `updated` (a version or metadata was written) or `unchanged`; with `plan`, the expected result. With `manifest`, `result` and `changed` are empty if nothing was written and something failed.",
    ),
    output(
        "changed",
        "`false` if the result is `unchanged`, otherwise `true`.",
    ),
    output(
        "restored",
        "`true` if the secret was scheduled for deletion and was restored.",
    ),
    output("region", "The region of the secret."),
    output(
        "created",
        "With `manifest`: number of secrets created; with `plan`, number to create.",
    ),
    output("updated", "With `manifest`: number of secrets updated."),
    output(
        "unchanged",
        "With `manifest`: number of secrets that needed no change.",
    ),
    output("failed", "With `manifest`: number of secrets that failed."),
    output(
        "not_tried",
        "With `manifest`: number of secrets not tried because the run ended first.",
    ),
    output(
        "results",
        "With `manifest` or `release`, on GitHub: results and IDs by name, as one line of JSON; omitted above 448 KiB.",
    ),
    output(
        "report_path",
        "With `manifest` or `release`: path of the report, a JSON file with all results: on GitHub for later steps of the job; on GitLab, and with `report-file`, also for later jobs. Empty if there is no report.",
    ),
];

/// All outputs: first those about a secret, then those that a manifest adds.
pub fn all() -> impl Iterator<Item = &'static Output> {
    OUTPUTS.iter()
}

/// The number of outputs about one secret, at the start of the table.
const OF_SECRET: usize = 9;

/// The names of the outputs that a single-secret run or a manifest run can set on every system.
pub(crate) fn names(is_single: bool) -> impl Iterator<Item = &'static str> {
    OUTPUTS
        .iter()
        .enumerate()
        .filter(move |(at, output)| match (is_single, output.name) {
            (true, _) => *at < OF_SECRET,
            // Only GitHub supports it.
            (false, "results") => false,
            (false, name) => *at >= OF_SECRET || ["result", "changed", "region"].contains(&name),
        })
        .map(|(_, output)| output.name)
}

/// Whether an output is one line of printable ASCII. Anything else could be an injection.
pub(crate) fn is_flat(value: &str) -> bool {
    value.len() <= 2_048 && value.bytes().all(|byte| byte.is_ascii_graphic())
}
