//! IAM policies on documentation pages: each is sufficient, minimal, and what `iam-policy` prints.

use std::fs;

use sandbox::{Policy, Role, Sandbox, Trust};
use serde_json::json;

use crate::common::Cli;
use crate::documentation::repository_root;

#[test]
fn readme_policy_allows_readme_workflow() {
    let policy = json_block_under("README.md", "## Permissions");
    let sandbox = Sandbox::start();
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&policy));
    let run = |value: &str| {
        Cli::new(&sandbox, value)
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

/// The inputs are those of the README's first workflow.
#[test]
fn readme_policy_matches_iam_policy_command() {
    let outcome = Cli::with_empty_env()
        .input("name", "model-deployment/api-key")
        .input("description", "API key for AI model deployment workflow")
        .input("aws-region", "us-east-1")
        .input(
            "role-to-assume",
            "arn:aws:iam::111122223333:role/store-api-key",
        )
        .args(&["iam-policy"])
        .run();
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let shown: serde_json::Value =
        serde_json::from_str(&json_block_under("README.md", "## Permissions")).unwrap();
    assert_eq!(shown, printed["policy"]);
}

#[test]
fn policy_by_tags_allows_only_its_team() {
    let policy = json_block_under("docs/permissions.md", "## Access by tags");
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("foreign", "made-up-foreign"));
    let tag = |team: &str| {
        let input = json!({"SecretId": "foreign", "Tags": [{"Key": "team", "Value": team}]});
        let client = sandbox::client::Client::new(&sandbox.url());
        client.call("TagResource", &input).unwrap().status
    };
    // The policy names us-east-1; the client of the other team's secret is in the sandbox's region.
    let policy = policy.replace("us-east-1", "*");
    assert_eq!(tag("web"), 200);
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&policy));
    let run = |name: &str, inputs: &[(&str, &str)]| {
        let mut cli = Cli::new(&sandbox, "made-up").input("name", name);
        for (name, value) in inputs {
            cli = cli.input(name, value);
        }
        cli.run()
    };
    for (name, input) in [
        ("a", ("json-key", "k")),
        ("b", ("version-stages", "blue")),
        ("c", ("description", "d")),
    ] {
        run(name, &[input, ("tags", "team=ml")]).expect(0, "created");
        let renamed = [input, ("tags", "team=ml\nnew=x"), ("tag-policy", "replace")];
        run(name, &renamed).expect(0, "updated");
        run(name, &renamed).expect(0, "unchanged");
    }
    run("d", &[("tags", "team=web")]).expect(4, "");
    run("d", &[]).expect(4, "");
    run("foreign", &[("tags", "team=ml")]).expect(4, "");
    assert_eq!(tag("ml"), 400, "others' secrets cannot be taken over");
}

/// The printed policy differs only in the name of the identity provider.
#[test]
fn gitlab_trust_policy_matches_iam_policy() {
    let page = fs::read_to_string(repository_root().join("docs/permissions.md")).unwrap();
    let block = page.split("```json\n").nth(2).unwrap();
    let shown: serde_json::Value =
        serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let sandbox = Sandbox::start();
    let subject = "project_path:acme/models:ref_type:branch:ref:main";
    let outcome = Cli::with_empty_env()
        .input("name", "made-up")
        .input("aws-region", "us-east-1")
        .input("role-to-assume", "arn:aws:iam::111122223333:role/made-up")
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env(
            "AWS_ID_TOKEN",
            &sandbox.gitlab_token(subject, "sts.amazonaws.com"),
        )
        .args(&["iam-policy"])
        .run();
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let (shown, printed) = (&shown["Statement"][0], &printed["trust"]["Statement"][0]);
    let provider = |statement: &serde_json::Value| {
        let federated = statement["Principal"]["Federated"].as_str().unwrap();
        federated.split_once('/').unwrap().1.to_owned()
    };
    let printed = printed
        .to_string()
        .replace(&provider(printed), &provider(shown));
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    for part in ["Effect", "Principal", "Action", "Condition"] {
        assert_eq!(shown[part], printed[part]);
    }
}

/// The first JSON block under a heading of a page.
fn json_block_under(page: &str, heading: &str) -> String {
    let text = fs::read_to_string(repository_root().join(page)).unwrap();
    let (_, section) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, block) = section.split_once("```json\n").unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// Jobs of other environments, branches and pull requests cannot assume the role.
#[test]
fn github_trust_policy_allows_one_environment() {
    let policy = json_block_under("docs/permissions.md", "## Assume a role with OIDC");
    let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
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
        let mut cli = Cli::new(&sandbox, "made-up")
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_SECRET_ACCESS_KEY")
            .github()
            .input("role-to-assume", role);
        for (name, value) in sandbox.github_oidc(subject) {
            cli = cli.env(&name, &value);
        }
        cli.run().code
    };
    assert_eq!(run(condition("sub")), Some(0));
    assert_eq!(run("repo:acme/models:pull_request"), Some(3));
    assert_eq!(run("repo:acme/models:ref:refs/heads/main"), Some(3));
}
