//! Documents that repeat the table of inputs are made from it: `UPDATE_DOCS=1 cargo test --test
//! integration docs` writes them, and without it this fails where they differ.

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{Policy, Role, Sandbox, Trust};
use upsert_secret::inputs::{self, Input};

use crate::common::Tool;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Replaces what stands between the lines that contain `start` and `end`.
fn section(file: &str, start: &str, end: &str, wanted: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let mut made = String::new();
    let (mut inside, mut found) = (false, 0);
    for line in text.lines() {
        if inside && line.contains(end) {
            inside = false;
            made.push_str(wanted);
        }
        if !inside {
            made.push_str(line);
            made.push('\n');
        }
        if line.contains(start) {
            inside = true;
            found += 1;
        }
    }
    assert!(found > 0 && !inside, "{file} has no section {start:?}");
    if std::env::var_os("UPDATE_DOCS").is_some() && made != text {
        fs::write(path, made).unwrap();
    } else {
        assert!(
            made == text,
            "{file}: the part {start:?} is not what src/inputs.rs says; \
             UPDATE_DOCS=1 cargo test --test integration docs writes it"
        );
    }
}

#[test]
fn the_manifests_schema() {
    let path = root().join("manifest.schema.json");
    let wanted = format!("{:#}\n", upsert_secret::manifest::schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(path).is_ok_and(|text| text == wanted),
        "manifest.schema.json is not what src/manifest says; \
         UPDATE_DOCS=1 cargo test --test integration docs writes it"
    );
}

fn meaning(input: &Input) -> String {
    input.help.replace('|', "\\|")
}

#[test]
fn the_readmes_table_of_inputs() {
    let mut table = String::from("\n| input | default | meaning |\n|---|---|---|\n");
    for input in inputs::all() {
        let row = format!(
            "| `{}` | {} | {} |\n",
            input.name,
            input.default,
            meaning(&input)
        );
        table.push_str(&row);
    }
    table.push('\n');
    section("README.md", "<!-- inputs:", "<!-- end -->", &table);
}

#[test]
fn the_actions_inputs_and_their_mapping() {
    let mut yaml = String::new();
    for input in inputs::all() {
        let default = match input.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        // A string of JSON is a string of YAML, whatever it contains. No expression may stand in it.
        let text =
            format!("{}{default}", input.help).replace("`${{ secrets.NAME }}`", "a CI secret");
        let text = serde_json::to_string(&text).unwrap();
        yaml.push_str(&format!("  {}:\n    description: {text}\n", input.name));
    }
    section(
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
    section(
        "action.yml",
        "# mapping: made from",
        "# end of mapping",
        &yaml,
    );
}

/// What the component does not take: secrets, which must not become part of a pipeline's configuration;
/// what the job itself settles, where the report goes and which variable holds the token; and manifests, which
/// are files of the project that the component's job does not fetch.
const NOT_IN_COMPONENT: [&str; 9] = [
    "value",
    "version-id-key",
    "output-file",
    "web-identity-token-env",
    "manifest",
    "only",
    "rate",
    "fail-fast",
    "all-or-nothing",
];

#[test]
fn the_components_inputs_and_their_mapping() {
    let (mut spec, mut mapping) = (String::new(), String::new());
    for input in inputs::all() {
        let (name, variable) = (input.name, input.variable());
        if NOT_IN_COMPONENT.contains(&name) {
            continue;
        }
        let meaning = match name {
            "role-to-assume" => {
                "ARN of a role to assume with the job's OIDC token; with `role-chaining: true` with the credentials that are there."
            }
            "role-chaining" => {
                "`true`: assume the role with the credentials that are there rather than by OIDC."
            }
            "audience" => "Audience of the job's OIDC token.",
            "value-env" => {
                "The name of the CI/CD variable that holds the value: `MODEL_API_KEY`, without `$`."
            }
            "value-file" => {
                "The path of a file that holds the value: `$CERTIFICATE` for a CI/CD variable of type file."
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
            // GitLab refuses a job whose token has no audience.
            "audience" => "      default: sts.amazonaws.com\n",
            // Not `$NAME`: GitLab would put the value there.
            "value-env" => "      regex: ^([A-Za-z_][A-Za-z0-9_]*)?$\n      default: \"\"\n",
            _ => "      default: \"\"\n",
        });
        // The audience is in the token already.
        if name != "audience" {
            mapping.push_str(&format!("    {variable}: $[[ inputs.{name} ]]\n"));
        }
    }
    const FILE: &str = "templates/upsert-secret.yml";
    section(FILE, "# inputs: made from", "# end of inputs", &spec);
    section(FILE, "# mapping: made from", "# end of mapping", &mapping);
}

#[test]
fn the_readmes_outputs_are_the_actions() {
    let action: serde_yaml::Value =
        serde_yaml::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let outputs: Vec<_> = action["outputs"]
        .as_mapping()
        .unwrap()
        .keys()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.split("## Outputs").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let documented: Vec<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(documented, outputs);
}

#[test]
fn the_readmes_policy_is_enough_for_the_readmes_workflow() {
    let policy = json_under("## Permissions");
    let sandbox = Sandbox::start();
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&policy));
    let run = |value: &str| {
        Tool::new(&sandbox, value)
            .input("name", "model-deployment/api-key")
            .input("aws-region", "us-east-1")
            .input("description", "API key for AI model deployment workflow")
            .run()
    };
    run("made-up-1").expect(0, "created");
    let again = run("made-up-1");
    again.expect(0, "unchanged");
    assert!(!again.stderr.contains("denied"), "{}", again.stderr);
    run("made-up-2").expect(0, "updated");
}

/// What `iam-policy` prints for the workflow at the top of the README.
#[test]
fn the_readmes_policy_is_the_one_that_is_printed() {
    let done = Tool::bare()
        .input("name", "model-deployment/api-key")
        .input("description", "API key for AI model deployment workflow")
        .input("aws-region", "us-east-1")
        .input(
            "role-to-assume",
            "arn:aws:iam::111122223333:role/store-api-key",
        )
        .arguments(&["iam-policy"])
        .run();
    let printed: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&json_under("## Permissions")).unwrap();
    assert_eq!(shown, printed["policy"]);
}

/// Every manifest that a page shows is one: a policy can be printed for it, without values and without a network.
#[test]
fn the_manifests_of_all_pages_are_good_ones() {
    let mut pages = vec![root().join("README.md")];
    pages.extend(
        fs::read_dir(root().join("docs"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    let mut shown = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for part in text.split("<!-- example: ").skip(1) {
            let (name, rest) = part.split_once(" -->").unwrap();
            if !name.ends_with(".yaml") {
                continue;
            }
            let (_, block) = rest.split_once("```yaml\n").unwrap();
            let tool = Tool::bare()
                .env("AWS_REGION", "us-east-1")
                .arguments(&["iam-policy"]);
            let path = tool.path(name);
            fs::write(&path, block.split("```").next().unwrap()).unwrap();
            let done = tool.input("manifest", &path.display().to_string()).run();
            assert_eq!(
                done.code,
                Some(0),
                "{}: {name}: {}",
                page.display(),
                done.stderr
            );
            shown += 1;
        }
    }
    assert!(shown >= 2, "{shown}");
}

/// Links between pages lead somewhere.
#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| root().join(name))
        .to_vec();
    pages.extend(
        fs::read_dir(root().join("docs"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            let words = |line: &str| {
                line.trim_start_matches('#')
                    .trim()
                    .to_lowercase()
                    .replace(' ', "-")
            };
            let there = heading.is_empty()
                || fs::read_to_string(&target)
                    .unwrap()
                    .lines()
                    .any(|line| line.starts_with('#') && words(line) == heading);
            assert!(there, "{}: {link}", page.display());
        }
    }
}

/// The first block of JSON of one section of the README.
fn json_under(heading: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, block) = section.split_once("```json\n").unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The trust policy lets in the job that it names, and no other.
#[test]
fn the_readmes_trust_policy_is_for_one_branch() {
    let policy: serde_json::Value = serde_json::from_str(&json_under("## Credentials")).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Action"], "sts:AssumeRoleWithWebIdentity");
    let provider = statement["Principal"]["Federated"].as_str().unwrap();
    let (_, provider) = provider.split_once("oidc-provider/").unwrap();
    let conditions = statement["Condition"]["StringEquals"].as_object().unwrap();
    let condition = |key: &str| conditions[&format!("{provider}:{key}")].as_str().unwrap();
    assert_eq!(conditions.len(), 2);

    let role = "arn:aws:iam::111122223333:role/made-up";
    let sandbox = Sandbox::start();
    let trust = Trust::web_identity(provider)
        .audience(condition("aud"))
        .subject(condition("sub"));
    sandbox.add_role(Role::new(role).trust(trust));
    let run = |subject: &str| {
        let mut tool = Tool::new(&sandbox, "made-up")
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_SECRET_ACCESS_KEY")
            .github()
            .input("role-to-assume", role);
        for (name, value) in sandbox.github_oidc(subject) {
            tool = tool.env(&name, &value);
        }
        tool.run().code
    };
    assert_eq!(run(condition("sub")), Some(0));
    assert_eq!(run("repo:acme/models:pull_request"), Some(3));
}
