//! Inputs that `promote` of a manifest and `rollback` of a release reject.

use std::fs;

use crate::common::{Cli, normalized_stderr};
use crate::manifest::{manifest_of, offline_cli};

fn cli(command: &str) -> Cli {
    offline_cli(&manifest_of(&["prod/a"]))
        .input("aws-region", "eu-west-1")
        .args(&[command])
}

fn undo(release: &str) -> Cli {
    cli("rollback")
        .unset("UPSERT_SECRET_MANIFEST")
        .input("release", release)
}

#[test]
fn rejected_inputs_are_explained() {
    let unset = offline_cli(
        "secrets: { 'prod/${STAGE}/a': { description: '${TEXT}', value: { env: V } } }",
    )
    .input("aws-region", "eu-west-1")
    .args(&["promote"]);
    let unset_folder = unset.path("");
    let file = cli("rollback");
    let path = file.path("report.json");
    fs::write(&path, "made-up-text").unwrap();
    let file = file.input("release", &format!("file:{}", path.display()));
    let manifest_as_report = cli("promote");
    let manifest = manifest_as_report
        .path("secrets.yaml")
        .display()
        .to_string();
    let manifest_as_report = manifest_as_report.input("report-file", &manifest);
    let cases = [
        ("no release", cli("rollback")),
        (
            "a release to promote",
            cli("promote").input("release", "{}"),
        ),
        (
            "a release to store",
            cli("upsert")
                .unset("UPSERT_SECRET_MANIFEST")
                .input("name", "a")
                .input("value", "made-up")
                .input("release", "{}"),
        ),
        (
            "one version",
            cli("promote").input("version-id", "11111111-1111-4111-8111-111111111111"),
        ),
        ("a name", cli("promote").input("name", "a")),
        ("a name to undo", undo("{}").input("name", "a")),
        ("no JSON", undo("made-up-text")),
        ("no JSON in the file", file),
        ("no file", undo("file:no/such/file")),
        (
            "no match",
            undo(r#"{"prod/a":{"result":"unchanged"}}"#).input("only", "stage/*"),
        ),
        (
            "one secret twice",
            undo(
                r#"{"prod/a":{},"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/a-AbCdEf":{"result":"unchanged"}}"#,
            ),
        ),
        ("the manifest", manifest_as_report),
        ("no pattern", undo("{}").input("only", "[")),
        ("no variable", unset),
        (
            "no report",
            undo("{}").input("report-file", "no/such/folder/file"),
        ),
    ];
    let mut page = String::new();
    for (context, cli) in cases {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{context}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("made-up-text"));
        if context == "the manifest" {
            assert!(!fs::read_to_string(&manifest).unwrap().is_empty());
        }
        page.push_str(&format!("{context}: {}\n", normalized_stderr(&outcome)));
    }
    let folder = unset_folder.display().to_string();
    insta::assert_snapshot!(page.replace(&folder, "[folder]").replace(&manifest, "[manifest]"), @r#"
    no release: error: `rollback` with UPSERT_SECRET_MANIFEST requires UPSERT_SECRET_RELEASE: without it, secrets that the release did not change would be rolled back too
      next: give the `results` of the run to undo as UPSERT_SECRET_RELEASE, or `file:` and the path of its report; or name one secret in UPSERT_SECRET_NAME instead of a manifest
      exit: 2 (bad input)
    a release to promote: error: UPSERT_SECRET_RELEASE is for the command `rollback`
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    a release to store: error: UPSERT_SECRET_RELEASE is for the command `rollback`
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    one version: error: UPSERT_SECRET_VERSION_ID applies to one secret; with a manifest, UPSERT_SECRET_STAGE selects the versions
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    a name: error: UPSERT_SECRET_NAME applies to one secret; the manifest names its secrets and the sources of their values
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    a name to undo: error: UPSERT_SECRET_NAME and UPSERT_SECRET_RELEASE are both given: set one of them
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    no JSON: error: UPSERT_SECRET_RELEASE must be a JSON object, the output `results` of a run, or `file:` and the path of its report; Linux limits a variable to 128 KiB, so a long one has to be a file
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    no JSON in the file: error: UPSERT_SECRET_RELEASE must be a JSON object, the output `results` of a run, or `file:` and the path of its report; Linux limits a variable to 128 KiB, so a long one has to be a file
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    no file: error: UPSERT_SECRET_RELEASE names a file that cannot be read: there is no such file
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    no match: error: UPSERT_SECRET_RELEASE has no secret that UPSERT_SECRET_ONLY matches
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    one secret twice: error: UPSERT_SECRET_RELEASE has the secret prod/a twice
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    the manifest: error: the report cannot be written
      why:  [manifest] is another file of this run, and would be overwritten
      next: set UPSERT_SECRET_REPORT_FILE to a file in an existing folder that this user can write to
      exit: 2 (bad input)
    no pattern: error: UPSERT_SECRET_ONLY must be names, in which `*` matches any text, `?` any character and `[a-m]` one of these characters
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    no variable: error: [folder]secrets.yaml:1:12: secrets.prod/${STAGE}/a: has a variable that is not set: define it for this job
      next: fix this in the manifest or in the job; nothing was sent to AWS
      exit: 2 (bad input)
    no report: error: the report cannot be written
      why:  cannot open no/such/folder/file: its folder does not exist
      next: set UPSERT_SECRET_REPORT_FILE to a file in an existing folder that this user can write to
      exit: 2 (bad input)
    "#);
}
