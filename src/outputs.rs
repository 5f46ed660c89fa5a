//! The table of outputs, from which `action.yml`, the README and `--help` are generated, and the characters that an output may
//! have.

/// The values of outputs by name, in the documented order.
pub(crate) type Outputs = Vec<(&'static str, String)>;

/// An output as documented.
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
    output("secret_name", "Its name."),
    output("secret_version_id", "The version that holds the value."),
    output(
        "previous_version_id",
        "The version that was AWSCURRENT before, if this run moved the label.",
    ),
    output(
        "version_stages",
        "The staging labels of the version, with commas between them.",
    ),
    output(
        "result",
        "`created`, `updated` (a version or metadata was written) or `unchanged`; of a `plan`, what it would be. With `manifest` empty, as `changed` is, where nothing was written and something failed.",
    ),
    output(
        "changed",
        "`false` if the result is `unchanged`, else `true`.",
    ),
    output(
        "restored",
        "`true` if the secret was scheduled for deletion and was taken back.",
    ),
    output("region", "Its region."),
    output(
        "created",
        "With `manifest`: how many secrets were created; in a `plan`, would be.",
    ),
    output("updated", "With `manifest`: how many were updated."),
    output(
        "unchanged",
        "With `manifest`: how many were as they shall be.",
    ),
    output("failed", "With `manifest`: how many failed."),
    output(
        "not_tried",
        "With `manifest`: how many were not looked at, because the run ended before.",
    ),
    output(
        "results",
        "With `manifest`, on GitHub: results and ids by name, as one line of JSON; left out above 256 KiB.",
    ),
    output(
        "report_path",
        "With `manifest`, on GitHub: the path of a JSON file with all of it, for later steps of the same job.",
    ),
];

/// Every output: first those about a secret, then those that a manifest adds.
pub fn all() -> impl Iterator<Item = &'static Output> {
    OUTPUTS.iter()
}

/// Whether an output is one line of printable ASCII. Anything else could be an injection.
pub(crate) fn is_flat(value: &str) -> bool {
    value.len() <= 2_048 && value.bytes().all(|byte| byte.is_ascii_graphic())
}
