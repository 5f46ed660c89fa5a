//! The private label of a run that makes many secrets current together or none: it marks what the run has put beside
//! the current versions, and what it has made current and might still take back. One of its secrets, the first, is
//! the witness: while that has the label nothing is decided; taking the label off it decides. The label says which
//! secret that is, whose run it is, and until when a run that is alive may hold it. Knows no AWS and no clock.

use aws_lc_rs::digest;

use crate::token::{self, NoRandom, RunIdentity};

const PREFIX: &str = "upsert-secret-all-";
/// The machines of a CI system do not agree on the time.
const SKEW_SECONDS: u64 = 60;

/// What a label of this kind says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pact {
    /// The label.
    pub label: String,
    until: u64,
    witness: String,
    run: String,
}

impl Pact {
    /// A label that nobody else has, good until then (seconds since 1970).
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn until(
        end: u64,
        witness: &str,
        region: &str,
        run: Option<&RunIdentity>,
    ) -> Result<Self, NoRandom> {
        let (witness, run) = (hash(&[region, witness]), of_run(run));
        Ok(Self {
            label: format!("{PREFIX}{end}-{witness}-{run}-{}", token::random()?),
            until: end,
            witness,
            run,
        })
    }

    /// Reads a label; `None` where it is none of these.
    #[must_use]
    pub fn read(label: &str) -> Option<Self> {
        let mut parts = label.strip_prefix(PREFIX)?.splitn(4, '-');
        let [end, witness, run, id] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let sound = end.bytes().all(|b| b.is_ascii_digit())
            && is_hex(witness, HASH)
            && is_hex(run, HASH)
            && id.len() == 36;
        Some(Self {
            label: label.to_owned(),
            until: end.parse().ok().filter(|_| sound)?,
            witness: witness.to_owned(),
            run: run.to_owned(),
        })
    }

    /// Whether this secret decides.
    #[must_use]
    pub fn is_witnessed_by(&self, name: &str, region: &str) -> bool {
        self.witness == hash(&[region, name])
    }

    /// Whether the run that made it may still go on: not an earlier attempt of this very run, which is over, and not
    /// one whose time is.
    #[must_use]
    pub fn may_be_alive(&self, now: u64, run: Option<&RunIdentity>) -> bool {
        let ours = run.is_some() && self.run == of_run(run);
        !ours && self.until.saturating_add(SKEW_SECONDS) >= now
    }
}

/// Whether a label is made as these are.
#[must_use]
pub fn is_ours(label: &str) -> bool {
    label.starts_with(PREFIX)
}

/// Hexadecimal digits of a hash: enough to tell the secrets of an account apart.
const HASH: usize = 16;

fn of_run(run: Option<&RunIdentity>) -> String {
    let parts = run.map(|run| run.parts.as_slice()).unwrap_or_default();
    hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn hash(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut hex: String = context
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.truncate(HASH);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn run(id: &str) -> RunIdentity {
        RunIdentity {
            parts: vec!["acme/models".to_owned(), id.to_owned()],
        }
    }

    fn made(end: u64, of: Option<&RunIdentity>) -> Pact {
        match Pact::until(end, "prod/a", "eu-west-1", of) {
            Ok(pact) => pact,
            Err(_) => panic!("random numbers"),
        }
    }

    #[test]
    fn it_is_read_as_it_was_made_and_names_its_witness() {
        let pact = made(NOW, Some(&run("1")));
        assert_eq!(Pact::read(&pact.label).as_ref(), Some(&pact));
        assert!(pact.label.len() <= 256);
        assert!(pact.is_witnessed_by("prod/a", "eu-west-1"));
        assert!(!pact.is_witnessed_by("prod/b", "eu-west-1"));
        assert!(!pact.is_witnessed_by("prod/a", "eu-west-2"));
        assert_ne!(pact.label, made(NOW, Some(&run("1"))).label);
        for label in [
            "AWSCURRENT",
            PREFIX,
            "upsert-secret-all-1-a-b-c",
            &pact.label[..60],
        ] {
            assert_eq!(Pact::read(label), None, "{label}");
        }
    }

    #[test]
    fn an_earlier_attempt_of_the_same_run_is_dead_and_others_are_until_their_time() {
        let (one, other) = (run("1"), run("2"));
        let pact = made(NOW, Some(&one));
        assert!(!pact.may_be_alive(NOW - 100, Some(&one)));
        assert!(pact.may_be_alive(NOW - 100, Some(&other)));
        assert!(pact.may_be_alive(NOW + 60, Some(&other)));
        assert!(!pact.may_be_alive(NOW + 61, Some(&other)));
        // Outside CI nobody can tell one run from another.
        assert!(made(NOW, None).may_be_alive(NOW, None));
    }
}
