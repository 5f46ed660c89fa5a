//! `${NAME}` in names, descriptions, tags and paths becomes the variable's text, once; `$${` is a `${`
//! that stays. Values are never expanded, and no message shows what a variable holds.

use std::borrow::Cow;

use super::syntax::MAX_BYTES;
use crate::environment::is_variable_name;

/// Replaces variables, up to a limit: a long variable in each of thousands of names would fill all memory.
pub(super) struct Expand<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
    left: usize,
}

impl<'l> Expand<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            left: MAX_BYTES,
        }
    }

    /// The text with its variables replaced.
    pub(super) fn text<'t>(&mut self, text: &'t str) -> Result<Cow<'t, str>, String> {
        if !text.contains("${") {
            return Ok(Cow::Borrowed(text));
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            made.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("$${") {
                made.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("${") {
                let Some((name, after)) = after.split_once('}') else {
                    return Err(
                        "has a `${` without a `}`; where `${` is meant itself, write `$${`"
                            .to_owned(),
                    );
                };
                made.push_str(&self.variable(name)?);
                rest = after;
            } else {
                made.push('$');
                rest = &rest[1..];
            }
        }
        made.push_str(rest);
        Ok(Cow::Owned(made))
    }

    fn variable(&mut self, name: &str) -> Result<String, String> {
        if !is_variable_name(name) {
            return Err(
                "has a `${…}` without the name of a variable in it (`${{ … }}` is for workflows and stays as it is \
                 in a file); where `${` is meant itself, write `$${`"
                    .to_owned(),
            );
        }
        let Some(content) = (self.lookup)(name).filter(|content| !content.is_empty()) else {
            return Err(format!(
                "has `${{{name}}}`, but the variable {name} is empty or not set"
            ));
        };
        self.left = self.left.checked_sub(content.len()).ok_or_else(|| {
            format!("has `${{{name}}}`, and what variables add to the file is more than it may hold itself")
        })?;
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        let lookup = |name: &str| match name {
            "STAGE" => Some("prod".to_owned()),
            "_N1" => Some("${STAGE}".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(MAX_BYTES / 2)),
            _ => None,
        };
        Expand::new(&lookup).text(text).map(Cow::into_owned)
    }

    #[test]
    fn variables_are_replaced_once() {
        let cases = [
            ("${STAGE}/${STAGE}-key", "prod/prod-key"),
            ("a$${STAGE}b", "a${STAGE}b"),
            ("$$${STAGE}", "$${STAGE}"),
            ("$STAGE $ 5$", "$STAGE $ 5$"),
            ("ü${_N1}ü", "ü${STAGE}ü"),
            ("$${", "${"),
        ];
        for (text, wanted) in cases {
            assert_eq!(of(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_told_and_not_shown() {
        for text in ["${", "a${STAGE", "${}", "${made-up}", "${1X}", "${ STAGE }"] {
            let Err(why) = of(text) else {
                panic!("{text} is refused");
            };
            assert!(!why.contains("STAGE") && !why.contains("made-up"), "{why}");
        }
        for name in ["MISSING", "EMPTY"] {
            let wanted = format!("has `${{{name}}}`, but the variable {name} is empty or not set");
            assert_eq!(of(&format!("${{{name}}}")), Err(wanted));
        }
        assert!(of("${LONG}${LONG}").is_ok());
        assert!(of("${LONG}${LONG}${STAGE}").is_err());
    }
}
