//! Reads this tool's variables into inputs. Rejects unknown ones and suggests the intended name. Must not interpret inputs or
//! print their content.

use std::sync::Arc;

use upsert_secret_core::failure::{Class, Failure};

use crate::environment::{Environment, PREFIX};
use crate::inputs::{Input, RawInputs, all, variable};

/// Set by `action.yml`: a runner reads standard output, and the user spells inputs as in a workflow.
const FROM_ACTION: &str = "UPSERT_SECRET_ACTION";
/// Set by the GitLab component: the user spells inputs as in `include`.
const FROM_COMPONENT: &str = "UPSERT_SECRET_COMPONENT";
/// Read by the launcher of a source checkout, not by this program.
const FROM_LAUNCHER: &str = "UPSERT_SECRET_BIN";

/// Defaults that the GitLab component passes for unset inputs: its boolean and number inputs cannot be empty. Each has the same
/// effect as leaving the input unset.
const ALWAYS_PASSED: [(&str, &str); 4] = [
    ("allow-public-policy", "false"),
    ("fail-on-change", "false"),
    ("role-chaining", "false"),
    ("role-duration-seconds", "900"),
];

/// Other names for inputs, mainly from AWS interfaces, and the inputs.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("REGION", "aws-region"),
    ("AWS_DEFAULT_REGION", "aws-region"),
    ("ROLE", "role-to-assume"),
    ("ROLE_ARN", "role-to-assume"),
    ("ARN", "name"),
    ("ID", "name"),
    ("SECRET_ARN", "name"),
    ("SECRET_ID", "name"),
    ("SECRET_NAME", "name"),
    ("SECRET_STRING", "value"),
    ("SECRET_VALUE", "value"),
    ("ENV", "value-env"),
    ("FILE", "value-file"),
    ("POLICY", "resource-policy"),
];

/// Reads this tool's variables.
///
/// # Errors
/// Unknown variables with the prefix, so that typos are caught, and variables that are not UTF-8. The other inputs are returned
/// as well, so that their values can be redacted before the failure is printed.
pub fn read(environment: &Environment) -> (RawInputs, Result<(), Failure>) {
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    for (key, content) in environment.own_variables() {
        let input = all().iter().find(|input| input.variable() == key);
        match (input.map(|input| input.name), content.to_str()) {
            (Some("value" | "version-id-key"), _) => {}
            // The only place that trims; an empty text counts as not given.
            (Some(name), Some(text)) => texts.push((name, text.trim().to_owned())),
            (Some(_), None) => problems.push(format!("{key} is not valid UTF-8")),
            (None, _) if [FROM_ACTION, FROM_COMPONENT, FROM_LAUNCHER].contains(&&*key) => {}
            (None, _) => problems.push(describe_unknown(&key)),
        }
    }
    texts.retain(|(name, text)| !text.is_empty() && !ALWAYS_PASSED.contains(&(*name, &**text)));
    let secret = |input| environment.secret(&variable(input)).map(Arc::new);
    let raw = RawInputs {
        value: secret("value"),
        version_id_key: secret("version-id-key"),
        from_action: environment.text(FROM_ACTION) == Some("true"),
        from_component: environment.text(FROM_COMPONENT) == Some("true"),
        ..RawInputs::from_texts(texts)
    };
    let checked = if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(
            Class::Input,
            problems.join("\n"),
            "correct or remove the variable; `upsert-secret --help-all` lists all inputs",
        ))
    };
    (raw, checked)
}

fn describe_unknown(key: &str) -> String {
    let name = key.strip_prefix(PREFIX).unwrap_or(key);
    let other_name = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let is_part = |input: &&Input| is_part_of(name, input);
    let mut whole = all().iter().filter(is_part);
    let nearest = all()
        .iter()
        .map(Input::variable)
        .min_by_key(|variable| strsim::levenshtein(variable, key))
        .filter(|variable| strsim::levenshtein(variable, key) <= 3);
    let known = match (other_name, whole.next(), whole.next()) {
        (Some((_, input)), ..) => Some(variable(input)),
        (None, Some(input), None) => Some(input.variable()),
        _ => None,
    };
    match known.or(nearest) {
        Some(variable) => format!("{key} is not an input; did you mean {variable}?"),
        None => format!("{key} is not an input"),
    }
}

/// Whether all words of a variable's name are words of the input's name: `ACCOUNT_IDS` in `allowed-account-ids`.
fn is_part_of(name: &str, input: &Input) -> bool {
    let input = input.name.to_ascii_uppercase();
    name.split('_')
        .all(|word| input.split('-').any(|other| other == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_pairs(pairs: &[(&str, &str)]) -> (RawInputs, Result<(), Failure>) {
        read(&Environment::from_pairs(
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())),
        ))
    }

    #[test]
    fn text_is_trimmed_and_value_is_not() {
        let (raw, checked) = read_pairs(&[
            ("UPSERT_SECRET_NAME", "  prod/key \n"),
            ("UPSERT_SECRET_VALUE", " made up \n"),
            ("UPSERT_SECRET_DESCRIPTION", "  "),
            ("UPSERT_SECRET_VERSION_ID_KEY", ""),
            ("OTHER", "x"),
        ]);
        assert_eq!(checked, Ok(()));
        assert_eq!(raw.name.as_deref(), Some("prod/key"));
        assert_eq!(raw.description, None);
        assert_eq!(
            raw.value.map(|value| value.expose().to_vec()),
            Some(b" made up \n".to_vec())
        );
        assert!(raw.version_id_key.is_none());
    }

    #[test]
    fn unknown_variable_is_rejected() {
        let cases = [
            (
                "UPSERT_SECRET_NAEM",
                "UPSERT_SECRET_NAEM is not an input; did you mean UPSERT_SECRET_NAME?",
            ),
            (
                "UPSERT_SECRET_FOO_BAR",
                "UPSERT_SECRET_FOO_BAR is not an input",
            ),
            (
                "UPSERT_SECRET_UPSERT_SECRET_NAME",
                "UPSERT_SECRET_UPSERT_SECRET_NAME is not an input",
            ),
            (
                "UPSERT_SECRET_REGION",
                "UPSERT_SECRET_REGION is not an input; did you mean UPSERT_SECRET_AWS_REGION?",
            ),
            (
                "UPSERT_SECRET_ROLE_ARN",
                "UPSERT_SECRET_ROLE_ARN is not an input; did you mean UPSERT_SECRET_ROLE_TO_ASSUME?",
            ),
            (
                "UPSERT_SECRET_ACCOUNT_IDS",
                "UPSERT_SECRET_ACCOUNT_IDS is not an input; did you mean UPSERT_SECRET_ALLOWED_ACCOUNT_IDS?",
            ),
            (
                "UPSERT_SECRET_KMS_KEY",
                "UPSERT_SECRET_KMS_KEY is not an input; did you mean UPSERT_SECRET_KMS_KEY_ID?",
            ),
            (
                "UPSERT_SECRET_FAILFAST",
                "UPSERT_SECRET_FAILFAST is not an input; did you mean UPSERT_SECRET_FAIL_FAST?",
            ),
        ];
        for (variable, wanted) in cases {
            let (_, checked) = read_pairs(&[(variable, "x")]);
            assert_eq!(
                checked.map_err(|failure| failure.what),
                Err(wanted.to_owned())
            );
        }
    }

    #[test]
    fn component_defaults_count_as_not_set() {
        let (raw, checked) = read_pairs(&[
            ("UPSERT_SECRET_ALLOW_PUBLIC_POLICY", "false"),
            ("UPSERT_SECRET_FAIL_ON_CHANGE", "false"),
            ("UPSERT_SECRET_ROLE_CHAINING", "false"),
            ("UPSERT_SECRET_ROLE_DURATION_SECONDS", "900"),
        ]);
        assert_eq!(checked, Ok(()));
        assert!(raw.given().is_empty());
        for (input, text) in ALWAYS_PASSED {
            let default = all().iter().find(|known| known.name == input);
            let wanted = format!("`{text}`");
            assert_eq!(default.map(|input| input.default), Some(&*wanted));
        }
    }

    #[test]
    fn names_of_windows_have_no_case() {
        let pairs = [
            ("Upsert_Secret_Name", "a"),
            ("upsert_secret_value", "made up"),
        ];
        let pairs = pairs.map(|(key, value)| (key.into(), value.into()));
        let (raw, checked) = read(&Environment::from_pairs(pairs).on_windows());
        assert_eq!(checked, Ok(()));
        assert_eq!(raw.name.as_deref(), Some("a"));
        assert!(raw.value.is_some());
    }

    #[test]
    fn every_input_reaches_its_field() {
        for input in all() {
            let (raw, _) = read_pairs(&[(&input.variable(), "given")]);
            let given: Vec<_> = raw.given().iter().map(|input| input.name).collect();
            assert_eq!(given, [input.name]);
        }
    }
}
