//! Quotes external text. Responses from AWS, STS, proxies and identity providers can contain a secret in an unforeseen form, so
//! they are shown by an allowlist: ordinary words of such messages, API names, arguments that the run knows to be public, and
//! ARNs, version IDs and times, recognized by format. Everything else becomes `…`. Does not know any secrets: the result is
//! redacted later, like all text.

use std::fmt;
use std::sync::OnceLock;

#[cfg(test)]
mod tests;

/// The maximum number of bytes kept of an external text.
const MAX_BYTES: usize = 4096;

/// The replacement for everything that is not allowed.
const OMITTED: &str = "…";

/// Lowercase words of sentences, and API names, each sorted. From messages of Secrets Manager, STS and KMS.
const WORDS: &str = include_str!("quote/words.txt");
const NAMES: &str = include_str!("quote/names.txt");

/// Numbers in such messages: API limits, HTTP statuses, durations.
const NUMBERS: &[&str] = &[
    "0", "1", "2", "5", "7", "10", "12", "15", "20", "24", "30", "32", "36", "50", "64", "100",
    "128", "200", "255", "256", "302", "400", "401", "403", "404", "407", "429", "500", "502",
    "503", "504", "512", "900", "1024", "2048", "3600", "4096", "10240", "20480", "43200", "65536",
    "262144",
];

/// Services whose ARNs are shown.
const SERVICES: &[&str] = &[
    "iam",
    "kms",
    "lambda",
    "organizations",
    "secretsmanager",
    "sts",
];

/// The separators between the words of a name.
const SEPARATORS: [char; 7] = ['-', '_', '.', '@', '+', '=', ','];

/// An external text, truncated to a few kilobytes. It cannot be displayed, only quoted and searched.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ForeignText(String);

impl ForeignText {
    /// Keeps the start of a text.
    pub fn new(text: &str) -> Self {
        Self(text[..text.floor_char_boundary(MAX_BYTES)].to_owned())
    }

    /// Whether it contains a phrase.
    pub fn contains(&self, phrase: &str) -> bool {
        self.0.contains(phrase)
    }

    /// Whether it contains a lowercase phrase, ignoring case.
    pub fn mentions(&self, phrase: &str) -> bool {
        self.0.to_ascii_lowercase().contains(phrase)
    }

    /// The words after a phrase, or of the whole text if the phrase is missing. For decisions only: to be shown, a word must
    /// have a known format.
    pub fn words_after(&self, phrase: &str) -> impl Iterator<Item = &str> {
        let rest = self.0.split_once(phrase).map_or("", |(_, rest)| rest);
        rest.split_whitespace()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The displayable text. `public` lists arguments that the run knows to be public.
    pub fn quote(&self, public: &[&str]) -> String {
        let mut quoted = String::new();
        let mut omitted = false;
        for word in self.0.split_whitespace() {
            let shown = show(word, public);
            // One mark for any number of words, so that the number of words is not revealed.
            if shown == OMITTED && omitted {
                continue;
            }
            omitted = shown == OMITTED;
            if !quoted.is_empty() {
                quoted.push(' ');
            }
            quoted.push_str(&shown);
        }
        quoted
    }
}

// Not derived: printing an error for debugging must not reveal it either.
impl fmt::Debug for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignText({} bytes)", self.0.len())
    }
}

/// A word with its punctuation, as far as it can be shown.
fn show(word: &str, public: &[&str]) -> String {
    if public.contains(&word) || ["-", "+", "=", "&"].contains(&word) {
        return word.to_owned();
    }
    let is_punctuation = |c: char| ".,;:!?()[]'\"".contains(c);
    let core = word.trim_matches(is_punctuation);
    if core.is_empty() {
        // A sequence of punctuation marks is not a word.
        return if word.len() == 1 { word } else { OMITTED }.to_owned();
    }
    let start = word.len() - word.trim_start_matches(is_punctuation).len();
    let (before, after) = (&word[..start], &word[start + core.len()..]);
    if before.len() > 2 || after.len() > 3 {
        return OMITTED.to_owned();
    }
    let shown = if public.contains(&core) || is_plain(core) || is_uuid(core) || is_time(core) {
        core.to_owned()
    } else if core.starts_with("arn:") {
        show_arn(core, public)
    } else {
        return OMITTED.to_owned();
    };
    format!("{before}{shown}{after}")
}

/// Whether a word is ordinary, or several ordinary words joined by hyphens, slashes, colons or underscores: `identity-based`,
/// `and/or`, `kms:Decrypt`.
fn is_plain(word: &str) -> bool {
    is_listed(word)
        || word.split(['-', '/', ':', '_']).count() <= 4
            && word
                .split(['-', '/', ':', '_'])
                .all(|part| is_listed(part) || SERVICES.contains(&part))
}

/// Whether a word is in one of the lists. In other words, only the first letter may be uppercase.
fn is_listed(word: &str) -> bool {
    static LISTS: OnceLock<[Vec<&str>; 2]> = OnceLock::new();
    let [words, names] = LISTS.get_or_init(|| [WORDS, NAMES].map(|list| list.lines().collect()));
    let has = |list: &Vec<&str>, word: &str| list.binary_search(&word).is_ok();
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    // `PublicAccess`: several words written as one.
    let is_camel_case = || {
        let mut rest = word;
        while !rest.is_empty() {
            let end = rest[1..].find(|c: char| c.is_ascii_uppercase());
            let (part, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            let is_word = part.len() >= 4 && has(words, &part.to_ascii_lowercase());
            if !(is_word && part.starts_with(|c: char| c.is_ascii_uppercase())) {
                return false;
            }
            rest = after;
        }
        word.len() <= 40
    };
    has(names, word)
        || word.is_ascii() && !word.is_empty() && is_camel_case()
        || NUMBERS.contains(&word)
        || has(words, word)
        || first.is_some_and(|first| has(words, &format!("{first}{}", letters.as_str())))
}

/// A text that people have written elsewhere, such as a description in AWS or the issuer of a certificate. Shows words,
/// capitalized words, short numbers, ARNs and UUIDs. Everything else, and text after the first few hundred characters, becomes
/// `…`.
pub fn plain_text(text: &str) -> String {
    const MAX_CHARS: usize = 256;
    let mut shown = String::new();
    let mut after_number = false;
    for word in text.split_whitespace() {
        let separator = if shown.is_empty() { "" } else { " " };
        if shown.chars().count() + word.chars().count() >= MAX_CHARS {
            if !shown.ends_with(OMITTED) {
                shown.push_str(separator);
                shown.push_str(OMITTED);
            }
            break;
        }
        let core = word.trim_matches(|c: char| ".,;:!?()[]'\"".contains(c));
        let numbers = core.split(TEXT_SEPARATORS).filter(|part| is_number(part));
        let numbers = numbers.count();
        // A date has three numbers. More in a row may be encoded bytes.
        let is_list = numbers > 3 || numbers > 0 && after_number;
        after_number = numbers > 0;
        if core.starts_with("arn:") {
            shown.push_str(&format!("{separator}{}", show_arn(core, &[])));
        } else if is_uuid(core) || !is_list && core.split(TEXT_SEPARATORS).all(is_written_word) {
            shown.push_str(&format!("{separator}{word}"));
        } else if !shown.ends_with(OMITTED) {
            shown.push_str(&format!("{separator}{OMITTED}"));
        }
    }
    shown
}

/// The characters that people write between the words of a name.
const TEXT_SEPARATORS: &[char] = &['-', '_', '.', '@', '+', '=', ',', '/', ':', '*', '&'];

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word consists of letters as people write them, followed by at most three digits, or is a number of up to six
/// digits.
fn is_written_word(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = word.len() - letters.len();
    let is_lower = |c: char| c.is_alphabetic() && !c.is_uppercase();
    let mut rest = letters.chars();
    let is_number = letters.is_empty();
    let is_word = rest.next().is_some_and(char::is_alphabetic) && rest.all(is_lower);
    let is_abbreviation = letters.len() <= 5 && letters.chars().all(char::is_uppercase);
    letters.chars().count() <= 16
        && (is_number || is_word || is_abbreviation)
        && digits <= if is_number { 6 } else { 3 }
}

/// Whether a word is an API name, such as an operation.
pub fn is_api_name(word: &str) -> bool {
    NAMES.lines().any(|name| name == word)
}

/// Whether a word has the format of a lowercase UUID.
pub fn is_uuid(word: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = word.split('-');
    let is_hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    lengths
        .iter()
        .all(|&length| parts.next().is_some_and(|part| is_hex(part, length)))
        && parts.next().is_none()
}

/// `20261126T120000Z`, the format used in signatures.
fn is_time(word: &str) -> bool {
    let digits =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    word.strip_suffix('Z')
        .and_then(|rest| rest.split_once('T'))
        .is_some_and(|(date, time)| date.starts_with("20") && digits(date, 8) && digits(time, 6))
}

/// An ARN with only those parts of its resource that are public, or that look like names.
fn show_arn(arn: &str, public: &[&str]) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, region, account, resource] = parts[..] else {
        return OMITTED.to_owned();
    };
    let is_region = region.is_empty() || is_region(region);
    let is_account = ["", "aws"].contains(&account)
        || account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_shaped = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"].contains(&partition)
        && SERVICES.contains(&service)
        && is_region
        && is_account;
    if !is_shaped {
        return OMITTED.to_owned();
    }
    // AWS appends a hyphen and six characters to a secret's name.
    if let Some(name) = resource.strip_prefix("secret:")
        && let Some((name, suffix)) = name.rsplit_once('-')
        && public.contains(&name)
        && suffix.len() == 6
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return arn.to_owned();
    }
    let names: Vec<(&str, &str)> = resource
        .split_inclusive([':', '/'])
        .map(|name| name.split_at(name.trim_end_matches([':', '/']).len()))
        .collect();
    let is_known = |name: &str| is_uuid(name) || is_public_part(name, public);
    // Encoded text can contain slashes, so one unreadable part makes the others suspect.
    let is_readable = !is_spelled_out(resource, public)
        && names
            .iter()
            .all(|(name, _)| is_known(name) || looks_like_name(name));
    let is_shown = |name: &str| is_readable || is_known(name) || name.len() >= 3 && is_plain(name);
    let names: Vec<_> = names
        .iter()
        .map(|(name, separator)| {
            format!("{}{separator}", if is_shown(name) { name } else { OMITTED })
        })
        .collect();
    format!(
        "arn:{partition}:{service}:{region}:{account}:{}",
        names.concat()
    )
}

fn is_public_part(name: &str, public: &[&str]) -> bool {
    public
        .iter()
        .any(|public| public.split(['/', ':']).any(|part| part == name))
}

/// Whether the names in an ARN have more digits, or more words of one or two letters, than names that people choose. A text
/// that is spelled out in letters or codes has many.
fn is_spelled_out(resource: &str, public: &[&str]) -> bool {
    let names = resource.split([':', '/']);
    let names = names.filter(|name| !is_public_part(name, public) && !is_uuid(name));
    let words: Vec<_> = names
        .flat_map(|name| name.split(SEPARATORS))
        .filter(|word| !word.is_empty())
        .collect();
    let digits = words.iter().flat_map(|word| word.bytes());
    let short = words.iter().filter(|word| word.len() < 3);
    digits.filter(u8::is_ascii_digit).count() > 9 || short.count() > 4
}

/// `eu-west-1`, `us-gov-east-1`
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., number] = &parts[..] else {
        return false;
    };
    let is_word = |part: &str, max| {
        (2..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase())
    };
    is_word(first, 4)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(|part| is_word(part, 9))
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a part of an ARN's resource consists of words, capitalized words and short numbers, like a name that a person chose.
/// Encoded text mixes letters of both cases with digits.
fn looks_like_name(text: &str) -> bool {
    let is_word = |word: &str| {
        let lower = word.bytes().filter(u8::is_ascii_lowercase).count();
        let upper = word.bytes().filter(u8::is_ascii_uppercase).count();
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let all = word.len();
        lower == all && all <= 12
            || digits == all && all <= 6
            || lower + 1 == all && word.starts_with(|c: char| c.is_ascii_uppercase()) && all <= 12
            || upper == all && all <= 5
    };
    text.len() <= 64
        && text
            .split(SEPARATORS)
            .all(|word| word.is_empty() || is_word(word))
}
