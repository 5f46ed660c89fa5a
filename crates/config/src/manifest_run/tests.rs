//! Runs with a manifest, from a file and variables.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Job;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use super::{Draft, Unresolved};
use crate::resolve::{ResolvedValue, SecretSink};
use crate::run::Run;
use crate::run::tests::check;

const IGNORE: SecretSink<'static> = SecretSink {
    hide: &|_| {},
    mask: &|_| {},
};

/// A folder with a manifest and a file `value`.
fn folder(manifest: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("value"), "from the file").unwrap();
    let path = folder.path().join("secrets.yml");
    fs::write(&path, manifest).unwrap();
    (folder, path)
}

fn run_file(path: &Path, pairs: &[(&str, &str)]) -> Result<Run, Failure> {
    let folder = path.parent().and_then(Path::to_str).unwrap();
    let path = path.to_str().unwrap();
    let own = [
        ("MANIFEST", path),
        ("AWS_REGION", "eu-west-1"),
        ("$FOLDER", folder),
        ("$A", "value-of-variable-a"),
    ];
    check(&[&own, pairs].concat())
}

fn run(manifest: &str, pairs: &[(&str, &str)]) -> Run {
    let (_folder, path) = folder(manifest);
    run_file(&path, pairs).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The headline of a rejected manifest, without the folder.
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
    secrets.yml:2:29: defaults.version-stages: must have AWSCURRENT where a value is generated: it is for a secret that has none yet
    secrets.yml:2:29: defaults.version-stages: must have AWSCURRENT with `all-or-nothing`, which is about what becomes current
    secrets.yml:4:15: secrets.b.value: is to come from the variable MISSING, which is empty or not set (a CI secret that is not defined for this job arrives as an empty string)
    secrets.yml:4:39: secrets.b.tags: has a key that begins with `aws:`, which is AWS's own
    secrets.yml:5:15: secrets.a.value: is to come from a file that cannot be read: there is no such file
    secrets.yml:6:20: secrets.folder.value: is to come from something that is no regular file
    secrets.yml:7:3: secrets.arn:aws:secretsmanager:eu-west-2:111122223333:secret:c-AbCdEf: is an ARN of eu-west-2, but this run is about eu-west-1
    secrets.yml:9:15: secrets.d.value: is not valid base64, but `value-encoding` is `base64`
    secrets.yml:10:14: secrets.e.json: has a key y whose value is not JSON, as `json-value-as: json` asks; it is not shown here
    secrets.yml:10:70: secrets.e.json.*: is to come from the variable MISSING, which is empty or not set (a CI secret that is not defined for this job arrives as an empty string)
    secrets.yml:11:65: secrets.f.expected-version-id: expects a version, and `generate` is for a secret that has none
    secrets.yml:11:65: secrets.f.expected-version-id: must be a version id: 32 to 64 letters, digits and hyphens
    secrets.yml:12:40: secrets.g.merge: cannot be set in a version beside the current one: whoever made that current later would undo what others did to the other keys in the meantime; leave `version-stages` out, or stage the whole document
    secrets.yml:12:40: secrets.g.merge: cannot be set with `compare: never`: the other keys have to be read to be kept
    secrets.yml:13:15: secrets.h.value: names a region that is none, such as `eu-west-1`
    secrets.yml:13:15: secrets.h.value: names a secret whose name must have 1 to 512 characters, only letters, digits and `/_+=.@-`
    secrets.yml:14:15: secrets.i.value: names an ARN of eu-west-2, but is read in eu-west-1: give `region` with it
    secrets.yml:15:15: secrets.j.value: must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`
    secrets.yml:16:46: secrets.k.description: contains the value, and is not secret itself
    secrets.yml:17:27: secrets.l: has a key that it cannot have
    ");
}

#[test]
fn value_from_secret_of_same_run_rejected() {
    let manifest = "
secrets:
  a: { value: { secret: { id: b } } }
  b: { value: { env: A } }
  c: { value: { secret: { id: b, region: eu-west-2 } } }
";
    let wanted = "secrets.yml:3:15: secrets.a.value: is to come from b, which this manifest writes: give both the same source";
    assert_eq!(rejected(manifest, &[]), wanted);
}

#[test]
fn secret_variable_in_public_text_rejected() {
    let manifest = "
secrets:
  ${A}: { value: { env: A } }
  'x/${COPY}': { value: { env: A } }
  '${GITHUB_TOKEN}': { value: { env: A } }
";
    let pairs = [
        ("$COPY", "value-of-variable-a"),
        ("$GITHUB_TOKEN", "made-up"),
        ("ONLY", "none-of-them"),
    ];
    insta::assert_snapshot!(rejected(manifest, &pairs), @"
    secrets.yml: the variable A is the value of a secret, and `${A}` would show it to everybody who may list secrets
    secrets.yml: the variable COPY holds a secret, and `${COPY}` would show it to everybody who may list secrets
    secrets.yml: the variable GITHUB_TOKEN holds a secret, and `${GITHUB_TOKEN}` would show it to everybody who may list secrets
    UPSERT_SECRET_ONLY fits no secret of the manifest
    ");
}

#[test]
fn inputs_are_rejected_before_the_file() {
    let no_match = rejected("secrets: { a: { value: { env: A } } }", &[("ONLY", "b/*")]);
    assert_eq!(
        no_match,
        "UPSERT_SECRET_ONLY fits no secret of the manifest"
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
    UPSERT_SECRET_NAME is about one secret: with a manifest it is a key of that file
    UPSERT_SECRET_VALUE is about one secret: with a manifest it is a key of that file
    UPSERT_SECRET_VERSION_ID_KEY must have at least 16 bytes: version ids are public, and a short key could be guessed from them
    UPSERT_SECRET_RATE must be a number from 1 to 1000
    UPSERT_SECRET_ONLY must be names in which `*` is any text, `?` any character and `[a-m]` one of these
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
        "GitHub gives this job no OIDC token, so it cannot assume the role"
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
        (folder.path().to_owned(), "it is no regular file"),
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
        (7, false, true)
    );
    let wanted = [
        ("a", "value-of-variable-a", Kind::String, false, 0),
        ("b", "from the file", Kind::Binary, false, 0),
        (
            "c",
            r#"{"x":"value-of-variable-a","y":[1, 2]}"#,
            Kind::String,
            true,
            0,
        ),
        ("d", "made up", Kind::String, false, 0),
        (
            "e",
            r#"{"x":"value-of-variable-a"}"#,
            Kind::String,
            false,
            1,
        ),
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
                request.composed,
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
        let request = unresolved.complete(texts.iter().map(|text| stored(text)))?;
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
        "`value` of a is a mask (`***` or `[MASKED]`), not a secret; pass the secret itself on, not a log line or an output of it"
    );
    assert_eq!(
        what(b, &["made up", "made up"]),
        "`json` of b has a key z whose value is not JSON, as `json-value-as: json` asks; it is not shown here"
    );
}
