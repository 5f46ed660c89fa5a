//! Client request tokens, which become version ids. Version ids are public (CloudTrail, logs,
//! outputs), so no token is ever a bare function of the value: a weak secret could be guessed from
//! one. Always shaped like a UUID: consumers exist that expect one (external-secrets#4973).

use aws_lc_rs::{digest, hmac, rand};

use crate::failure::{Class, Failure};
use crate::request::Request;
use crate::value::{Kind, SecretBytes, SecretValue};

/// What identifies a CI run across its attempts, so that a re-run ends on the same version even
/// where it may not read. Not the attempt itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// Server, repository, run, job: whatever names this run among all others.
    pub parts: Vec<String>,
}

/// The token of a write of this run.
///
/// With `version-id-key`: HMAC-SHA-256 over name, kind and value. Else in CI: SHA-256 over the run's
/// identity, region, name, labels and JSON key. Else random. A guarded write adds the version that it
/// builds on: the same value on another base is another version.
///
/// # Errors
/// The system has no random numbers.
pub fn of(
    request: &Request,
    run: Option<&RunIdentity>,
    region: &str,
    value: &SecretValue,
    base: Option<&str>,
) -> Result<Token, NoRandom> {
    let known = |id| Token {
        base: base.map(str::to_owned),
        ..Token::new(id, false)
    };
    if let Some(key) = &request.version_id_key {
        return Ok(known(keyed(key, request, value, base)));
    }
    match run {
        Some(run) => {
            let mut context = digest::Context::new(&digest::SHA256);
            let keys: Vec<_> = request
                .json
                .iter()
                .map(|json| json.key.to_string())
                .collect();
            let parts = run.parts.iter().map(String::as_str);
            for part in ["upsert-secret run token 1"]
                .into_iter()
                .chain(parts)
                .chain([region, &request.target.name])
                .chain(request.stages.iter().map(String::as_str))
                .chain(["key"].into_iter().filter(|_| !keys.is_empty()))
                .chain(keys.iter().map(String::as_str))
                .chain(["base"].into_iter().filter(|_| base.is_some()))
                .chain(base)
            {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
            Ok(known(uuid(context.finish().as_ref())))
        }
        None => Ok(Token {
            base: base.map(str::to_owned),
            ..Token::new(random()?, true)
        }),
    }
}

/// A token that nobody has used.
///
/// # Errors
/// The system has no random numbers.
pub fn random() -> Result<String, NoRandom> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(uuid(&bytes))
}

/// The client request token of this run. One for all its writes, so that a write whose answer was
/// lost is not made twice.
#[derive(Debug)]
pub struct Token {
    /// The token.
    pub id: String,
    /// Whether no earlier run can have used it.
    pub fresh: bool,
    /// Whether it replaced one that was taken. It is replaced once only.
    pub replaced: bool,
    /// The version that a guarded write with it builds on.
    pub base: Option<String>,
}

impl Token {
    /// The run's first token; `fresh` where it is random.
    #[must_use]
    pub fn new(id: String, fresh: bool) -> Self {
        Self {
            id,
            fresh,
            replaced: false,
            base: None,
        }
    }

    /// Takes a token that nobody has used instead.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn replace(&mut self) -> Result<(), NoRandom> {
        let id = random()?;
        *self = Self {
            id,
            fresh: true,
            replaced: true,
            base: self.base.take(),
        };
        Ok(())
    }
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandom;

impl From<NoRandom> for Failure {
    fn from(_: NoRandom) -> Self {
        Self::new(
            Class::Unavailable,
            "the system gives no random numbers",
            "check /dev/urandom and the container's seccomp profile",
        )
    }
}

fn keyed(key: &SecretBytes, request: &Request, value: &SecretValue, base: Option<&str>) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let mut context = hmac::Context::with_key(&key);
    let kind: &[u8] = match value.kind() {
        Kind::String => b"string",
        Kind::Binary => b"binary",
    };
    for part in [
        b"upsert-secret keyed token 1".as_slice(),
        request.target.name.as_bytes(),
        kind,
        value.expose(),
    ]
    .into_iter()
    .chain(base.map(str::as_bytes))
    {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    uuid(context.sign().as_ref())
}

/// The first 16 bytes as a UUID of version 8 ("custom", RFC 9562).
fn uuid(bytes: &[u8]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::request;

    #[test]
    fn a_run_keeps_its_token_and_shares_it_with_no_other_target() {
        let run = |id: &str| RunIdentity {
            parts: vec![
                "https://ci.example".into(),
                "acme/models".into(),
                id.into(),
                "release".into(),
            ],
        };
        let token = |name: &str, id: &str, region: &str, value: &str| {
            let request = request(&[("NAME", name), ("VALUE", value)]);
            of(&request, Some(&run(id)), region, &request.value, None).map(|token| token.id)
        };
        let base = token("a", "1", "eu-west-1", "made-up-1");
        assert_eq!(
            base,
            token("a", "1", "eu-west-1", "made-up-2"),
            "not a function of the value"
        );
        assert_ne!(base, token("b", "1", "eu-west-1", "made-up-1"));
        assert_ne!(base, token("a", "2", "eu-west-1", "made-up-1"));
        assert_ne!(base, token("a", "1", "eu-west-2", "made-up-1"));
        let Ok(token) = base else { panic!("a token") };
        assert_eq!(token.len(), 36);
        assert_eq!(&token[14..15], "8");
    }

    #[test]
    fn a_key_binds_the_version_id_to_name_kind_and_value() {
        let token = |name: &str, value: &str, store: &str, key: &str| {
            let pairs = [
                ("NAME", name),
                ("VALUE", value),
                ("STORE_AS", store),
                ("VERSION_ID_KEY", key),
            ];
            let request = request(&pairs);
            of(&request, None, "eu-west-1", &request.value, None).map(|token| token.id)
        };
        let key = "made-up-key-of-16-bytes";
        let base = token("a", "made-up", "string", key);
        assert_eq!(base, token("a", "made-up", "string", key));
        assert_ne!(base, token("b", "made-up", "string", key));
        assert_ne!(base, token("a", "made-uq", "string", key));
        assert_ne!(base, token("a", "made-up", "binary", key));
        assert_ne!(
            base,
            token("a", "made-up", "string", "another-key-of-16-bytes")
        );
    }

    #[test]
    fn a_guarded_write_has_a_token_for_each_base_label_and_key() {
        let run = RunIdentity {
            parts: vec!["made-up".into()],
        };
        let token = |pairs: &[(&str, &str)], base: Option<&str>| {
            let mut all = vec![("NAME", "a"), ("VALUE", "made-up")];
            all.extend(pairs);
            let request = request(&all);
            of(&request, Some(&run), "eu-west-1", &request.value, base).map(|token| token.id)
        };
        let all = [
            token(&[], None),
            token(&[], Some("")),
            token(&[], Some("v1")),
            token(&[], Some("v2")),
            token(&[("VERSION_STAGES", "candidate")], None),
            token(&[("JSON_KEY", "user")], Some("v1")),
            token(&[("JSON_KEY", "password")], Some("v1")),
        ];
        let mut different: Vec<_> = all.iter().flatten().collect();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[2], token(&[], Some("v1")));
    }

    #[test]
    fn without_ci_and_key_every_token_is_new() {
        let plain = request(&[("NAME", "a"), ("VALUE", "made-up")]);
        let token = || {
            of(&plain, None, "eu-west-1", &plain.value, None).map(|token| (token.id, token.fresh))
        };
        assert_ne!(token(), token());
        assert!(token().is_ok_and(|(_, fresh)| fresh));
    }
}
