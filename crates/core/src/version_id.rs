//! Client request tokens, which become version IDs. Version IDs are public (CloudTrail, logs, outputs), so a token must never
//! be a plain function of the value: a weak secret could be guessed from it. Always formatted as a UUID, because some consumers
//! expect one (external-secrets#4973). Must not generate random numbers: callers pass in a new UUID.

use crate::hash::{hmac_sha256, sha256, uuid};
use crate::value::{Kind, SecretBytes, SecretValue};

/// Whether a text can be a version ID: 32 to 64 characters (API model, `SecretVersionIdType`). The model limits only their
/// number; this also limits them to the characters of UUIDs, hexadecimal, base64, and names with a time.
pub fn is_version_id(text: &str) -> bool {
    (32..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:+/=@".contains(&b))
}

/// The identity of a CI run across its attempts, so that a re-run produces the same version even without read permission.
/// Excludes the attempt number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunIdentity {
    /// Server, repository, run and job, which together are unique among all runs.
    pub parts: Vec<String>,
}

/// The scope of a token, in addition to the value and the run.
pub struct TokenScope<'a> {
    /// The canonical name of the secret.
    pub name: &'a str,
    /// Its region.
    pub region: &'a str,
    /// The labels of the version.
    pub labels: &'a [String],
    /// The keys that are set in a JSON object.
    pub json_keys: Vec<String>,
    /// The input `version-id-key`.
    pub key: Option<&'a SecretBytes>,
}

impl TokenScope<'_> {
    /// The token of a write. `unique` returns a new random UUID.
    ///
    /// With `version-id-key`: HMAC-SHA-256 over name, kind and value. Otherwise, in CI: SHA-256 over the run's identity,
    /// region, name, labels and JSON keys. Otherwise, random. A guarded write also includes the version that it is based on,
    /// because the same value on a different base is a different version.
    pub fn token(
        &self,
        run: Option<&RunIdentity>,
        value: &SecretValue,
        base: Option<&str>,
        unique: impl FnOnce() -> String,
    ) -> RequestToken {
        let (id, fresh) = match (self.key, run) {
            (Some(key), _) => (self.keyed(key, value, base), false),
            (None, Some(run)) => (self.of_run(run, base), false),
            (None, None) => (unique(), true),
        };
        RequestToken {
            id,
            fresh,
            replaced: false,
            base: base.map(str::to_owned),
        }
    }

    fn of_run(&self, run: &RunIdentity, base: Option<&str>) -> String {
        let parts = ["upsert-secret run token 1"]
            .into_iter()
            .chain(run.parts.iter().map(String::as_str))
            .chain([self.region, self.name])
            .chain(self.labels.iter().map(String::as_str))
            .chain(["key"].into_iter().filter(|_| !self.json_keys.is_empty()))
            .chain(self.json_keys.iter().map(String::as_str))
            .chain(["base"].into_iter().filter(|_| base.is_some()))
            .chain(base);
        uuid(&sha256(parts.map(str::as_bytes)))
    }

    fn keyed(&self, key: &SecretBytes, value: &SecretValue, base: Option<&str>) -> String {
        let kind: &[u8] = match value.kind() {
            Kind::String => b"string",
            Kind::Binary => b"binary",
        };
        let parts = [
            b"upsert-secret keyed token 1".as_slice(),
            self.name.as_bytes(),
            kind,
            value.expose(),
        ];
        uuid(&hmac_sha256(
            key.expose(),
            parts.into_iter().chain(base.map(str::as_bytes)),
        ))
    }
}

/// The client request token of a run. All its writes share it, so that repeating a write without a response is safe.
#[derive(Debug)]
pub struct RequestToken {
    /// The token: a UUID.
    pub id: String,
    /// Whether no earlier run can have used it.
    pub fresh: bool,
    /// Whether it replaced a token that was already used, which happens at most once.
    pub replaced: bool,
    /// The version that a guarded write is based on.
    pub base: Option<String>,
}

impl RequestToken {
    /// Replaces a token that AWS has seen with a different value. `unique` is a new random UUID.
    pub fn replace(&mut self, unique: String) {
        self.id = unique;
        self.fresh = true;
        self.replaced = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;

    fn token(
        pairs: &[(&str, &str)],
        run: Option<&RunIdentity>,
        region: &str,
        base: Option<&str>,
    ) -> RequestToken {
        let request = request(pairs);
        let unique = || "00000000-0000-4000-8000-000000000000".to_owned();
        request
            .token_scope(region)
            .token(run, &request.value, base, unique)
    }

    #[test]
    fn run_token_depends_on_target_not_on_value() {
        let id = |name: &str, id: &str, region: &str, value: &str| {
            let run = RunIdentity {
                parts: vec![
                    "https://ci.example".into(),
                    "acme/models".into(),
                    id.into(),
                    "release".into(),
                ],
            };
            token(
                &[("NAME", name), ("VALUE", value)],
                Some(&run),
                region,
                None,
            )
            .id
        };
        let base = id("a", "1", "eu-west-1", "made-up-1");
        assert_eq!(base, id("a", "1", "eu-west-1", "made-up-2"));
        assert_ne!(base, id("b", "1", "eu-west-1", "made-up-1"));
        assert_ne!(base, id("a", "2", "eu-west-1", "made-up-1"));
        assert_ne!(base, id("a", "1", "eu-west-2", "made-up-1"));
        assert_eq!(base.len(), 36);
        assert_eq!(&base[14..15], "8");
    }

    #[test]
    fn keyed_token_depends_on_name_kind_and_value() {
        let id = |name: &str, value: &str, store: &str, key: &str| {
            let pairs = [
                ("NAME", name),
                ("VALUE", value),
                ("STORE_AS", store),
                ("VERSION_ID_KEY", key),
            ];
            token(&pairs, None, "eu-west-1", None).id
        };
        let key = "made-up-key-of-16-bytes";
        let base = id("a", "made-up", "string", key);
        assert_eq!(base, id("a", "made-up", "string", key));
        assert_ne!(base, id("b", "made-up", "string", key));
        assert_ne!(base, id("a", "made-uq", "string", key));
        assert_ne!(base, id("a", "made-up", "binary", key));
        assert_ne!(
            base,
            id("a", "made-up", "string", "another-key-of-16-bytes")
        );
    }

    #[test]
    fn guarded_token_differs_by_base_label_and_key() {
        let run = RunIdentity {
            parts: vec!["made-up".into()],
        };
        let id = |pairs: &[(&str, &str)], base: Option<&str>| {
            let mut all = vec![("NAME", "a"), ("VALUE", "made-up")];
            all.extend(pairs);
            token(&all, Some(&run), "eu-west-1", base).id
        };
        let all = [
            id(&[], None),
            id(&[], Some("")),
            id(&[], Some("v1")),
            id(&[], Some("v2")),
            id(&[("VERSION_STAGES", "candidate")], None),
            id(&[("JSON_KEY", "user")], Some("v1")),
            id(&[("JSON_KEY", "password")], Some("v1")),
        ];
        let mut different: Vec<_> = all.iter().collect();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[2], id(&[], Some("v1")));
    }

    /// A re-run with a later release produces the version of the first run.
    #[test]
    fn tokens_never_change() {
        let run = RunIdentity {
            parts: vec!["https://ci.example".into(), "1".into()],
        };
        let stages = ("VERSION_STAGES", "AWSCURRENT,blue");
        let key = ("VERSION_ID_KEY", "made-up-key-of-16-bytes");
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, &'a str);
        let cases: [Case<'_>; 5] = [
            (&[], None, "269ee727-0823-88b8-be59-9d369c4293d7"),
            (
                &[stages],
                Some("v1"),
                "627daef1-0f80-8d83-8f8c-691f0b6f14b1",
            ),
            (
                &[("JSON_KEY", "/b/c")],
                Some("v1"),
                "32f36b52-31a8-8bfd-bae9-59c4517677a2",
            ),
            (&[key], None, "a6a63275-9017-8ec6-8d8c-7eaf167d9799"),
            (
                &[key, ("STORE_AS", "binary")],
                Some("v1"),
                "8b52401d-880a-83c5-92ca-b51cec2e283c",
            ),
        ];
        for (pairs, base, wanted) in cases {
            let token = token(pairs, Some(&run), "eu-west-1", base);
            assert_eq!(token.id, wanted, "{pairs:?} {base:?}");
            assert_eq!(token.base.as_deref(), base);
            assert!(!token.fresh && !token.replaced, "{pairs:?}");
        }
    }

    #[test]
    fn token_is_fresh_without_run_or_key() {
        let mut token = token(&[], None, "eu-west-1", Some("v1"));
        assert_eq!(token.id, "00000000-0000-4000-8000-000000000000");
        assert!(token.fresh && !token.replaced);
        token.fresh = false;
        token.replace("11111111-0000-4000-8000-000000000000".to_owned());
        assert_eq!(token.id, "11111111-0000-4000-8000-000000000000");
        assert_eq!(token.base.as_deref(), Some("v1"));
        assert!(token.fresh && token.replaced);
    }
}
