//! The reasons a `.env` file is rejected, as text. Must not make decisions, or use anything from a file except its line
//! numbers.

use std::fmt;

use upsert_secret_core::value::MAX_BYTES;

/// The maximum number of pairs in a file. Public text is searched for each of them.
pub(super) const MAX_PAIRS: usize = 1_000;

/// The reason a file is rejected. The text is a clause about the file, and never shows its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DotenvError {
    /// More bytes than a secret can hold.
    TooLarge,
    /// Too many pairs.
    TooMany,
    /// UTF-16.
    Utf16,
    /// Not UTF-8.
    NotUtf8,
    /// No pairs.
    Empty,
    /// A line, counted from 1, and its fault.
    Line(usize, LineFault),
}

impl fmt::Display for DotenvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "it has more than {MAX_BYTES} bytes"),
            Self::TooMany => write!(f, "it has more than {MAX_PAIRS} pairs"),
            Self::Utf16 => f.write_str("it is UTF-16; save it as UTF-8"),
            Self::NotUtf8 => f.write_str("it is not UTF-8 text"),
            Self::Empty => f.write_str("it has no pairs"),
            Self::Line(line, LineFault::Repeated(first)) => {
                write!(f, "line {line} has the same name as line {first}")
            }
            Self::Line(line, fault) => write!(f, "line {line} {}", fault.predicate()),
        }
    }
}

/// The fault of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// Not a pair.
    NotPair,
    /// A name that an earlier line already has, with that line's number.
    Repeated(usize),
    /// A name that is not in capitals, followed only by `=`.
    NoValue,
    /// A quote without an end.
    Unclosed,
    /// Text after a quote.
    AfterQuote,
    /// A backslash in double quotes.
    DoubleEscape,
    /// A backslash in single quotes, before a quote or another backslash.
    SingleEscape,
    /// A character that needs quotes.
    NeedsQuotes,
    /// An invisible character that needs quotes.
    Invisible,
    /// A carriage return that is not part of a line ending, or is part of a value.
    CarriageReturn,
}

impl LineFault {
    /// The predicate about its line. If parsers differ, it recommends the notation that they agree on.
    fn predicate(self) -> &'static str {
        match self {
            Self::NotPair => {
                "is not `NAME=value`; a name has letters, digits, `_`, `.` and `-`, and begins with a letter or `_`"
            }
            Self::Repeated(_) => "has the same name as an earlier line",
            Self::NoValue => {
                "has no value, as a line of base64 text may look; write `\"\"` for an empty value"
            }
            Self::Unclosed => "begins a quote that is not closed",
            Self::AfterQuote => {
                "has text after the closing quote; a comment needs a space before its `#`"
            }
            Self::DoubleEscape => {
                "has a backslash in double quotes other than `\\n` and `\\r`, and parsers differ on what it means; single quotes keep \
                 it as it is"
            }
            Self::SingleEscape => {
                "has `\\'` or `\\\\` in single quotes, and parsers differ on what it means; take this value from a variable or a file \
                 of its own"
            }
            Self::NeedsQuotes => {
                "has `#`, a backslash or a quote in a value without quotes, and parsers differ on what it means; put the value in \
                 single quotes, and a comment on a line of its own"
            }
            Self::Invisible => {
                "has an invisible character in a value without quotes; put the value in single quotes, or remove the character"
            }
            Self::CarriageReturn => {
                "has a carriage return that is not at the end of a pair, and parsers differ on what it means; save the file with Unix \
                 line endings"
            }
        }
    }
}
