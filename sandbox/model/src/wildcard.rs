//! Wildcard matching as IAM does it.

/// Whether `text` matches `pattern`: `*` matches any run of characters, `?` matches one.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_runs_and_characters() {
        assert!(matches(
            "arn:*:secret:app-??????",
            "arn:aws:x:secret:app-a1B2c3"
        ));
        assert!(!matches("arn:*:secret:app-??????", "arn:aws:x:secret:app"));
        assert!(!matches(
            "arn:*:secret:app-??????",
            "arn:aws:x:secret:app-two-a1B2c3"
        ));
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "axxbyybzc"));
        assert!(!matches("a*b", "axxbc"));
    }
}
