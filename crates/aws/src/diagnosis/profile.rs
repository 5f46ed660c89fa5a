//! Explains problems with the shared configuration files and their profiles. Must never quote file content, except profile
//! names.

use upsert_secret_core::failure::{Class, Failure};

use crate::fault::MissingProfile;

/// The maximum length of a printed profile name.
const MAX_NAME: usize = 128;

pub(super) fn explain_unusable_file(why: &str) -> Failure {
    Failure::new(
        Class::Input,
        format!("the shared configuration cannot be used: {why}"),
        "correct the file, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to another one \
         (`/dev/null` for none)",
    )
    .because("the file can set credentials, the region and the endpoint, so the run does not continue without it")
}

pub(super) fn explain_missing(missing: &MissingProfile) -> Failure {
    let [config, credentials] = &missing.places;
    let next = match (&missing.source_of, printable(&missing.name)) {
        (_, Some(name)) if missing.has_bare_section => {
            format!("the file has the section `[{name}]`, which must be `[profile {name}]`")
        }
        (Some(_), _) => "correct `source_profile`, or add the profile".to_owned(),
        (None, _) => "correct AWS_PROFILE, or unset it for a run without a profile".to_owned(),
    };
    Failure::new(Class::Input, missing.headline(), next)
        .because(format!("looked in {config} and {credentials}"))
}

impl MissingProfile {
    /// The warning about a profile that the run does not need.
    pub(crate) fn warning(&self) -> String {
        let [config, credentials] = &self.places;
        format!(
            "{}, in {config} or {credentials}; it is ignored, because credentials and region come from elsewhere",
            self.headline()
        )
    }

    fn headline(&self) -> String {
        let named = |name| match printable(name) {
            Some(name) => format!(" `{name}`"),
            None => String::new(),
        };
        let missing = named(&self.name);
        match &self.source_of {
            None => format!("AWS_PROFILE names a profile{missing} that does not exist"),
            Some(profile) => format!(
                "the profile{} names a `source_profile`{missing} that does not exist",
                named(profile)
            ),
        }
    }
}

/// The name, unless it may be something else that was given by mistake, such as a key.
fn printable(name: &str) -> Option<&str> {
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+ ".contains(c);
    (name.len() <= MAX_NAME && name.chars().all(is_name_char)).then_some(name)
}
