//! Runs with a manifest, using a file and variables.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::rate::Rate;
use upsert_secret_core::request::Job;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use super::{Draft, Unresolved};
use crate::resolve::{ResolvedValue, SecretSink};
use crate::run::Run;
use crate::run::tests::check_into;

mod documents;

const IGNORE: SecretSink<'static> = SecretSink {
    hide: &|_| {},
    mask: &|_| {},
};

/// A directory with a manifest and a file `value`.
fn folder(manifest: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("value"), "from the file").unwrap();
    let path = folder.path().join("secrets.yml");
    fs::write(&path, manifest).unwrap();
    (folder, path)
}

fn run_file(path: &Path, pairs: &[(&str, &str)]) -> Result<Run, Failure> {
    run_file_into(path, pairs, &IGNORE)
}

fn run_file_into(
    path: &Path,
    pairs: &[(&str, &str)],
    sink: &SecretSink<'_>,
) -> Result<Run, Failure> {
    let folder = path.parent().and_then(Path::to_str).unwrap();
    let path = path.to_str().unwrap();
    let own = [
        ("MANIFEST", path),
        ("AWS_REGION", "eu-west-1"),
        ("$FOLDER", folder),
        ("$A", "value-of-variable-a"),
    ];
    check_into(&[&own, pairs].concat(), sink)
}

fn run(manifest: &str, pairs: &[(&str, &str)]) -> Run {
    let (_folder, path) = folder(manifest);
    run_file(&path, pairs).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The headline of a rejected manifest, without the directory.
fn rejected(manifest: &str, pairs: &[(&str, &str)]) -> String {
    let (folder, path) = folder(manifest);
    let Err(failure) = run_file(&path, pairs) else {
        panic!("is accepted:\n{manifest}");
    };
    let folder = format!("{}/", folder.path().display());
    failure.what.replace(&folder, "")
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn problems_of_all_entries_in_file_order() {
    let manifest = "
defaults: { version-stages: [blue] }
secrets:
  b: { value: { env: MISSING }, tags: { 'aws:x': y } }
  a: { value: { file: '${FOLDER}/missing' } }
  folder: { value: { file: '${FOLDER}' } }
  arn:aws:secretsmanager:eu-west-2:111122223333:secret:c-AbCdEf: { value: { env: A } }
  c: { value: { env: A } }
  d: { value: { env: A }, value-encoding: base64 }
  e: { json: { x: { env: A }, y: { env: A, json-value-as: json }, z: { env: MISSING } } }
  f: { value: { generate: { length: 8 } }, expected-version-id: made-up }
  g: { json: { x: { env: A } }, merge: true, compare: never }
  h: { value: { secret: { id: a b, region: EU } } }
  i: { value: { secret: { id: 'arn:aws:secretsmanager:eu-west-2:111122223333:secret:c-AbCdEf' } } }
  j: { value: { secret: { id: x, role: deploy } } }
  k: { json: { x: { env: A } }, description: value-of-variable-a }
  l: { value: { env: A }, unknown: 1 }
";
    insta::assert_snapshot!(rejected(manifest, &[("ALL_OR_NOTHING", "true")]), @"
    secrets.yml:2:29: defaults.version-stages: must include AWSCURRENT if the value is generated, because `generate` is for secrets without a value
    secrets.yml:2:29: defaults.version-stages: must include AWSCURRENT with `all-or-nothing`
    secrets.yml:4:15: secrets.b.value: comes from the variable MISSING, which is not set: define it for this job
    secrets.yml:4:39: secrets.b.tags: has a key that begins with `aws:`, which is reserved for AWS
    secrets.yml:5:15: secrets.a.value: comes from a file that cannot be read: there is no such file
    secrets.yml:6:20: secrets.folder.value: comes from something that is not a regular file
    secrets.yml:7:3: secrets.arn:aws:secretsmanager:eu-west-2:111122223333:secret:c-AbCdEf: is an ARN of eu-west-2, but this run is for eu-west-1
    secrets.yml:9:15: secrets.d.value: is not valid base64, but `value-encoding` is `base64`
    secrets.yml:10:14: secrets.e.json: has a key y whose value is not JSON, which `json-value-as: json` requires; it is not shown here
    secrets.yml:10:70: secrets.e.json.*: comes from the variable MISSING, which is not set: define it for this job
    secrets.yml:11:65: secrets.f.expected-version-id: must be a version ID: 32 to 64 letters, digits and hyphens
    secrets.yml:11:65: secrets.f.expected-version-id: requires an existing version, but `generate` is for secrets without a value
    secrets.yml:12:40: secrets.g.merge: cannot be set in a staged version: promoting it later would revert changes that other writers made to other keys; omit `version-stages`, or stage the whole document
    secrets.yml:12:40: secrets.g.merge: cannot be used with `compare: never`: the other keys must be read to be kept
    secrets.yml:13:15: secrets.h.value: must name a region, such as `eu-west-1`
    secrets.yml:13:15: secrets.h.value: names a secret whose name must have 1 to 512 characters, only letters, digits and `/_+=.@-`
    secrets.yml:14:15: secrets.i.value: names an ARN in eu-west-2, but is read in eu-west-1: set `region`
    secrets.yml:15:15: secrets.j.value: must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`
    secrets.yml:16:46: secrets.k.description: contains the value or a part of it, and can be read without access to the value; if both match by coincidence, set `on-value-in-metadata: allow`
    secrets.yml:17:27: secrets.l: has a key that it cannot have
    ");
}

/// A value shared by any number of entries is read once, and exists once in memory.
#[test]
fn shared_value_is_read_once() {
    let manifest = "
secrets:
  a: { value: { env: A } }
  b: { value: { env: A } }
  c: { json: { x: { env: A }, y: { env: A }, z: { file: '${FOLDER}/value' } } }
  d: { value: { file: '${FOLDER}/value' } }
";
    let (_folder, path) = folder(manifest);
    let hidden = RefCell::new(Vec::new());
    let sink = SecretSink {
        hide: &|secret| hidden.borrow_mut().push(secret.to_vec()),
        mask: &|_| {},
    };
    let run = run_file_into(&path, &[], &sink).unwrap_or_else(|failure| panic!("{failure}"));
    let wanted: [&[u8]; 2] = [b"value-of-variable-a", b"from the file"];
    assert_eq!(*hidden.borrow(), wanted);
    let [
        Draft::Ready(Job::Upsert(a)),
        Draft::Ready(Job::Upsert(b)),
        ..,
    ] = &run.drafts[..]
    else {
        panic!("no value is missing");
    };
    assert_eq!(a.value.expose().as_ptr(), b.value.expose().as_ptr());
}

#[test]
fn many_names_and_few_patterns_select() {
    let manifest = "secrets: { a1: { value: { env: A } }, b2: { value: { env: A } } }";
    let list = |pattern: &str, count: usize| {
        let items = (0..count).map(|number| format!("x{number}{pattern}"));
        items.collect::<Vec<_>>().join(",")
    };
    let selected = run(manifest, &[("ONLY", &(list("", 5_000) + ",b2"))]);
    assert_eq!(selected.drafts.len(), 1);
    let selected = run(manifest, &[("ONLY", &(list("*", 999) + ",a[1]"))]);
    assert_eq!(selected.drafts.len(), 1);
    let why = rejected(manifest, &[("ONLY", &list("*", 1_001))]);
    assert!(why.contains("more than 1000 patterns"), "{why}");
}

#[test]
fn each_reason_against_labels_is_given_once() {
    let labels =
        "AWSPENDING ".repeat(1_000) + &(0..1_000).map(|n| format!("l{n} ")).collect::<String>();
    let manifest = "secrets: { a: { value: { env: A }, version-stages: 'LABELS' } }";
    let why = rejected(&manifest.replace("LABELS", &labels), &[]);
    assert_eq!(why.lines().count(), 2, "{why}");
}

#[test]
fn value_from_secret_of_same_run_rejected() {
    let manifest = "
secrets:
  a: { value: { secret: { id: b } } }
  b: { value: { env: A } }
  c: { value: { secret: { id: b, region: eu-west-2 } } }
";
    let wanted = "secrets.yml:3:15: secrets.a.value: comes from b, which this manifest writes: give both the same source";
    assert_eq!(rejected(manifest, &[]), wanted);
}

#[test]
fn secret_variable_in_public_text_rejected() {
    let manifest = "
secrets:
  ${A}: { value: { env: A } }
  'x/${COPY}': { value: { env: A } }
  '${GITHUB_TOKEN}': { value: { env: A } }
  'y/${CI_DEPLOY_PASSWORD}/${GH_ENTERPRISE_TOKEN}': { value: { env: A } }
  'z/${REPOSITORY}': { value: { env: A } }
";
    let pairs = [
        ("$COPY", "value-of-variable-a"),
        ("$GITHUB_TOKEN", "made-up"),
        ("$CI_DEPLOY_PASSWORD", "made-up"),
        ("$GH_ENTERPRISE_TOKEN", "made-up"),
        ("$CI_JOB_TOKEN", "made-up-token-of-a-job"),
        (
            "$REPOSITORY",
            "https://ci:made-up-token-of-a-job@made-up.example",
        ),
        ("ONLY", "none-of-them"),
    ];
    insta::assert_snapshot!(rejected(manifest, &pairs), @"
    secrets.yml: the variable A is the value of a secret, and `${A}` would expose it to anyone who can list secrets
    secrets.yml: the variable CI_DEPLOY_PASSWORD holds a secret, and `${CI_DEPLOY_PASSWORD}` would expose it to anyone who can list secrets
    secrets.yml: the variable COPY holds a secret, and `${COPY}` would expose it to anyone who can list secrets
    secrets.yml: the variable GH_ENTERPRISE_TOKEN holds a secret, and `${GH_ENTERPRISE_TOKEN}` would expose it to anyone who can list secrets
    secrets.yml: the variable GITHUB_TOKEN holds a secret, and `${GITHUB_TOKEN}` would expose it to anyone who can list secrets
    secrets.yml: the variable REPOSITORY holds a secret, and `${REPOSITORY}` would expose it to anyone who can list secrets
    UPSERT_SECRET_ONLY matches no secret in the manifest
    ");
}

#[test]
fn key_in_place_of_variable_name_is_not_repeated() {
    for key in [
        "sk_live_made_up_0123456789",
        "sk_live_correcthorsebattery",
        "ghp_MadeUp0123456789",
        "AKIAMADEUP7EXAMPLE12",
        "MADEUPMADEUPMADEUP",
        "correct_horse_battery",
    ] {
        for manifest in [
            format!("secrets: {{ a: {{ value: {{ env: {key} }} }} }}"),
            format!("secrets: {{ a: {{ json: {{ b: {{ env: {key} }} }} }} }}"),
            format!("secrets: {{ a: {{ value: {{ file: '${{{key}}}' }} }} }}"),
            format!("secrets: {{ 'a/${{{key}}}': {{ value: {{ env: A }} }} }}"),
        ] {
            let what = rejected(&manifest, &[]);
            assert!(what.contains("is not set"), "{what}");
            assert!(!what.contains(key), "{what}");
        }
    }
    let manifest = "secrets: { a: { value: { env: MODEL_API_KEY_2 } } }";
    assert!(rejected(manifest, &[]).contains("the variable MODEL_API_KEY_2, which is not set"));
}

#[test]
fn inputs_are_rejected_before_the_file() {
    let no_match = rejected("secrets: { a: { value: { env: A } } }", &[("ONLY", "b/*")]);
    assert_eq!(
        no_match,
        "UPSERT_SECRET_ONLY matches no secret in the manifest"
    );
    let inputs = [
        ("NAME", "x"),
        ("VALUE", "y"),
        ("ONLY", "["),
        ("RATE", "0"),
        ("ALL_OR_NOTHING", "maybe"),
        ("VERSION_ID_KEY", "short"),
    ];
    insta::assert_snapshot!(rejected("secrets: 1", &inputs), @"
    UPSERT_SECRET_NAME applies to one secret; the manifest names its secrets and the sources of their values
    UPSERT_SECRET_VALUE applies to one secret; the manifest names its secrets and the sources of their values
    UPSERT_SECRET_VERSION_ID_KEY must have at least 16 bytes: version IDs are public, and a short key could be guessed from them
    UPSERT_SECRET_RATE must be a number from 1 to 1000
    UPSERT_SECRET_ONLY must be names, in which `*` matches any text, `?` any character and `[a-m]` one of these characters
    UPSERT_SECRET_ALL_OR_NOTHING must be `false` or `true`
    ");
}

#[test]
fn unusable_credentials_come_before_entries() {
    let credentials = [
        ("ROLE_TO_ASSUME", "arn:aws:iam::111122223333:role/ci/deploy"),
        ("$GITHUB_ACTIONS", "true"),
    ];
    let what = |manifest| rejected(manifest, &credentials);
    assert_eq!(
        what("secrets: { a: { value: { env: MISSING } } }"),
        "GitHub issues no OIDC token to this job, so it cannot assume the role"
    );
    assert_eq!(
        what("secrets: &all [*all]"),
        "secrets.yml:1:10: is nested too deeply"
    );
}

#[test]
fn unreadable_manifest_says_why() {
    let (folder, _) = folder("");
    for (path, why) in [
        (folder.path().join("missing"), "there is no such file"),
        (folder.path().to_owned(), "it is not a regular file"),
    ] {
        let failure = run_file(&path, &[]).err().unwrap();
        let wanted = format!("the manifest {} cannot be read", path.display());
        assert_eq!(failure.what, wanted);
        assert_eq!(failure.why.as_deref(), Some(why));
    }
}

#[test]
fn requests_hold_the_values_of_their_sources() {
    let manifest = "
all-or-nothing: true
secrets:
  a: { value: { env: A } }
  b: { value: { file: '${FOLDER}/value' }, store-as: binary }
  c: { json: { x: { env: A }, y: { env: LIST, json-value-as: json } } }
  d: { value: { env: ENCODED }, value-encoding: base64 }
  e: { json: { x: { env: A } }, merge: true }
  left/out: { value: { env: MISSING } }
";
    let run = run(
        manifest,
        &[
            ("$LIST", "[1, 2]"),
            ("$ENCODED", "bWFkZSB1cA=="),
            ("RATE", "7"),
            ("ONLY", "?"),
        ],
    );
    let pacing = run.manifest.as_ref().unwrap();
    assert_eq!(
        (pacing.rate, pacing.fail_fast, pacing.all_or_nothing),
        (Rate::constant(7), false, true)
    );
    let wanted = [
        ("a", "value-of-variable-a", Kind::String, 0, 0),
        ("b", "from the file", Kind::Binary, 0, 0),
        (
            "c",
            r#"{"x":"value-of-variable-a","y":[1, 2]}"#,
            Kind::String,
            2,
            0,
        ),
        ("d", "made up", Kind::String, 0, 0),
        ("e", r#"{"x":"value-of-variable-a"}"#, Kind::String, 0, 1),
    ];
    let found: Vec<_> = run
        .drafts
        .iter()
        .map(|draft| {
            let Draft::Ready(Job::Upsert(request)) = draft else {
                panic!("{} is ready", draft.id());
            };
            (
                draft.id(),
                text(request.value.expose()),
                request.value.kind(),
                request.composed.len(),
                request.json.len(),
            )
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn generated_value_seeds_the_secret() {
    let run = run(
        "secrets: { a: { value: { generate: { length: 8 } } } }",
        &[],
    );
    let [Draft::Ready(Job::Upsert(request))] = &run.drafts[..] else {
        panic!("one secret");
    };
    assert!(request.seeds);
    assert_eq!(request.value.expose().len(), 8);
}

#[test]
fn unresolved_secret_is_completed() {
    let manifest = "
secrets:
  a: { value: { secret: { id: x, region: eu-west-2 } } }
  b: { json: { x: { secret: { id: x } }, y: { env: A }, z: { secret: { id: z }, json-value-as: json } } }
";
    let run = run(manifest, &[]);
    let [Draft::Unresolved(a), Draft::Unresolved(b)] = &run.drafts[..] else {
        panic!("two secrets");
    };
    let references = |unresolved: &Unresolved| -> Vec<_> {
        let references = unresolved.references();
        references
            .map(|(reference, connection)| (reference.id.clone(), connection.region.clone()))
            .collect()
    };
    let pair = |id: &str, region: &str| (id.to_owned(), Some(region.to_owned()));
    assert_eq!(references(a), [pair("x", "eu-west-2")]);
    assert_eq!(
        references(b),
        [pair("x", "eu-west-1"), pair("z", "eu-west-1")]
    );
    assert_eq!(
        text(a.with_stand_ins().value.expose()),
        r#""this value is not known yet""#
    );

    let stored = |text: &str| {
        let value = SecretValue::stored(SecretBytes::new(text.into()), Kind::Binary);
        ResolvedValue::stored(&value, &IGNORE)
    };
    let complete = |unresolved: &Unresolved, texts: &[&str]| {
        let request = unresolved.complete(texts.iter().map(|text| stored(text)), &IGNORE)?;
        let value = (
            text(request.value.expose()).to_owned(),
            request.value.kind(),
        );
        Ok::<_, Failure>(value)
    };
    assert_eq!(
        complete(a, &["made up"]),
        Ok(("made up".to_owned(), Kind::Binary))
    );
    assert_eq!(
        complete(b, &["made up", "[1]"]),
        Ok((
            r#"{"x":"made up","y":"value-of-variable-a","z":[1]}"#.to_owned(),
            Kind::String
        ))
    );
    let what = |unresolved, texts| {
        complete(unresolved, texts)
            .map_err(|failure| failure.what)
            .unwrap_err()
    };
    assert_eq!(
        what(a, &["***"]),
        "`value` of a is a mask (`***` or `[MASKED]`), not a secret; pass the secret itself, not text from a log or a masked output"
    );
    assert_eq!(
        what(b, &["made up", "made up"]),
        "`json` of b has a key z whose value is not JSON, which `json-value-as: json` requires; it is not shown here"
    );
}

#[test]
fn values_are_checked_as_those_of_one_secret() {
    let manifest = "
secrets:
  a: { value: { env: EMPTY } }
  b: { value: { env: BLANK } }
  c: { value: { env: REFERENCE } }
  d: { json: { x: { env: REFERENCE }, y: { env: A } } }
  e: { json: { x: { env: BLANK } } }
  f: { json: { x: { env: MARKED, json-value-as: json } } }
  g: { value: { env: KEY } }
";
    let pairs = [
        ("$EMPTY", ""),
        ("$BLANK", "\u{a0}\n"),
        ("$REFERENCE", "${MODEL_API_KEY}"),
        ("$MARKED", "\u{feff}{}"),
        ("$GITLAB_CI", "true"),
        ("$CI_PROJECT_DIR", r"C:\builds\acme\p"),
        ("$KEY", r"C:\builds\acme\p.tmp\KEY"),
    ];
    insta::assert_snapshot!(rejected(manifest, &pairs), @r#"
    secrets.yml:3:15: secrets.a.value: comes from the variable EMPTY, which is empty, like a CI secret that is not defined for this job
    secrets.yml:4:15: secrets.b.value: consists of white space or other invisible characters only
    secrets.yml:5:15: secrets.c.value: is a reference to a variable (such as `$NAME`, `${NAME}` or `$(NAME)`), which CI systems and shells leave unchanged if they do not know the variable; to store exactly this text, put it into a file: `{ file: PATH }`
    secrets.yml:6:19: secrets.d.json.*: is a reference to a variable (such as `$NAME`, `${NAME}` or `$(NAME)`), which CI systems and shells leave unchanged if they do not know the variable; to store exactly this text, put it into a file: `{ file: PATH }`
    secrets.yml:7:14: secrets.e.json: has a key x whose value consists of white space or other invisible characters only
    secrets.yml:8:14: secrets.f.json: has a key x whose value begins with a byte order mark (U+FEFF), which JSON (`json-value-as: json`) does not allow
    secrets.yml:9:15: secrets.g.value: comes from KEY, a variable of type file, which holds a path: write `{ file: "${KEY}" }`
    "#);
}

#[test]
fn suspicious_values_are_warned_about_by_key() {
    let manifest = "
secrets:
  a: { value: { env: MARKED } }
  b: { json: { x: { env: MARKED }, y: { env: FILE }, z: { secret: { id: other } } } }
  c: { value: { env: FILE } }
";
    let (_folder, path) = folder(manifest);
    let file = path.with_file_name("value");
    let pairs = [
        ("$MARKED", "\u{feff}made-up"),
        ("$FILE", file.to_str().unwrap()),
    ];
    let run = run_file(&path, &pairs).unwrap_or_else(|failure| panic!("{failure}"));
    insta::assert_snapshot!(run.warnings.join("\n"), @"
    a: the value begins with a byte order mark (U+FEFF); it is stored exactly as given
    b: the value of the key x begins with a byte order mark (U+FEFF); it is stored exactly as given
    b: the value of the key y is the path of a file that exists; if the content of that file is the secret, give the path as `value-file`, in a manifest as `{ file: PATH }`
    c: the value is the path of a file that exists; if the content of that file is the secret, give the path as `value-file`, in a manifest as `{ file: PATH }`
    ");
}
