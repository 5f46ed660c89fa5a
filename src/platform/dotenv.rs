//! GitLab's dotenv report, by the rules of its parser (`parse_dotenv_artifact_service.rb`). They are stricter than those of
//! other dotenv formats: no quotes, no comments, no empty lines, and one invalid line makes GitLab drop the whole report. Must
//! not open files.

use std::collections::BTreeSet;

/// The size limit of a report, exclusive, unless an administrator has raised it.
const MAX_BYTES: usize = 5 * 1024;
/// GitLab's default limit; on GitLab.com it is higher.
const MAX_VARIABLES: usize = 20;
/// The maximum length of a variable name.
const MAX_NAME: usize = 255;

/// The reason why GitLab would reject this report. Identifies lines by number, never by content.
pub(super) fn rejection(file: &[u8]) -> Option<String> {
    if file.len() >= MAX_BYTES {
        return Some(format!(
            "it has {MAX_BYTES} bytes or more, the limit unless an administrator has raised it"
        ));
    }
    let Ok(text) = str::from_utf8(file) else {
        return Some("it is not UTF-8".to_owned());
    };
    let mut names = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line.split_once('=').map(|(name, _)| name.trim()) {
            None if line.trim().is_empty() => return Some(format!("line {number} is empty")),
            None => return Some(format!("line {number} is not `NAME=value`")),
            Some(name) if !is_name(name) => {
                return Some(format!(
                    "the name in line {number} has other characters than letters, digits and `_`"
                ));
            }
            Some(name) => names.insert(name),
        };
    }
    (names.len() > MAX_VARIABLES).then(|| {
        format!(
            "it sets {} variables, and {MAX_VARIABLES} is the default limit of GitLab (GitLab.com has a higher one)",
            names.len()
        )
    })
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_is_rejected_as_by_gitlab() {
        let many = |count| {
            let line = |number| format!("A_{number}=x\n");
            (0..count).map(line).collect::<String>()
        };
        // From GitLab's own tests of its parser.
        let fine = [
            "",
            "A=1",
            "A=1\nB=2\n",
            "A=1\r\nB=2\r\n",
            "A =1",
            "A=",
            "A=\"quoted\" # no comment",
            "A=\u{1f6f9}",
            "A=1\nA=2",
            &many(20),
            &format!("A={}", "x".repeat(5_117)),
        ];
        for file in fine {
            assert_eq!(rejection(file.as_bytes()), None, "{file:?}");
        }
        let refused = [
            ("A=1\n\nB=2\n", "line 2 is empty"),
            ("A=1\n \t\n", "line 2 is empty"),
            ("\n", "line 1 is empty"),
            ("A=1\n# comment", "line 2 is not `NAME=value`"),
            ("{ 'A': '1' }", "line 1 is not `NAME=value`"),
            ("# A=1", "the name in line 1 has"),
            ("export A=1", "the name in line 1 has"),
            ("A-B=1", "the name in line 1 has"),
            ("\u{1f6f9}=1", "the name in line 1 has"),
            ("=1", "the name in line 1 has"),
            (&format!("A={}", "x".repeat(5_118)), "it has 5120 bytes"),
            (&many(21), "it sets 21 variables"),
        ];
        for (file, why) in refused {
            assert!(
                rejection(file.as_bytes()).is_some_and(|text| text.starts_with(why)),
                "{file:?}: {:?}",
                rejection(file.as_bytes())
            );
        }
        assert!(rejection(b"A=\xff").is_some());
    }
}
