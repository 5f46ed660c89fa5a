//! The formats of outputs on CI systems, by the rules of the programs that read them. Must not open or print anything.

use super::variables::{self, EXPORT};

/// A format of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputFormat {
    /// `key=value` lines, for GitHub's output file and for systems without a destination for outputs.
    KeyValue,
    /// GitLab's dotenv report.
    Dotenv,
    /// Bitbucket's file for variables shared between steps.
    Bitbucket,
    /// Shell commands that CircleCI's `bash` reads before each step.
    CircleCi,
    /// Azure Pipelines logging commands, which the agent reads from standard output.
    AzurePipelines,
    /// Service messages, which TeamCity reads from standard output.
    TeamCity,
}

impl OutputFormat {
    /// Formats one output as a line.
    pub(super) fn line(self, name: &str, value: &str) -> String {
        let variable = || variables::name(name);
        match self {
            Self::KeyValue => format!("{name}={value}\n"),
            Self::Dotenv | Self::Bitbucket => format!("{}={value}\n", variable()),
            Self::CircleCi => format!("{EXPORT}{}={}\n", variable(), shell_word(value)),
            Self::AzurePipelines => format!(
                "##vso[task.setvariable variable={name};isOutput=true]{}\n",
                azure_data(value)
            ),
            Self::TeamCity => format!(
                "##teamcity[setParameter name='env.{}' value='{}']\n",
                variable(),
                teamcity_text(value)
            ),
        }
    }

    /// The reason why a later job would not see this value unchanged.
    pub(super) fn rejection(self, value: &str) -> Option<&'static str> {
        let (marks, why): (&[char], _) = match self {
            Self::KeyValue | Self::CircleCi => return None,
            // Bitbucket does not document how it reads the file, so allow only characters that no shell or parser of such files
            // could interpret.
            Self::Bitbucket => {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:,".contains(c);
                let why = "it has a character that Bitbucket could interpret";
                return (!value.chars().all(is_plain)).then_some(why);
            }
            Self::Dotenv => (
                &['$', '%'],
                "it has a `$` or `%`, which GitLab would expand in later jobs",
            ),
            Self::AzurePipelines => (
                &['$'],
                "it has a `$`, which Azure Pipelines could expand in later steps",
            ),
            Self::TeamCity => (
                &['%'],
                "it has a `%`, which TeamCity takes for a reference to a parameter",
            ),
        };
        value.contains(marks).then_some(why)
    }

    /// Where later steps find outputs in this format, with `name` as the example, unless that is obvious.
    pub(super) fn place(self, name: &str) -> Option<String> {
        let variable = variables::name(name);
        Some(match self {
            Self::KeyValue | Self::Dotenv => return None,
            Self::Bitbucket => format!(
                "variables of later steps, such as {variable}, if this step lists them in `output-variables`"
            ),
            Self::CircleCi => {
                format!("variables of later steps of this job, such as {variable}, in $BASH_ENV")
            }
            Self::AzurePipelines => format!("output variables of this step, such as {name}"),
            Self::TeamCity => format!("parameters of this build, such as env.{variable}"),
        })
    }
}

/// Quotes a text as one shell word.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Encodes the data of a logging command. The agent decodes `%AZP25` last (azure-pipelines-agent, `Command.cs`).
fn azure_data(text: &str) -> String {
    replace(
        text,
        &[
            ('%', "%AZP25"),
            ('\r', "%0D"),
            ('\n', "%0A"),
            (';', "%3B"),
            (']', "%5D"),
        ],
    )
}

/// Encodes an attribute of a service message (TeamCity, "Service Messages", "Escaped values").
fn teamcity_text(text: &str) -> String {
    replace(
        text,
        &[
            ('|', "||"),
            ('\'', "|'"),
            ('[', "|["),
            (']', "|]"),
            ('\r', "|r"),
            ('\n', "|n"),
        ],
    )
}

/// The text with each of these characters replaced.
fn replace(text: &str, escapes: &[(char, &str)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    for c in text.chars() {
        match escapes.iter().find(|(escaped, _)| *escaped == c) {
            Some((_, escape)) => replaced.push_str(escape),
            None => replaced.push(c),
        }
    }
    replaced
}

#[cfg(test)]
mod tests;
