//! Withholds IDs that contain a secret. IDs in responses have the right format, but a secret value can have the same format: a
//! server that returns a value in place of an ID would make it an output. Such an ID is left out, unless the user wrote it
//! there. Decides only about IDs; texts are redacted.

use upsert_secret_core::notice::Level;

use super::{RunReport, TargetReport};
use crate::redact::Redactor;

impl RunReport {
    /// Removes IDs that contain a secret in any form, with a warning for each. `public` lists texts from the user, besides the
    /// names of the secrets. An ID that contains a secret only because one of these texts does is kept.
    pub(crate) fn withhold(&self, public: &[String], redactor: &Redactor) {
        let mut warnings = Vec::new();
        for target in self.targets.borrow_mut().iter_mut() {
            let name = target.name.clone();
            let own = public.iter().chain([&name]).map(String::as_str);
            let own: Vec<_> = own.filter(|own| redactor.finds(own)).collect();
            for output in withhold(target, |id| is_secret(id, &own, redactor)) {
                warnings.push((name.clone(), output));
            }
        }
        for (name, output) in warnings {
            let text = format!(
                "`{output}` contains a value of this run or a part of one, so it is omitted from outputs and reports; the secret itself is \
                 not affected"
            );
            self.note_target(&name, Level::Warning, &text);
        }
    }
}

/// Whether an id contains a secret that is not in the user's own texts.
fn is_secret(id: &str, own: &[&str], redactor: &Redactor) -> bool {
    if !redactor.finds(id) || own.iter().any(|own| own.contains(id)) {
        return false;
    }
    let mut rest = id.to_owned();
    for own in own {
        rest = rest.replace(own, "\n");
    }
    redactor.finds(&rest)
}

/// Removes the IDs of a secret, and returns the names of the outputs that they would have been.
fn withhold(target: &mut TargetReport, is_secret: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut outputs = Vec::new();
    let mut remove = |output, is_removed| {
        if is_removed {
            outputs.push(output);
        }
    };
    remove("secret_id", take(&mut target.arn, &is_secret));
    remove(
        "secret_version_id",
        take(&mut target.version_id, &is_secret),
    );
    if let Some(details) = &mut target.details {
        let outcome = &mut details.outcome;
        take(&mut outcome.arn, &is_secret);
        remove("secret_name", take(&mut outcome.name, &is_secret));
        remove("region", take(&mut outcome.region, &is_secret));
        let previous = &mut outcome.moved_from;
        remove("previous_version_id", take(previous, &is_secret));
        if let Some(version) = &mut outcome.version {
            let before = version.stages.len();
            version.stages.retain(|stage| !is_secret(stage));
            if is_secret(&version.stages.join(",")) {
                version.stages.clear();
            }
            remove("version_stages", version.stages.len() < before);
        }
        outcome.version.take_if(|version| is_secret(&version.id));
    }
    outputs
}

/// Removes an id if it is a secret; returns whether it did.
fn take(id: &mut Option<impl AsRef<str>>, is_secret: impl Fn(&str) -> bool) -> bool {
    id.take_if(|id| is_secret(id.as_ref())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_in_id_is_kept_only_where_the_user_wrote_it() {
        let redactor = Redactor::default();
        redactor.hide(b"made-up-secret");
        redactor.hide(b"team");
        let arn = |name: &str| {
            format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-AbCdEf")
        };
        for (id, own, secret) in [
            (arn("prod/key"), "prod/key", false),
            (arn("team/key"), "team/key", false),
            ("team/key".to_owned(), &arn("team/key"), false),
            (arn("team/key"), "e", true),
            (arn("team/made-up-secret"), "team", true),
            (arn("made-up-secret"), "prod/key", true),
            (
                "6d6164652d75702d736563726574aaaa".to_owned(),
                "prod/key",
                true,
            ),
        ] {
            let own = redactor.finds(own).then_some(own);
            assert_eq!(
                is_secret(&id, own.as_slice(), &redactor),
                secret,
                "{id} {own:?}"
            );
        }
    }
}
