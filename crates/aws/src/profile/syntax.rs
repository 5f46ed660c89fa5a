//! Checks the syntax of the shared configuration files, as far as the SDK does, and locates mistakes by line. The SDK's own
//! error would have to be parsed as text. Must not quote a line, because it may contain a key.

const WHITE_SPACE: [char; 2] = [' ', '\t'];
const COMMENT: [char; 2] = ['#', ';'];

/// The number of the first line that the SDK rejects, and its fault.
pub(super) fn first_mistake(text: &str) -> Option<(usize, &'static str)> {
    let mut place = Place::Start;
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let why = place.advance(line).err()?;
        Some((number, why))
    })
}

/// The construct that the previous lines started.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Section,
    Setting {
        /// The value is empty, as in `s3 =`, so its indented lines are settings as well.
        has_settings: bool,
    },
}

impl Place {
    fn advance(&mut self, line: &str) -> Result<(), &'static str> {
        if line.trim_matches(WHITE_SPACE).is_empty() || line.starts_with(COMMENT) {
            return Ok(());
        }
        if line.starts_with('[') {
            let heading = line.split(COMMENT).next().unwrap_or_default();
            *self = Self::Section;
            return if heading.trim_matches(WHITE_SPACE).ends_with(']') {
                Ok(())
            } else {
                Err("begins with `[`, but has no `]` at its end")
            };
        }
        let is_indented = line.starts_with(WHITE_SPACE);
        match *self {
            Self::Start => Err("comes before the first line in brackets, such as `[default]`"),
            Self::Section if is_indented => {
                Err("is indented, but there is no setting before it that it could belong to")
            }
            Self::Setting { has_settings } if is_indented => {
                if has_settings {
                    setting_value(line)?;
                }
                Ok(())
            }
            Self::Section | Self::Setting { .. } => {
                let has_settings = setting_value(line)?.is_empty();
                *self = Self::Setting { has_settings };
                Ok(())
            }
        }
    }
}

/// The value in `name = value`.
fn setting_value(line: &str) -> Result<&str, &'static str> {
    let (name, value) = without_comment(line)
        .split_once('=')
        .ok_or("has no `=`, as a setting needs it")?;
    if name.trim_matches(WHITE_SPACE).is_empty() {
        return Err("has no name before the `=`");
    }
    Ok(value.trim_matches(WHITE_SPACE))
}

/// The line without its comment. A comment starts after white space, because values contain `#` and `;`.
fn without_comment(line: &str) -> &str {
    let line = line.trim_matches(WHITE_SPACE);
    let mut after_space = false;
    let comment = line.find(|c: char| {
        let begins = after_space && COMMENT.contains(&c);
        after_space = c.is_whitespace();
        begins
    });
    &line[..comment.unwrap_or(line.len())]
}

#[cfg(test)]
mod tests {
    use aws_config::profile::load;
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
    use aws_types::os_shim_internal::{Env, Fs};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mistake_is_found_with_its_line() {
        for (text, expected) in [
            ("", None),
            (
                "# a comment\n; another\n \t\n[default] ; the usual one\nregion = eu-west-1\r\n",
                None,
            ),
            (
                "[default]\ns3 =\n  max = 1\n\n  addressing = path # x\n",
                None,
            ),
            ("[default]\nregion =eu-west-1\n  of any kind\n", None),
            ("[default]\nkey=a#b;c\n", None),
            ("region = eu-west-1\n[default]\n", Some((1, "comes before"))),
            ("\n  region = eu-west-1\n", Some((2, "comes before"))),
            (
                "[default\nregion = eu-west-1\n",
                Some((1, "begins with `[`")),
            ),
            ("[default ; x]\n", Some((1, "begins with `[`"))),
            (
                "[default]\n  region = eu-west-1\n",
                Some((2, "is indented")),
            ),
            (
                "[default]\nregion = eu-west-1\nmade-up-key\n",
                Some((3, "has no `=`")),
            ),
            ("[default]\nregion # = eu-west-1\n", Some((2, "has no `=`"))),
            ("[default]\n = eu-west-1\n", Some((2, "is indented"))),
            ("[default]\n= eu-west-1\n", Some((2, "has no name"))),
            ("[default]\ns3 =\n  made-up-key\n", Some((3, "has no `=`"))),
        ] {
            let found = first_mistake(text);
            let begins = |(line, why): (usize, &str)| {
                expected.is_some_and(|(number, begins)| number == line && why.starts_with(begins))
            };
            assert_eq!(found.is_none(), expected.is_none(), "{text:?}: {found:?}");
            assert!(found.is_none_or(begins), "{text:?}: {found:?}");
        }
    }

    proptest! {
        /// A mistake found only by the SDK would be reported without a line; one found only by this module would reject a valid
        /// file.
        #[test]
        fn sdk_rejects_the_same_files(lines in proptest::collection::vec("[\\[\\]a= \t#;é]{0,6}", 0..6)) {
            let text = lines.join("\n");
            let files = EnvConfigFiles::builder()
                .with_contents(EnvConfigFileKind::Config, text.as_str())
                .build();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let parsed = runtime.block_on(load(&Fs::real(), &Env::real(), &files, None));
            prop_assert_eq!(first_mistake(&text).is_some(), parsed.is_err(), "{:?}", text);
        }
    }
}
