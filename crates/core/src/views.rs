//! The readable contents of a text: the text itself and its decodings, each byte with its place in the text. Decodes the text
//! instead of encoding the secrets, so that truncated, wrapped and doubly encoded forms need no list. Must not handle secrets.

mod radix;
mod view;

use radix::{BASE64, HEX};
pub use view::{Place, View, fold};

/// The number of nested decodings that are examined.
const DEPTH: usize = 2;

/// Looks at the text and all its decodings, one after the other, so that only a few exist at the same time.
pub fn for_each_view(text: &str, look: &mut impl FnMut(&View)) {
    let places = (0..text.len() as u32).map(|at| at..at + 1).collect();
    let bytes = text.as_bytes().to_vec();
    look_at(&View { bytes, places }, DEPTH, look);
}

fn look_at(view: &View, depth: usize, look: &mut impl FnMut(&View)) {
    look(view);
    if depth > 0 {
        for_each_decoding(view, |decoded| look_at(&decoded, depth - 1, look));
    }
}

/// A notation, with the bytes that must occur in any text written in it.
type Notation = (&'static [u8], fn(&View) -> Option<View>);

const NOTATIONS: &[Notation] = &[
    (b"\\", |view| escapes(view, false)),
    (b"\\", |view| escapes(view, true)),
    (b"&", entities),
    (b"%", |view| percent(view, false)),
    (b"+", |view| percent(view, true)),
    (b"'\"", quotes),
];

/// Decodes a view in every way that changes it.
fn for_each_decoding(view: &View, mut look: impl FnMut(View)) {
    let mut is_present = [false; 256];
    for &byte in &view.bytes {
        is_present[usize::from(byte)] = true;
    }
    for (marks, decode) in NOTATIONS {
        if marks.iter().any(|&mark| is_present[usize::from(mark)]) {
            decode(view).into_iter().for_each(&mut look);
        }
    }
    for radix in [HEX, BASE64] {
        let runs = radix.runs(view);
        if !runs.is_empty() {
            // After a group, decoding starts at the same position as in the first one.
            (0..radix.group).for_each(|start| look(radix.decode(view, &runs, start)));
        }
    }
}

/// A view without certain sequences: `read` gives what the bytes from a position stand for, and how many they are. `None` if
/// there is no such sequence.
fn rewrite(
    view: &View,
    marks: &[u8],
    read: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>,
) -> Option<View> {
    let mut out: Option<View> = None;
    let mut at = 0;
    let mut copied = 0;
    while at < view.bytes.len() {
        let found = marks
            .contains(&view.bytes[at])
            .then(|| read(&view.bytes[at..]));
        let Some((bytes, length)) = found.flatten() else {
            at += 1;
            continue;
        };
        let out = out.get_or_insert_with(|| View::with_capacity(view.bytes.len()));
        out.copy(view, copied..at);
        out.push(&bytes, view, at..at + length);
        at += length;
        copied = at;
    }
    if let Some(out) = &mut out {
        out.copy(view, copied..at);
    }
    out
}

/// Decodes backslash escapes of JSON, programming languages and shells. With `late`, decoding starts at the second of two
/// backslashes, which is taken as the start of an escape.
fn escapes(view: &View, late: bool) -> Option<View> {
    if late && !view.bytes.windows(2).any(|pair| pair == b"\\\\") {
        return None;
    }
    rewrite(view, b"\\", |rest| {
        let [b'\\', next, ..] = *rest else {
            return None;
        };
        let byte = match next {
            b'\\' if late => return None,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            b'b' => 8,
            b'f' => 12,
            b'x' => return Some((vec![number(rest.get(2..4)?, 16)? as u8], 4)),
            b'u' => return unicode_escape(rest),
            other => other,
        };
        Some((vec![byte], 2))
    })
}

/// Decodes `\u00e9`, a surrogate pair, or `\u{e9}`.
fn unicode_escape(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let unit = |at: usize| {
        rest.get(at..at + 2)
            .filter(|mark| mark.eq_ignore_ascii_case(b"\\u"))
            .and_then(|_| number(rest.get(at + 2..at + 6)?, 16))
    };
    let (code, length) = if rest.get(2) == Some(&b'{') {
        let length = rest.iter().take(12).position(|&byte| byte == b'}')?;
        (number(&rest[3..length], 16)?, length + 1)
    } else {
        match (unit(0)?, unit(6)) {
            (high @ 0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
                (0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12)
            }
            (code, _) => (code, 6),
        }
    };
    let text = char::from_u32(code)?.to_string();
    Some((text.into_bytes(), length))
}

/// Decodes HTML and XML character references.
fn entities(view: &View) -> Option<View> {
    rewrite(view, b"&", |rest| {
        let end = rest.iter().take(12).position(|&byte| byte == b';')?;
        let code = match rest.get(..end)? {
            b"&amp" => u32::from('&'),
            b"&lt" => u32::from('<'),
            b"&gt" => u32::from('>'),
            b"&quot" => u32::from('"'),
            b"&apos" => u32::from('\''),
            [b'&', b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
            [b'&', b'#', digits @ ..] => number(digits, 10)?,
            _ => return None,
        };
        Some((char::from_u32(code)?.to_string().into_bytes(), end + 1))
    })
}

/// Decodes percent-encoding; in forms, a plus represents a space.
fn percent(view: &View, plus: bool) -> Option<View> {
    rewrite(view, b"+%", |rest| match *rest {
        [b'+', ..] if plus => Some((vec![b' '], 1)),
        [b'%', ..] => Some((vec![number(rest.get(1..3)?, 16)? as u8], 3)),
        _ => None,
    })
}

/// Decodes quotes in a quoted string of a shell, YAML or SQL: doubled, or outside the string.
fn quotes(view: &View) -> Option<View> {
    rewrite(view, b"'\"", |rest| {
        let pairs: [&[u8]; 4] = [b"'\\''", b"'\"'\"'", b"''", b"\"\""];
        let pair = pairs.into_iter().find(|pair| rest.starts_with(pair))?;
        Some((vec![pair[0]], pair.len()))
    })
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, radix).ok()
}
