//! Expands `${NAME}` to the variable's text, once; `$${` represents `${`. Must not be applied to values, or show the content of
//! a variable in a message.

use super::syntax::MAX_BYTES;
use crate::environment::{is_conventional_name, is_variable_name};

/// Expands variables, up to a total size: a long variable in each of thousands of names would exhaust memory.
pub(super) struct Expander<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
    remaining: usize,
}

impl<'l> Expander<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            remaining: MAX_BYTES,
        }
    }

    /// The text with its variables expanded, or the reason they cannot be.
    pub(super) fn expand(&mut self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str("${");
                rest = after;
                continue;
            }
            let (name, after) = after
                .split_once('}')
                .ok_or("has a `${` without a `}`; for a literal `${`, write `$${`")?;
            expanded.push_str(before);
            expanded.push_str(&self.variable(name)?);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn variable(&mut self, name: &str) -> Result<String, String> {
        if !is_variable_name(name) {
            return Err(
                "has a `${…}` without the name of a variable (`${{ … }}` is workflow syntax, which is not \
                 replaced in a file); for a literal `${`, write `$${`"
                    .to_owned(),
            );
        }
        let found = (self.lookup)(name);
        let is_shown = found.is_some() || is_conventional_name(name);
        let Some(content) = found.filter(|content| !content.is_empty()) else {
            return Err(if is_shown {
                format!("has `${{{name}}}`, but the variable {name} is empty or not set")
            } else {
                "has a `${…}` with the name of a variable that is not set; the name is not shown, because it may be a secret"
                    .to_owned()
            });
        };
        self.remaining = self.remaining.checked_sub(content.len()).ok_or_else(|| {
            format!("has `${{{name}}}`, and variables add more text than a manifest may have")
        })?;
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String, String> {
        let lookup = |name: &str| match name {
            "STAGE" => Some("prod".to_owned()),
            "_N1" => Some("${STAGE}".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(MAX_BYTES / 2)),
            _ => None,
        };
        Expander::new(&lookup).expand(text)
    }

    #[test]
    fn variables_are_expanded_once() {
        let cases = [
            ("${STAGE}/${STAGE}-key", "prod/prod-key"),
            ("a$${STAGE}b", "a${STAGE}b"),
            ("$$${STAGE}", "$${STAGE}"),
            ("$STAGE $ 5$", "$STAGE $ 5$"),
            ("ü${_N1}ü", "ü${STAGE}ü"),
            ("$${", "${"),
        ];
        for (text, wanted) in cases {
            assert_eq!(expand(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn invalid_variables_are_rejected_unquoted() {
        for text in ["${", "a${STAGE", "${}", "${made-up}", "${1X}", "${ STAGE }"] {
            let Err(why) = expand(text) else {
                panic!("{text} is rejected");
            };
            assert!(!why.contains("STAGE") && !why.contains("made-up"), "{why}");
        }
        for name in ["MISSING", "EMPTY"] {
            let wanted = format!("has `${{{name}}}`, but the variable {name} is empty or not set");
            assert_eq!(expand(&format!("${{{name}}}")), Err(wanted));
        }
        assert!(expand("${LONG}${LONG}").is_ok());
        assert!(expand("${LONG}${LONG}${STAGE}").is_err());
    }
}
