//! Which secret: a name, or a full ARN. Knows the shape of both, not whether the secret exists.

/// The most characters of a name (API model, `NameType`).
const MAX_NAME: usize = 512;
/// Secrets Manager appends a hyphen and six random characters to a name to make its ARN.
const SUFFIX: usize = 7;

/// A secret as the user named it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// As given, and as sent.
    pub id: String,
    /// The name; that of an ARN without its suffix.
    pub name: String,
    /// Region and account of an ARN.
    arn: Option<(String, String)>,
}

impl Target {
    /// The input `name`.
    pub(super) fn given(name: Option<&str>, problems: &mut super::Problems) -> Option<Self> {
        let Some(name) = name else {
            problems.add(
                "name",
                "is not given: it is the name or the ARN of the secret",
            );
            return None;
        };
        Self::parse(name)
            .map_err(|why| problems.add("name", why))
            .ok()
    }

    /// Reads a name or a full ARN.
    ///
    /// # Errors
    /// Says what a name or an ARN looks like.
    pub fn parse(id: &str) -> Result<Self, String> {
        if !id.starts_with("arn:") {
            if id.chars().count() > MAX_NAME || !is_name(id) {
                return Err(format!(
                    "must have 1 to {MAX_NAME} characters, only letters, digits and `/_+=.@-`"
                ));
            }
            return Ok(Self {
                id: id.to_owned(),
                name: id.to_owned(),
                arn: None,
            });
        }
        let parts: Vec<&str> = id.splitn(7, ':').collect();
        let [
            _,
            partition,
            "secretsmanager",
            region,
            account,
            "secret",
            rest,
        ] = parts[..]
        else {
            return Err(WRONG_ARN.to_owned());
        };
        let account_ok = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !partition.starts_with("aws") || !super::is_region(region) || !account_ok {
            return Err(WRONG_ARN.to_owned());
        }
        let cut = rest.len().saturating_sub(SUFFIX);
        // A partial ARN (no suffix) is ambiguous where a name itself ends like one.
        let (Some(name), Some(suffix)) = (rest.get(..cut), rest.get(cut..)) else {
            return Err(WRONG_ARN.to_owned());
        };
        let whole = suffix
            .strip_prefix('-')
            .is_some_and(|random| random.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !whole || !is_name(name) {
            return Err(WRONG_ARN.to_owned());
        }
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            arn: Some((region.to_owned(), account.to_owned())),
        })
    }

    /// Whether it was named by its ARN, and so cannot be created.
    #[must_use]
    pub fn is_arn(&self) -> bool {
        self.arn.is_some()
    }

    /// The account of an ARN.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.arn.as_ref().map(|(_, account)| account.as_str())
    }

    /// The region of an ARN.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.arn.as_ref().map(|(region, _)| region.as_str())
    }
}

const WRONG_ARN: &str = "must be a full ARN with its six-character suffix, \
     such as `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf`, or a name";

/// `!` is what names of secrets have that other services manage: they exist and can be refused by state.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b))
}
