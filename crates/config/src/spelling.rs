//! Spells the names of inputs in messages as the user wrote them. Messages contain input names in backticks, and only this
//! module turns them into variables.

use crate::inputs::{RawInputs, all, variable};

/// How the user of a run spells the names of inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `kms-key-id`, as in a workflow and in the inputs of the GitLab component.
    Input,
    /// `kms-key-id` for the keys of a manifest, `UPSERT_SECRET_TIMEOUT` for the run.
    ManifestKey,
    /// `UPSERT_SECRET_KMS_KEY_ID`
    #[default]
    Variable,
}

impl Spelling {
    /// The spelling that the user of these inputs chose.
    pub fn of(raw: &RawInputs) -> Self {
        if raw.from_action || raw.from_component {
            Self::Input
        } else if raw.manifest.is_some() {
            Self::ManifestKey
        } else {
            Self::Variable
        }
    }

    /// The name of an input of the run.
    pub(crate) fn name(self, input: &str) -> String {
        match self {
            Self::Input => format!("`{input}`"),
            Self::ManifestKey | Self::Variable => variable(input),
        }
    }

    /// A message with the names of inputs as the user writes them: `` `on-rotation: allow` `` may become
    /// `UPSERT_SECRET_ON_ROTATION=allow`. Everything else stays unchanged.
    pub fn spell(self, message: &str) -> String {
        if self == Self::Input {
            return message.to_owned();
        }
        let mut spelled = String::new();
        let mut rest = message;
        while let Some((before, after)) = rest.split_once('`') {
            spelled.push_str(before);
            let named = after
                .split_once('`')
                .and_then(|(code, after)| Some((self.variable(code)?, after)));
            match named {
                Some((variable, after)) => {
                    spelled.push_str(&variable);
                    rest = after;
                }
                None => {
                    spelled.push('`');
                    rest = after;
                }
            }
        }
        spelled + rest
    }

    /// The variable, and the value after a colon, if a piece of code is the name of an input.
    fn variable(self, code: &str) -> Option<String> {
        let (name, value) = code
            .split_once(": ")
            .map_or((code, None), |(name, value)| (name, Some(value)));
        let input = all().iter().find(|input| input.name == name)?;
        if self == Self::ManifestKey && input.is_manifest_key() {
            return None;
        }
        Some(match value {
            Some(value) => format!("{}={value}", input.variable()),
            None => input.variable(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_spelled_as_the_user_writes_them() {
        let spell = |spelling: Spelling, message| spelling.spell(message);
        for (message, key, variable) in [
            (
                "set `on-rotation: allow` or `timeout`",
                "set `on-rotation: allow` or UPSERT_SECRET_TIMEOUT",
                "set UPSERT_SECRET_ON_ROTATION=allow or UPSERT_SECRET_TIMEOUT",
            ),
            (
                "`all-or-nothing`, `kms-key-id`",
                "UPSERT_SECRET_ALL_OR_NOTHING, `kms-key-id`",
                "UPSERT_SECRET_ALL_OR_NOTHING, UPSERT_SECRET_KMS_KEY_ID",
            ),
            (
                "run `aws sts` or `",
                "run `aws sts` or `",
                "run `aws sts` or `",
            ),
            (
                "`made-up` kms-key-id",
                "`made-up` kms-key-id",
                "`made-up` kms-key-id",
            ),
            (
                "an odd ` before `tags`",
                "an odd ` before `tags`",
                "an odd ` before UPSERT_SECRET_TAGS",
            ),
        ] {
            assert_eq!(spell(Spelling::Input, message), message);
            assert_eq!(spell(Spelling::ManifestKey, message), key);
            assert_eq!(spell(Spelling::Variable, message), variable);
            assert_eq!(spell(Spelling::Variable, variable), variable);
        }
    }

    #[test]
    fn spelling_follows_configuration_of_run() {
        let inputs = |from_action, from_component, manifest: Option<&str>| RawInputs {
            from_action,
            from_component,
            manifest: manifest.map(str::to_owned),
            ..RawInputs::default()
        };
        for (raw, expected) in [
            (inputs(true, false, Some("m.yml")), Spelling::Input),
            (inputs(false, true, None), Spelling::Input),
            (inputs(false, false, Some("m.yml")), Spelling::ManifestKey),
            (inputs(false, false, None), Spelling::Variable),
        ] {
            assert_eq!(Spelling::of(&raw), expected);
        }
    }
}
