//! Where things are in a JSON text (RFC 8259). Checks all of it, builds nothing. Unpaired surrogates in
//! escapes pass, as the grammar lets them.

use std::ops::Range;

/// The deepest nesting; what serde_json and most readers take.
pub(super) const MAX_DEPTH: usize = 128;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    TooDeep,
}

/// A member of an object.
pub(super) struct Member {
    /// Where the white space before the name begins.
    pub(super) lead: usize,
    /// With its quotes.
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// An object and its members.
pub(super) struct Object {
    /// Of its brace.
    pub(super) start: usize,
    pub(super) members: Vec<Member>,
}

/// A whole text: where its one value is, and its depth.
pub(super) fn document(text: &[u8]) -> Result<(Range<usize>, usize), Fault> {
    let mut scan = Scan::new(text, 0);
    scan.blank();
    let value = scan.value(0)?;
    scan.blank();
    if scan.at == text.len() {
        Ok((value, scan.deepest))
    } else {
        Err(Fault::Malformed)
    }
}

/// A place in a text.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    deepest: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8], at: usize) -> Self {
        Self {
            text,
            at,
            deepest: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, wanted: u8) -> Result<(), Fault> {
        self.take(wanted).then_some(()).ok_or(Fault::Malformed)
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Range<usize>, Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.deepest = self.deepest.max(depth);
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.members(depth, |_| {})?,
            Some(b'[') => self.elements(depth, |_| {})?,
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        }
        Ok(start..self.at)
    }

    /// The object here.
    pub(super) fn object(mut self) -> Result<Object, Fault> {
        let start = self.at;
        let mut members = Vec::new();
        self.members(0, |member| members.push(member))?;
        Ok(Object { start, members })
    }

    /// The elements of the array here.
    pub(super) fn array(mut self) -> Result<Vec<Range<usize>>, Fault> {
        let mut elements = Vec::new();
        self.elements(0, |element| elements.push(element))?;
        Ok(elements)
    }

    fn members(&mut self, depth: usize, mut each: impl FnMut(Member)) -> Result<(), Fault> {
        self.need(b'{')?;
        let mut lead = self.at;
        self.blank();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let start = self.at;
            self.string()?;
            let name = start..self.at;
            self.blank();
            self.need(b':')?;
            self.blank();
            let value = self.value(depth + 1)?;
            each(Member { lead, name, value });
            self.blank();
            if self.take(b'}') {
                return Ok(());
            }
            self.need(b',')?;
            lead = self.at;
            self.blank();
        }
    }

    fn elements(&mut self, depth: usize, mut each: impl FnMut(Range<usize>)) -> Result<(), Fault> {
        self.need(b'[')?;
        self.blank();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self.value(depth + 1)?);
            self.blank();
            if self.take(b']') {
                return Ok(());
            }
            self.need(b',')?;
            self.blank();
        }
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.need(b'"')?;
        loop {
            let byte = self.peek().ok_or(Fault::Malformed)?;
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(Fault::Malformed),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let mark = self.peek().ok_or(Fault::Malformed)?;
        self.at += 1;
        match mark {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4);
                self.at += 4;
                digits
                    .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
                    .map(drop)
                    .ok_or(Fault::Malformed)
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(()).ok_or(Fault::Malformed)
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = [b"true".as_slice(), b"false", b"null"]
            .into_iter()
            .find(|word| rest.starts_with(word))
            .ok_or(Fault::Malformed)?;
        self.at += word.len();
        Ok(())
    }
}
