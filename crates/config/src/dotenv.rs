//! Parses `.env` files into pairs, with limits on size and number that keep the time short. Must not expand variables or open
//! files; errors show only line numbers.
//!
//! There is no standard. The most common parsers, dotenv (Node.js), python-dotenv, godotenv (also in Docker Compose) and
//! dotenvy (Rust), agree on most notations and differ on the rest. Guessing wrong would store a wrong secret, which is
//! discovered by an outage. Therefore, a file is accepted if it has the same meaning in all parsers that accept it, except for
//! `$`:
//!
//! | in the file | the value |
//! |---|---|
//! | an empty line, `# comment` | no pair |
//! | `NAME=value`, `NAME = value`, `export NAME=value` | surrounding spaces and tabs are removed |
//! | `NAME=` | empty; allowed only in capitals, because base64 text also ends in `=` |
//! | `NAME='value'` | unchanged, may span lines; `\'` and `\\` are rejected |
//! | `NAME="value"` | unchanged, may span lines, with `\n` and `\r` replaced; other backslashes are rejected |
//! | `NAME='value' # comment`, `NAME="value" # comment` | without the comment |
//! | `NAME=a#b`, `NAME=a # b`, `NAME=a\b`, `NAME=it's` | rejected: unquoted, parsers differ on `#`, `\`, `'`, `"`, `` ` `` |
//! | `NAME=$OTHER`, `NAME="${OTHER}"` | unchanged: `$` is not expanded, although some parsers do |
//! | a duplicate name, a line that is not a pair, a carriage return other than in a line ending | rejected |

use upsert_secret_core::json::KeyPath;
use upsert_secret_core::value::{MAX_BYTES, SecretBytes};
use zeroize::Zeroizing;

use crate::environment::{MAX_NAME, is_conventional_name};

mod fault;

use fault::MAX_PAIRS;
pub use fault::{DotenvError, LineFault};

/// White space that is not part of a pair.
const BLANK: [char; 2] = [' ', '\t'];

/// A pair of a file.
pub struct Pair {
    /// The name.
    pub name: KeyPath,
    /// The value, which may be empty.
    pub value: SecretBytes,
    /// The line that the pair starts on, counted from 1.
    pub line: usize,
    /// Whether nothing follows the `=`, not even quotes.
    pub(crate) is_bare: bool,
    /// Whether other parsers would expand a `$` in the value.
    pub(crate) expands_elsewhere: bool,
}

/// Placeholder pairs for a file that is not read.
pub(crate) fn stand_in() -> Vec<Pair> {
    parse(b"KEY='this value is not known yet'").unwrap_or_default()
}

/// Parses the pairs of a file, in file order.
///
/// # Errors
/// See [`DotenvError`].
pub fn parse(file: &[u8]) -> Result<Vec<Pair>, DotenvError> {
    let mut scanner = Scanner {
        rest: decode(file)?,
        line: 1,
    };
    let mut pairs: Vec<Pair> = Vec::new();
    while let Some(line) = scanner.next_statement()? {
        let fault = |fault| DotenvError::Line(line, fault);
        let name = scanner.name().map_err(fault)?;
        // For few pairs as quick as a map.
        let same_name = |pair: &&Pair| pair.name.names() == [name];
        if let Some(first) = pairs.iter().find(same_name) {
            return Err(fault(LineFault::Repeated(first.line)));
        }
        let (value, style) = scanner.value()?;
        let is_only_padding = style == Style::Bare && value.trim_matches('=').is_empty();
        if is_only_padding && !is_conventional_name(name) {
            return Err(fault(LineFault::NoValue));
        }
        if pairs.len() == MAX_PAIRS {
            return Err(DotenvError::TooMany);
        }
        pairs.push(Pair {
            name: KeyPath::parse(name).map_err(|_| fault(LineFault::NotPair))?,
            line,
            is_bare: style == Style::Bare && value.is_empty(),
            expands_elsewhere: style != Style::Single && has_reference(&value),
            value: SecretBytes::new(value.as_bytes().to_vec()),
        });
    }
    if pairs.is_empty() {
        return Err(DotenvError::Empty);
    }
    Ok(pairs)
}

fn decode(file: &[u8]) -> Result<&str, DotenvError> {
    if file.len() > MAX_BYTES {
        return Err(DotenvError::TooLarge);
    }
    if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
        return Err(DotenvError::Utf16);
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    str::from_utf8(file).map_err(|_| DotenvError::NotUtf8)
}

/// Whether another parser may see a variable reference: `$NAME`, `${NAME}`, or `$(command)`.
fn has_reference(value: &str) -> bool {
    let mut after = value.split('$').skip(1);
    after.any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)))
}

/// The notation of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Bare,
    Single,
    Double,
}

/// The unread part of a file.
struct Scanner<'f> {
    rest: &'f str,
    line: usize,
}

impl<'f> Scanner<'f> {
    /// Skips empty lines and comments. Returns the line of the next pair; `None` at the end of the file.
    fn next_statement(&mut self) -> Result<Option<usize>, DotenvError> {
        loop {
            self.skip_blanks();
            if self.rest.starts_with('#') {
                self.take_until(is_line_end);
            }
            if self.rest.is_empty() {
                return Ok(None);
            }
            if !self.rest.starts_with(is_line_end) {
                return Ok(Some(self.line));
            }
            self.end_line()?;
        }
    }

    /// Reads the name of a pair, up to and including the `=`.
    fn name(&mut self) -> Result<&'f str, LineFault> {
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(BLANK)
        {
            self.rest = after;
            self.skip_blanks();
        }
        let name = self.take_until(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(c));
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        self.skip_blanks();
        match self.rest.strip_prefix('=') {
            Some(rest) if begins_well && name.len() <= MAX_NAME => self.rest = rest,
            _ => return Err(LineFault::NotPair),
        }
        Ok(name)
    }

    /// Reads the value of a pair, up to and including the end of its last line.
    fn value(&mut self) -> Result<(Zeroizing<String>, Style), DotenvError> {
        self.skip_blanks();
        let (value, style) = match self.rest.chars().next() {
            Some('\'') => (self.quoted('\'')?, Style::Single),
            Some('"') => (self.quoted('"')?, Style::Double),
            _ => (self.bare().map_err(|fault| self.fault(fault))?, Style::Bare),
        };
        self.end_line()?;
        Ok((value, style))
    }

    fn bare(&mut self) -> Result<Zeroizing<String>, LineFault> {
        let value = self.take_until(is_line_end).trim_end_matches(BLANK);
        if value.contains(['#', '\\', '\'', '"', '`']) {
            return Err(LineFault::NeedsQuotes);
        }
        // Parsers differ on which other white space they take off.
        if value.trim() != value || value.contains(char::is_control) {
            return Err(LineFault::Invisible);
        }
        Ok(Zeroizing::new(value.to_owned()))
    }

    /// Reads quoted content, and the comment after it.
    fn quoted(&mut self, quote: char) -> Result<Zeroizing<String>, DotenvError> {
        let quotes = self.rest[1..].split_once(quote);
        let (content, rest) = quotes.ok_or_else(|| self.fault(LineFault::Unclosed))?;
        // No escape is shorter than its character: a buffer that grew would leave a copy behind.
        let mut value = Zeroizing::new(String::with_capacity(content.len()));
        let mut chars = content.chars();
        while let Some(c) = chars.next() {
            let c = match c {
                '\n' => {
                    self.line += 1;
                    c
                }
                '\r' => return Err(self.fault(LineFault::CarriageReturn)),
                '\\' if quote == '"' => match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    _ => return Err(self.fault(LineFault::DoubleEscape)),
                },
                // The quote that ends the content may have been meant as a part of it.
                '\\' if matches!(chars.clone().next(), None | Some('\\')) => {
                    return Err(self.fault(LineFault::SingleEscape));
                }
                c => c,
            };
            value.push(c);
        }
        let after = rest.trim_start_matches(BLANK);
        self.rest = after;
        if after.starts_with('#') && after.len() < rest.len() {
            self.take_until(is_line_end);
        } else if !after.is_empty() && !after.starts_with(is_line_end) {
            return Err(self.fault(LineFault::AfterQuote));
        }
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(BLANK);
    }

    /// The text before a character.
    fn take_until(&mut self, is_end: impl Fn(char) -> bool) -> &'f str {
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Reads a line ending, unless the file ends here.
    fn end_line(&mut self) -> Result<(), DotenvError> {
        let unix = self.rest.strip_prefix('\n');
        if let Some(rest) = unix.or_else(|| self.rest.strip_prefix("\r\n")) {
            self.rest = rest;
            self.line += 1;
        } else if !self.rest.is_empty() {
            return Err(self.fault(LineFault::CarriageReturn));
        }
        Ok(())
    }

    fn fault(&self, fault: LineFault) -> DotenvError {
        DotenvError::Line(self.line, fault)
    }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

#[cfg(test)]
mod tests;
