//! Files generated from the program's own tables. `UPDATE_DOCS=1 cargo test --test integration
//! docs` writes them; without it, the tests fail if they are out of date.

use std::collections::BTreeSet;
use std::fs;

use sandbox::Sandbox;
use serde_json::Value;
use upsert_secret::commands::COMMANDS;
use upsert_secret::outputs;
use upsert_secret_config::inputs::{self, Input};
use upsert_secret_config::manifest;
use upsert_secret_core::failure::Class;

use crate::common::Cli;
use crate::documentation::repository_root;

const REFERENCE: &str = "docs/reference.md";

/// Compares, or with `UPDATE_DOCS` replaces, the text between the lines that contain `start` and
/// `end`.
fn check_section(file: &str, start: &str, end: &str, expected: &str) {
    let path = repository_root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let mut generated = String::new();
    let (mut inside, mut found) = (false, 0);
    for line in text.lines() {
        if inside && line.contains(end) {
            inside = false;
            generated.push_str(expected);
        }
        if !inside {
            generated.push_str(line);
            generated.push('\n');
        }
        if line.contains(start) {
            inside = true;
            found += 1;
        }
    }
    assert!(found > 0 && !inside, "{file} has no section {start:?}");
    if std::env::var_os("UPDATE_DOCS").is_some() && generated != text {
        fs::write(path, generated).unwrap();
    } else {
        assert!(
            generated == text,
            "{file}: the part {start:?} is not what crates/config/src/inputs.rs says; \
             UPDATE_DOCS=1 cargo test --test integration docs writes it"
        );
    }
}

#[test]
fn manifest_schema_matches_code() {
    let path = repository_root().join("manifest.schema.json");
    let expected = format!("{:#}\n", manifest::schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(path).is_ok_and(|text| text == expected),
        "manifest.schema.json is not what crates/config/src/manifest says; \
         UPDATE_DOCS=1 cargo test --test integration docs writes it"
    );
}

/// Adds the names of all properties in a JSON Schema.
fn add_properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            let properties = map.get("properties").and_then(Value::as_object);
            names.extend(
                properties
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone()),
            );
            map.values().for_each(|value| add_properties(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| add_properties(item, names)),
        _ => {}
    }
}

#[test]
fn manifest_page_names_every_key() {
    let mut keys = BTreeSet::new();
    add_properties(&manifest::schema(), &mut keys);
    let page = fs::read_to_string(repository_root().join("docs/manifest.md")).unwrap();
    // Between backticks, outside of the complete examples.
    for code in page.replace("```", "").split('`').skip(1).step_by(2) {
        for word in code.split(|c: char| !c.is_ascii_alphanumeric() && !"$-".contains(c)) {
            keys.remove(word);
        }
    }
    assert!(keys.is_empty(), "docs/manifest.md does not name {keys:?}");
}

fn escaped_help(input: &Input) -> String {
    input.help.replace('|', "\\|")
}

fn input_table(listed: impl Fn(&Input) -> bool) -> String {
    let mut table = String::from("\n| input | default | meaning |\n|---|---|---|\n");
    for input in inputs::all().iter().filter(|input| listed(input)) {
        let row = format!(
            "| `{}` | {} | {} |\n",
            input.name,
            input.default,
            escaped_help(input)
        );
        table.push_str(&row);
    }
    table.push('\n');
    table
}

#[test]
fn reference_inputs_match_code() {
    let table = input_table(|_| true);
    check_section(REFERENCE, "<!-- inputs:", "<!-- end -->", &table);
}

/// The inputs that the README lists.
const COMMON_INPUTS: &str = "command name value value-env value-file json-key description manifest \
                             aws-region role-to-assume";

#[test]
fn readme_inputs_match_code() {
    let common: Vec<&str> = COMMON_INPUTS.split(' ').collect();
    let table = input_table(|input| common.contains(&input.name));
    let rows = table.matches("\n| `").count();
    assert_eq!(rows, common.len(), "an input was renamed");
    check_section("README.md", "<!-- common inputs:", "<!-- end -->", &table);
}

#[test]
fn action_inputs_match_code() {
    let mut yaml = String::new();
    for input in inputs::all() {
        let default = match input.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        // A JSON string is also a YAML string. It must not contain an expression.
        let text =
            format!("{}{default}", input.help).replace("`${{ secrets.NAME }}`", "a CI secret");
        let text = serde_json::to_string(&text).unwrap();
        yaml.push_str(&format!("  {}:\n    description: {text}\n", input.name));
    }
    check_section(
        "action.yml",
        "# inputs: made from",
        "# end of inputs",
        &yaml,
    );

    let mut yaml = String::new();
    for input in inputs::all() {
        let (name, variable) = (input.name, input.variable());
        yaml.push_str(&format!(
            "        {variable}: ${{{{ inputs.{name} || env.{variable} }}}}\n"
        ));
    }
    check_section(
        "action.yml",
        "# mapping: made from",
        "# end of mapping",
        &yaml,
    );
}

/// Inputs that the component omits: secrets, which must not become part of a pipeline's
/// configuration; inputs that the job sets itself; and those of manifests, which are files that the
/// component's job does not check out, and of `import`, whose result is such a file.
const NOT_IN_COMPONENT: [&str; 12] = [
    "value",
    "version-id-key",
    "output-file",
    "web-identity-token-env",
    "manifest",
    "only",
    "rate",
    "release",
    "report-file",
    "fail-fast",
    "all-or-nothing",
    "include-resource-policies",
];

#[test]
fn component_inputs_match_code() {
    let (mut spec, mut mapping) = (String::new(), String::new());
    for input in inputs::all() {
        let (name, variable) = (input.name, input.variable());
        if NOT_IN_COMPONENT.contains(&name) {
            continue;
        }
        let meaning = match name {
            "role-to-assume" => {
                "ARN of a role to assume with the job's OIDC token, or with `role-chaining: true` with the existing credentials."
            }
            "role-chaining" => {
                "`true`: assume the role with the existing credentials instead of OIDC."
            }
            "audience" => "Audience of the job's OIDC token.",
            "value-env" => {
                "Name of the CI/CD variable that holds the value: `MODEL_API_KEY`, without `$`."
            }
            "value-file" => {
                "Path of the file that holds the value: `$CERTIFICATE` for a CI/CD variable of type file."
            }
            _ => input.help,
        };
        let default = match input.default {
            _ if name == "audience" => String::new(),
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        let text = serde_json::to_string(&format!("{meaning}{default}")).unwrap();
        spec.push_str(&format!("    {name}:\n      description: {text}\n"));
        spec.push_str(match name {
            "name" => "",
            // GitLab rejects a job whose token has no audience.
            "audience" => "      default: sts.amazonaws.com\n",
            // Not `$NAME`, which GitLab would replace with the value.
            "value-env" => "      regex: ^([A-Za-z_][A-Za-z0-9_]*)?$\n      default: \"\"\n",
            // Typed, because GitLab rejects `true` and `900` without quotes where it expects a string. Such an input
            // cannot be empty: the program takes its own default for "not given".
            "allow-public-policy" | "role-chaining" | "fail-on-change" => {
                "      type: boolean\n      default: false\n"
            }
            "role-duration-seconds" => "      type: number\n      default: 900\n",
            _ => "      default: \"\"\n",
        });
        match name {
            // The job's token already has the audience.
            "audience" => {}
            // A variable is a string.
            "allow-public-policy"
            | "role-chaining"
            | "fail-on-change"
            | "role-duration-seconds" => {
                mapping.push_str(&format!("    {variable}: \"$[[ inputs.{name} ]]\"\n"));
            }
            _ => mapping.push_str(&format!("    {variable}: $[[ inputs.{name} ]]\n")),
        }
    }
    const FILE: &str = "templates/upsert-secret.yml";
    check_section(FILE, "# inputs: made from", "# end of inputs", &spec);
    check_section(FILE, "# mapping: made from", "# end of mapping", &mapping);
}

#[test]
fn outputs_match_code() {
    let outputs = outputs::all;
    let mut yaml = String::new();
    let mut table = String::from("\n| output | meaning |\n|---|---|\n");
    for output in outputs() {
        let (name, meaning) = (output.name, output.meaning);
        yaml.push_str(&format!(
            "  {name}:\n    description: {}\n    value: ${{{{ steps.unix.outputs.{name} || steps.windows.outputs.{name} }}}}\n",
            serde_json::to_string(meaning).unwrap()
        ));
        table.push_str(&format!("| `{name}` | {meaning} |\n"));
    }
    table.push('\n');
    check_section(
        "action.yml",
        "# outputs: made from",
        "# end of outputs",
        &yaml,
    );
    check_section(REFERENCE, "<!-- outputs:", "<!-- end -->", &table);
}

#[test]
fn reference_commands_and_exit_codes_match_code() {
    let mut table = String::from("\n| command | |\n|---|---|\n");
    for entry in &COMMANDS {
        table.push_str(&format!(
            "| `{}` | {}<br>`{}` |\n",
            entry.word, entry.meaning, entry.example
        ));
    }
    table.push('\n');
    check_section(REFERENCE, "<!-- commands:", "<!-- end -->", &table);

    let mut table = String::from("\n| exit | class | examples |\n|---|---|---|\n| 0 | done | |\n");
    for class in Class::ALL {
        table.push_str(&format!(
            "| {} | {} | {} |\n",
            class.exit_code(),
            class.name(),
            class.examples()
        ));
    }
    table.push('\n');
    check_section(REFERENCE, "<!-- exit codes:", "<!-- end -->", &table);
}

/// Runs each example in a shell, in order.
#[cfg(unix)]
#[test]
fn command_examples_run() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("prod/key", "older");
        world.put_staged(
            "prod/key",
            "newer",
            "11111111-1111-4111-8111-111111111111",
            &["candidate"],
        );
    });
    for entry in &COMMANDS {
        let cli = Cli::with_empty_env();
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_upsert-secret"))
            .parent()
            .unwrap();
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-euc", entry.example])
            .env_clear()
            .envs(sandbox.env())
            .env("PATH", folder)
            .env("API_KEY", "made-up-value")
            .current_dir(cli.path("."));
        let outcome = shell.output().unwrap();
        let reported = String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.success(), "{}: {reported}", entry.word);
    }
}
