//! The encodings in which a server, a gateway or a proxy can quote a secret. Each quote records how much of it is needed to
//! decode eight bytes, so that a test can search for that.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sandbox_model::Random;

/// The number of literal characters of a secret that must not be visible: fewer can be a name or a label.
const LITERAL: usize = 12;

/// A secret, or a part of one, in some encoding.
#[derive(Clone, Debug)]
pub struct Quote {
    units: Vec<String>,
    eight: usize,
}

impl Quote {
    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.units.concat()
    }

    /// All parts of the text that represent about eight bytes. None of them may be visible.
    #[must_use]
    pub fn pieces(&self) -> Vec<String> {
        let windows = self.units.windows(self.eight);
        windows.map(|units| units.concat()).collect()
    }

    /// One unit of text for each byte.
    fn each(secret: &[u8], separator: &str, format: impl Fn(u8) -> String) -> Self {
        let last = secret.len().saturating_sub(1);
        let unit =
            |(index, byte): (usize, &u8)| format(*byte) + if index < last { separator } else { "" };
        Self {
            units: secret.iter().enumerate().map(unit).collect(),
            eight: 8,
        }
    }

    /// Text in which this many characters represent eight bytes.
    fn dense(text: &str, eight: usize) -> Self {
        Self {
            units: text.chars().map(String::from).collect(),
            eight,
        }
    }

    /// Adds a line break after some units, as encoders do.
    fn wrapped(mut self, width: usize, end: &str) -> Self {
        for unit in self.units.iter_mut().skip(width - 1).step_by(width) {
            unit.push_str(end);
        }
        self
    }

    /// The quote, quoted again.
    fn again(&self, random: &mut Random) -> Self {
        let text = self.text();
        let characters = text.chars().count().max(1);
        let per_unit = characters.div_ceil(self.units.len().max(1));
        let mut outer = once(text.as_bytes(), random);
        // Eight units of the inner text are this many times eight bytes of the outer.
        outer.eight = (outer.eight * self.eight * per_unit).div_ceil(8) + 2;
        outer
    }
}

/// A quote of a secret in random encodings, possibly only of its start, middle or end.
pub(super) fn quote(secret: &[u8], random: &mut Random) -> Quote {
    let mut quote = once(secret, random);
    if random.below(5) == 0 {
        quote = quote.again(random);
    }
    if random.below(4) == 0 && quote.units.len() > quote.eight {
        let spare = quote.units.len() - quote.eight;
        quote.units.drain(..random.below(spare + 1).min(5));
        let spare = quote.units.len() - quote.eight;
        let kept = quote.units.len() - random.below(spare + 1);
        quote.units.truncate(kept);
    }
    quote
}

fn once(secret: &[u8], random: &mut Random) -> Quote {
    let hex = |byte: u8| format!("{byte:02x}");
    let text = String::from_utf8_lossy(secret);
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
    let separator = random.pick(&[" ", ", ", ":", "-", "_", ".", "/", "\u{200b}", "\r\n"]);
    let width = random.pick(&[4, 8, 16, 64, 76]);
    match random.below(24) {
        0 | 1 => Quote::dense(&text, LITERAL),
        2 => Quote::dense(&text.to_ascii_uppercase(), LITERAL),
        // Otherwise it could be an AWS name or ID, which only the format distinguishes.
        3 if text.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_.@+=,/".contains(c)) => {
            Quote::dense(&text.chars().rev().collect::<String>(), 8)
        }
        4 | 5 => Quote::dense(&STANDARD.encode(secret), 12),
        6 => Quote::dense(&URL_SAFE_NO_PAD.encode([b"x", secret].concat()), 12),
        7 => Quote::dense(&STANDARD.encode(secret), 12).wrapped(width, separator),
        8 => Quote::each(secret, "", hex),
        9 => Quote::each(secret, separator, hex).wrapped(width, "\n"),
        10 => Quote::each(secret, separator, |byte| format!("{byte:02X}")),
        11 => Quote::each(secret, separator, |byte| byte.to_string()),
        12 => Quote::each(secret, " ", |byte| format!("0x{byte:x}")),
        13 => Quote::each(secret, "", |byte| format!("&#x{byte:x};")),
        14 => Quote::each(secret, "", |byte| format!("&#{byte};")),
        15 => Quote::each(secret, "", |byte| format!("\\u{byte:04X}")),
        16 => Quote::each(secret, "", |byte| format!("%{byte:02x}")),
        17 => Quote::each(secret, "", |byte| format!("\\x{byte:02x}")),
        18 => Quote::each(secret, "", |byte| format!("\\{byte:03o}")),
        19 => Quote::each(secret, separator, |byte| format!("{byte:08b}")),
        20 => Quote::each(secret, separator, |byte| char::from(byte).to_string()),
        21 => Quote::dense(&STANDARD.encode(utf16(u16::to_le_bytes)), 23),
        22 => Quote::each(&utf16(u16::to_be_bytes), "", hex).twice(),
        // As HTML and shells escape it.
        _ => Quote {
            eight: LITERAL,
            ..Quote::each(secret, "", |byte| match byte {
                b'&' => "&amp;".to_owned(),
                b'<' => "&lt;".to_owned(),
                b'\'' => "'\\''".to_owned(),
                b'"' => "\\\"".to_owned(),
                b'\n' => "\\n".to_owned(),
                byte => char::from(byte).to_string(),
            })
        },
    }
}

impl Quote {
    /// Two units for each byte.
    fn twice(mut self) -> Self {
        self.eight *= 2;
        self
    }
}
