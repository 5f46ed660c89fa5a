//! The meaning of each notation of a pair, and the rejected notations.

use proptest::prelude::*;

use super::*;

/// The pairs as names and values.
fn pairs(file: &str) -> Vec<(String, String)> {
    let parsed = parse(file.as_bytes()).unwrap_or_else(|why| panic!("{file:?}: {why}"));
    let text = |pair: &Pair| String::from_utf8(pair.value.expose().to_vec()).unwrap();
    parsed
        .iter()
        .map(|pair| (pair.name.to_string(), text(pair)))
        .collect()
}

#[test]
fn pair_is_read_as_parsers_agree() {
    for (file, name, value) in [
        ("A=made-up", "A", "made-up"),
        ("A=made-up\n", "A", "made-up"),
        ("A=made-up\r\n", "A", "made-up"),
        (
            "  \n\t# B=1\r\n A \t= \t made up \t \n# end",
            "A",
            "made up",
        ),
        ("\u{feff}A=1", "A", "1"),
        ("export A=1", "A", "1"),
        ("export \t A = 1", "A", "1"),
        ("export=1", "export", "1"),
        ("exported=1", "exported", "1"),
        ("_a.b-C9=1", "_a.b-C9", "1"),
        // Unquoted.
        ("A=a=b==", "A", "a=b=="),
        ("A==", "A", "="),
        ("A=a b  c", "A", "a b  c"),
        ("A=$B ${C} $(d) $5", "A", "$B ${C} $(d) $5"),
        ("A=ü:{},[];&|!?*<>%^~@", "A", "ü:{},[];&|!?*<>%^~@"),
        ("A=", "A", ""),
        ("A= \t \n", "A", ""),
        // Single quotes.
        ("A=''", "A", ""),
        ("A=' x '", "A", " x "),
        (
            "A='a#b \"c\" `d` \\n $E'  # it's",
            "A",
            "a#b \"c\" `d` \\n $E",
        ),
        ("A='one\ntwo\n'\n", "A", "one\ntwo\n"),
        // Double quotes.
        ("A=\"\"", "A", ""),
        ("A=\" it's `x` # \"\t# \"comment\"", "A", " it's `x` # "),
        ("A=\"one\\ntwo\\r\\n\"", "A", "one\ntwo\r\n"),
        (
            "A=\"-----BEGIN\n${B}\n-----END\n\" \r\n",
            "A",
            "-----BEGIN\n${B}\n-----END\n",
        ),
    ] {
        assert_eq!(
            pairs(file),
            [(name.to_owned(), value.to_owned())],
            "{file:?}"
        );
    }
}

#[test]
fn pairs_keep_their_order_and_lines() {
    let parsed = parse(b"\nB=1\r\n# c\nA='x\ny' # z\n\nexport C=\"\"\na=2").unwrap();
    let found: Vec<_> = parsed
        .iter()
        .map(|pair| (pair.name.to_string(), pair.line))
        .collect();
    let wanted = [("B", 2), ("A", 4), ("C", 7), ("a", 8)];
    assert_eq!(found, wanted.map(|(name, line)| (name.to_owned(), line)));
}

#[test]
fn suspicious_pairs_are_marked() {
    for (file, is_bare, expands_elsewhere) in [
        ("A=", true, false),
        ("A=''", false, false),
        ("A=\"\"", false, false),
        ("A=x$y", false, true),
        ("A=\"${y}\"", false, true),
        ("A=$(y)", false, true),
        ("A='${y}'", false, false),
        ("A=x$5$", false, false),
    ] {
        let pair = &parse(file.as_bytes()).unwrap()[0];
        assert_eq!(
            (pair.is_bare, pair.expands_elsewhere),
            (is_bare, expands_elsewhere),
            "{file}"
        );
    }
}

#[test]
fn ambiguous_line_is_rejected() {
    use LineFault::*;
    for (file, line, fault) in [
        ("hidden", 1, NotPair),
        ("A=1\nhidden: x", 2, NotPair),
        ("export A", 1, NotPair),
        ("export =hidden", 1, NotPair),
        ("export A B=hidden", 1, NotPair),
        ("=hidden", 1, NotPair),
        ("1A=hidden", 1, NotPair),
        ("-A=hidden", 1, NotPair),
        ("A B=hidden", 1, NotPair),
        ("'A'=hidden", 1, NotPair),
        ("hi/dd+en==", 1, NotPair),
        ("Ä=hidden", 1, NotPair),
        ("A\u{a0}=hidden", 1, NotPair),
        ("A=1\n\nA=hidden", 3, Repeated(1)),
        ("A='1\n2'\nexport A = hidden", 3, Repeated(1)),
        // Base64 text.
        ("aGlkZGVu==", 1, NoValue),
        ("aGlkZGVu=", 1, NoValue),
        ("JBSWY3DPEHPK3PXP= \n", 1, NoValue),
        // Quotes.
        ("A='hidden", 1, Unclosed),
        ("B=1\nA=\"hidden\n\n", 2, Unclosed),
        ("A='hidden'x", 1, AfterQuote),
        ("A='hidden'#x", 1, AfterQuote),
        ("A=\"hidden\" x # y", 1, AfterQuote),
        ("A='a\nb' x", 2, AfterQuote),
        ("A='it'\\''s'", 1, AfterQuote),
        ("A=\"a\"\"b\"", 1, AfterQuote),
        // Backslashes.
        ("A=\"hid\\\"den\"", 1, DoubleEscape),
        ("A=\"hid\\\\den\"", 1, DoubleEscape),
        ("A=\"hid\\tden\"", 1, DoubleEscape),
        ("A=\"hid\\$den\"", 1, DoubleEscape),
        ("A=\"a\nhid\\\nden\"", 2, DoubleEscape),
        ("A='hid\\'den'", 1, SingleEscape),
        ("A='hid\n\\\\den'", 2, SingleEscape),
        // No quotes.
        ("A=hidden # x", 1, NeedsQuotes),
        ("A=hid#den", 1, NeedsQuotes),
        ("A= # hidden", 1, NeedsQuotes),
        ("A=hid\\den", 1, NeedsQuotes),
        ("A=it's hidden", 1, NeedsQuotes),
        ("A={\"a\":\"hidden\"}", 1, NeedsQuotes),
        ("A=`hidden`", 1, NeedsQuotes),
        ("A=hidden\u{a0}", 1, Invisible),
        ("A=\u{3000}hidden", 1, Invisible),
        ("A=hid\tden", 1, Invisible),
        ("A=hid\0den", 1, Invisible),
        // Carriage returns.
        ("A=hid\rden", 1, CarriageReturn),
        ("B=1\n# hid\rden", 2, CarriageReturn),
        ("A='a\r\nb'", 1, CarriageReturn),
        ("A=\"a\nb\r\nc\"", 2, CarriageReturn),
        ("\r", 1, CarriageReturn),
    ] {
        let found = parse(file.as_bytes()).err();
        assert_eq!(found, Some(DotenvError::Line(line, fault)), "{file:?}");
        let shown = found.unwrap().to_string();
        assert!(!shown.contains("hid"), "{shown}");
    }
}

#[test]
fn file_that_is_no_dotenv_file_is_rejected() {
    let many: String = (0..1_001).map(|n| format!("A{n}=1\n")).collect();
    let large = format!("A={}", "x".repeat(65_535));
    for (file, wanted) in [
        (&b""[..], DotenvError::Empty),
        (b"# comment\n\n", DotenvError::Empty),
        (b"\xff\xfeA\0", DotenvError::Utf16),
        (b"A=\xff", DotenvError::NotUtf8),
        (many.as_bytes(), DotenvError::TooMany),
        (large.as_bytes(), DotenvError::TooLarge),
    ] {
        assert_eq!(parse(file).err(), Some(wanted));
    }
    let last = many.find("A1000=").unwrap();
    assert_eq!(parse(&many.as_bytes()[..last]).unwrap().len(), 1_000);
    assert!(parse(&large.as_bytes()[..65_536]).is_ok());
}

/// A value, and every notation of it.
fn written(value: &str) -> Vec<String> {
    let mut all = Vec::new();
    let is_plain = |c: char| c.is_ascii_graphic() && !"#\\'\"`".contains(c) || c == ' ';
    if value.chars().all(is_plain) && value.trim_matches(' ') == value {
        all.push(value.to_owned());
    }
    if !value.contains(['\'', '\\', '\r']) {
        all.push(format!("'{value}'"));
    }
    if !value.contains(['"', '\\']) {
        let escaped = value.replace('\r', "\\r");
        all.push(format!("\"{escaped}\""));
        all.push(format!("\"{}\"", escaped.replace('\n', "\\n")));
    }
    all
}

proptest! {
    #[test]
    fn written_pairs_are_read_back(
        values in prop::collection::vec("[a-z ='\"\\\\#$`{}\r\nü\u{a0}]{0,12}", 1..6),
        style in any::<prop::sample::Index>(),
        end in prop::sample::select(vec!["\n", "\r\n", " \t\n", "\n\n# a 'comment'\n"]),
        start in prop::sample::select(vec!["", "export ", "  ", "\texport\t"]),
    ) {
        let mut file = String::new();
        let mut wanted = Vec::new();
        for (number, value) in values.iter().enumerate() {
            let styles = written(value);
            if !styles.is_empty() {
                let name = format!("KEY_{number}");
                file += &format!("{start}{name}={}{end}", styles[style.index(styles.len())]);
                wanted.push((name, value.clone()));
            }
        }
        if wanted.is_empty() {
            prop_assert_eq!(parse(file.as_bytes()).err(), Some(DotenvError::Empty));
        } else {
            prop_assert_eq!(pairs(&file), wanted);
        }
    }

    #[test]
    fn error_shows_nothing_of_the_file(file in "[hidenA='\"\\\\#$ \r\n\u{a0}]{0,40}") {
        if let Err(why) = parse(file.as_bytes()) {
            let DotenvError::Line(line, fault) = &why else {
                return Ok(());
            };
            prop_assert!(*line <= file.matches('\n').count() + 1);
            let digits = why.to_string().replace(|c: char| c.is_ascii_digit(), "");
            let constant = DotenvError::Line(0, *fault).to_string();
            prop_assert_eq!(digits, constant.replace(|c: char| c.is_ascii_digit(), ""));
        }
    }
}
