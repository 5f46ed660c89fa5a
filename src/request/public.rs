//! Inputs that everybody may read, and that must not contain the value.

use super::{Problems, Request, Via};

/// A value this long does not stand in a name by chance.
pub(super) const TELLING_BYTES: usize = 16;

impl Request {
    /// Names, descriptions and tags are public: everybody who may list secrets reads them, and so
    /// does every log. A value that got into one was mixed up with it.
    pub(super) fn refuse_public_value(&self, problems: &mut Problems) {
        self.refuse_public(self.value.expose(), problems);
    }

    /// The same for a part of the value.
    pub(super) fn refuse_public(&self, value: &[u8], problems: &mut Problems) {
        let Ok(value) = str::from_utf8(value) else {
            return;
        };
        let value = value.trim();
        let shows = |text: &str| {
            !value.is_empty()
                && (text == value || value.len() >= TELLING_BYTES && text.contains(value))
        };
        let tags = self.tags.iter().flatten();
        let public = [
            ("name", shows(&self.target.id)),
            (
                "description",
                self.description.as_deref().is_some_and(shows),
            ),
            ("kms-key-id", self.kms_key_id.as_deref().is_some_and(shows)),
            (
                "replica-regions",
                self.replicas
                    .iter()
                    .flatten()
                    .any(|(region, key)| shows(region) || key.as_deref().is_some_and(shows)),
            ),
            (
                "resource-policy",
                self.policy
                    .as_ref()
                    .is_some_and(|policy| shows(policy.text())),
            ),
            (
                "version-stages",
                self.stages.iter().any(|label| shows(label)),
            ),
            (
                "json-key",
                self.json.iter().any(|json| shows(&json.key.to_string())),
            ),
            (
                "tags",
                tags.flat_map(|(key, value)| [key, value])
                    .any(|text| shows(text)),
            ),
        ];
        // STS's log keeps these.
        let role = self.reach.identity.role.as_ref();
        let of_role = role.map(|role| {
            let (audience, external_id) = match &role.via {
                Via::Github(request) => (Some(&request.audience), None),
                Via::Credentials { external_id } => (None, external_id.as_ref()),
                _ => (None, None),
            };
            [
                ("role-to-assume", Some(&role.arn)),
                ("role-session-name", Some(&role.session_name)),
                ("audience", audience),
                ("role-external-id", external_id),
            ]
            .map(|(input, text)| (input, text.is_some_and(|text| shows(text))))
        });
        for (input, shown) in public.into_iter().chain(of_role.into_iter().flatten()) {
            if shown {
                problems.add(input, "contains the value, and is not secret itself");
            }
        }
    }
}
