//! Values composed from a `.env` file, and values extracted from documents.

use super::*;

/// The checked run of a manifest with these files next to it.
fn run_with(manifest: &str, files: &[(&str, &str)], pairs: &[(&str, &str)]) -> Result<Run, String> {
    let (folder, path) = folder(manifest);
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let shown = format!("{}/", folder.path().display());
    run_file(&path, pairs).map_err(|failure| failure.what.replace(&shown, ""))
}

/// What a run would store: name, value, keys of a composed document, and keys that are set in the stored one.
fn requests(run: &Run) -> Vec<(String, String, String, String)> {
    let requests = run.drafts.iter().map(|draft| {
        let Draft::Ready(Job::Upsert(request)) = draft else {
            panic!("{} is ready", draft.id());
        };
        let composed: Vec<_> = request.composed.iter().map(ToString::to_string).collect();
        (
            request.target.id.clone(),
            text(request.value.expose()).to_owned(),
            composed.join(","),
            request.written_keys().join(","),
        )
    });
    requests.collect()
}

const FILE: &str = "# made up\nexport B='b # \"c\"'\nA=\"one\ntwo\"\n";
const DOCUMENT: &str =
    r#"{"a": {"b/c": "made\tup"}, "n": 5, "list": [{"x": ""}], "o": {"p": [1.0]}, "n": 5}"#;

#[test]
fn pairs_become_a_document() {
    let manifest = "
secrets:
  a: { value: { dotenv: '${FOLDER}/.env' } }
  b: { value: { dotenv: '${FOLDER}/.env' }, merge: true, on-value-in-metadata: allow }
";
    let run = run_with(manifest, &[(".env", FILE)], &[]).unwrap();
    let document = r#"{"B":"b # \"c\"","A":"one\ntwo"}"#;
    let entry = |name: &str, composed: &str, written: &str| {
        let all = [name, document, composed, written].map(str::to_owned);
        all.into()
    };
    assert_eq!(
        requests(&run),
        [entry("a", "B,A", ""), entry("b", "", "B,A")]
    );
    assert_eq!(run.warnings, [""; 0]);
}

#[test]
fn element_of_document_becomes_the_value() {
    let manifest = "
secrets:
  a: { value: { env: DOCUMENT, pointer: /a/b~1c } }
  b: { value: { file: '${FOLDER}/document', pointer: /o }, json-value-as: json }
  c: { value: { env: DOCUMENT, pointer: /o/p }, json-value-as: json, json-key: k }
  d: { value: { env: ENCODED, pointer: /a }, value-encoding: base64, json-key: k }
  e: { json: { x: { env: DOCUMENT, pointer: /o/p/0, json-value-as: json }, y: { file: '${FOLDER}/document', pointer: /a/b~1c } } }
";
    let run = run_with(
        manifest,
        &[("document", DOCUMENT)],
        &[
            ("$DOCUMENT", DOCUMENT),
            ("$ENCODED", "eyJhIjoibWFkZSB1cCJ9"),
        ],
    )
    .unwrap();
    let entry = |name: &str, value: &str, composed: &str, written: &str| {
        let all = [name, value, composed, written].map(str::to_owned);
        all.into()
    };
    assert_eq!(
        requests(&run),
        [
            entry("a", "made\tup", "", ""),
            entry("b", r#"{"p": [1.0]}"#, "", ""),
            entry("c", "[1.0]", "", "k"),
            entry("d", "made up", "", "k"),
            entry("e", r#"{"x":1.0,"y":"made\tup"}"#, "x,y", ""),
        ]
    );
}

#[test]
fn element_of_another_secret_is_taken_later() {
    let manifest = "
secrets:
  a: { value: { secret: { id: x }, pointer: /a/b~1c } }
  b: { json: { k: { secret: { id: x }, pointer: /o, json-value-as: json }, l: { secret: { id: x }, pointer: /a/b~1c } } }
";
    let run = run(manifest, &[]);
    let hidden = RefCell::new(Vec::new());
    let sink = SecretSink {
        hide: &|secret| hidden.borrow_mut().push(text(secret).to_owned()),
        mask: &|secret| hidden.borrow_mut().push(text(secret).to_owned()),
    };
    let complete = |index: usize, document: &str| {
        let Draft::Unresolved(unresolved) = &run.drafts[index] else {
            panic!("a value is missing");
        };
        let value = SecretValue::stored(SecretBytes::new(document.into()), Kind::Binary);
        let resolved = unresolved
            .references()
            .map(|_| ResolvedValue::stored(&value, &IGNORE));
        let request = unresolved
            .complete(resolved, &sink)
            .map_err(|failure| failure.what)?;
        assert_eq!(request.value.kind(), Kind::String);
        Ok::<_, String>(text(request.value.expose()).to_owned())
    };
    assert_eq!(complete(0, DOCUMENT).as_deref(), Ok("made\tup"));
    assert_eq!(*hidden.borrow(), ["made\tup"; 2]);
    assert_eq!(
        complete(1, DOCUMENT).as_deref(),
        Ok(r#"{"k":{"p": [1.0]},"l":"made\tup"}"#)
    );
    assert_eq!(
        complete(0, "hidden"),
        Err(
            "`value` of a comes from `/a/b~1c` in the secret x, but the document is not JSON"
                .to_owned()
        )
    );
    assert_eq!(
        complete(1, r#"{"a":"hidden"}"#),
        Err(
            "the key k in `json` of b comes from `/o` in the secret x, but the document has no `/o`\n\
             the key l in `json` of b comes from `/a/b~1c` in the secret x, but `/a` in the document is a string, which has no members"
                .to_owned()
        )
    );
}

#[test]
fn invalid_document_is_rejected_without_content() {
    let manifest = "
secrets:
  a: { value: { dotenv: '${FOLDER}/bad.env' } }
  b: { value: { dotenv: '${FOLDER}/empty.env' } }
  c: { value: { dotenv: '${FOLDER}/missing.env' } }
  d: { value: { dotenv: '${FOLDER}' } }
  e: { value: { dotenv: '${FOLDER}/mask.env' } }
  f: { value: { env: DOCUMENT, pointer: /n } }
  g: { value: { env: DOCUMENT, pointer: /o } }
  h: { value: { file: '${FOLDER}/bad.env', pointer: /o } }
  i: { value: { env: DOCUMENT, pointer: /list/0/x } }
  j: { json: { k: { env: DOCUMENT, pointer: /list/1/x } } }
  k: { value: { env: DOCUMENT, pointer: /o }, json-value-as: made-up }
  l: { value: { env: MISSING, pointer: /o } }
  m: { value: { dotenv: '${FOLDER}/a.env' }, merge: true, compare: never }
  n: { value: { dotenv: '${FOLDER}/a.env' }, description: of value-of-a-variable }
  o: { json: { k: { env: DOCUMENT, pointer: /list } } }
  p: { json: { k: { dotenv: '${FOLDER}/a.env' } } }
  q: { value: { generate: { length: 8 }, pointer: /o } }
  r: { json: { k: { generate: { length: 8 }, pointer: /o } }, merge: true }
  s: { value: { file: \"a\\0hidden\" } }
  t: { value: { dotenv: \"a\\0hidden\" } }
";
    let files = [
        ("bad.env", "A=1\nHIDDEN=hidden\nhidden # b\n"),
        ("empty.env", "# hidden\n"),
        ("mask.env", "\nHIDDEN='***'"),
        ("a.env", "A=value-of-a-variable"),
    ];
    let failed = run_with(manifest, &files, &[("$DOCUMENT", DOCUMENT)]).err();
    let failed = failed.unwrap();
    assert!(!failed.to_lowercase().contains("hidden"), "{failed}");
    insta::assert_snapshot!(failed, @"
    secrets.yml:3:15: secrets.a.value: comes from a `.env` file that cannot be read: line 3 is not `NAME=value`; a name has letters, digits, `_`, `.` and `-`, and begins with a letter or `_`
    secrets.yml:4:15: secrets.b.value: comes from a `.env` file that cannot be read: it has no pairs
    secrets.yml:5:15: secrets.c.value: comes from a file that cannot be read: there is no such file
    secrets.yml:6:15: secrets.d.value: comes from something that is not a regular file
    secrets.yml:7:15: secrets.e.value: has a value in line 2 that is a mask (`***` or `[MASKED]`), not a secret
    secrets.yml:8:15: secrets.f.value: comes from `/n` in the variable DOCUMENT, but the document has `/n` twice
    secrets.yml:9:15: secrets.g.value: comes from `/o` in the variable DOCUMENT, but `/o` in the document is an object, not a string; `json-value-as: json` beside `value` takes it as JSON
    secrets.yml:10:15: secrets.h.value: comes from `/o` in the file, but the document is not JSON
    secrets.yml:11:15: secrets.i.value: is empty
    secrets.yml:12:19: secrets.j.json.*: comes from `/list/1/x` in the variable DOCUMENT, but the document has no `/list/1`
    secrets.yml:13:15: secrets.k.value: comes from `/o` in the variable DOCUMENT, but `/o` in the document is an object, not a string; `json-value-as: json` beside `value` takes it as JSON
    secrets.yml:13:62: secrets.k.json-value-as: must be `string` or `json`
    secrets.yml:14:15: secrets.l.value: comes from the variable MISSING, which is not set: define it for this job
    secrets.yml:15:53: secrets.m.merge: cannot be used with `compare: never`: the other keys must be read to be kept
    secrets.yml:16:59: secrets.n.description: contains the value or a part of it, and can be read without access to the value; if both match by coincidence, set `on-value-in-metadata: allow`
    secrets.yml:17:19: secrets.o.json.*: comes from `/list` in the variable DOCUMENT, but `/list` in the document is an array, not a string; `json-value-as: json` beside `pointer` takes it as JSON
    secrets.yml:18:21: secrets.p.json.*: has the key `dotenv`, which is for `value` only: `value: { dotenv: PATH }`
    secrets.yml:19:51: secrets.q.value.pointer: cannot be combined with `generate`; it is for `env`, `file` and `secret`, whose value can be a JSON document
    secrets.yml:20:55: secrets.r.json.*.pointer: cannot be combined with `generate`; it is for `env`, `file` and `secret`, whose value can be a JSON document
    secrets.yml:21:15: secrets.s.value: comes from a file that cannot be read: its path contains NUL (U+0000), which no path can
    secrets.yml:22:15: secrets.t.value: comes from a file that cannot be read: its path contains NUL (U+0000), which no path can
    ");
}

/// The elements of a document that are not extracted are as secret as the one that is.
#[test]
fn document_in_public_text_is_rejected() {
    const ACCOUNT: &str =
        r#"{"user":"made-up-user-0123456789","password":"made-up-password-0123456789"}"#;
    let public = |name: &str, more: &str| {
        let entry = |key: &str, source: &str| {
            format!("secrets: {{ {name}: {{ {key}: {source}, {more} }} }}")
        };
        let source = |reference: &str| format!("{{ {reference}, pointer: /user }}");
        let references = [
            "env: ACCOUNT",
            "file: '${FOLDER}/account'",
            "secret: { id: x }",
        ];
        references.map(|reference| {
            let source = source(reference);
            let member = format!("{{ k: {source} }}");
            [entry("value", &source), entry("json", &member)]
        })
    };
    let check = |manifest: &str| {
        let files = [("account", ACCOUNT)];
        let run = run_with(manifest, &files, &[("$ACCOUNT", ACCOUNT)])?;
        let Draft::Unresolved(unresolved) = &run.drafts[0] else {
            return Ok(());
        };
        let value = SecretValue::stored(SecretBytes::new(ACCOUNT.into()), Kind::String);
        let resolved = [ResolvedValue::stored(&value, &IGNORE)];
        let request = unresolved.complete(resolved, &IGNORE);
        request.map(|_| ()).map_err(|failure| failure.what)
    };
    for (name, more) in [
        ("a", "description: made-up-password-0123456789"),
        ("made-up-password-0123456789", "description: of an account"),
        ("a", "tags: { made-up-password-0123456789: x }"),
        ("a", "tags: { x: bWFkZS11cC1wYXNzd29yZC0wMTIzNDU2Nzg5 }"),
        (
            "a",
            "version-stages: [AWSCURRENT, made-up-password-0123456789]",
        ),
    ] {
        for manifest in public(name, more).concat() {
            let failed = check(&manifest).expect_err(&manifest);
            assert!(failed.contains("contains the value or a part"), "{failed}");
            let allowed = format!("{more}, on-value-in-metadata: allow");
            assert_eq!(check(&manifest.replace(more, &allowed)), Ok(()));
        }
    }
    for manifest in public("a", "description: of an account").concat() {
        assert_eq!(check(&manifest), Ok(()));
    }
}

#[test]
fn document_without_members_is_rejected() {
    for (json, problem) in [
        ("{}", "secrets.a.json: is empty; it needs at least one key"),
        ("{ x: hidden }", "secrets.a.json.*: contains a value"),
    ] {
        let failed = rejected(&format!("secrets: {{ a: {{ json: {json} }} }}"), &[]);
        assert!(failed.contains(problem), "{failed}");
        assert!(!failed.contains("hidden"), "{failed}");
    }
}

#[test]
fn probable_mistakes_in_file_are_warned_about() {
    let manifest = "secrets: { a: { value: { dotenv: '${FOLDER}/.env' } } }";
    let file = "A=\nB=''\nC=x-$HOME\nD=$HOME\nE='x$HOME'\n\nF=\"x\\r\\n\"\n";
    let run = run_with(manifest, &[(".env", file)], &[]).unwrap();
    insta::assert_snapshot!(run.warnings.join("\n"), @r#"
    a: the value in line 1 is empty; is the variable that it was written from defined? Write `""` for an empty value
    a: the value in line 3 has a `$` that other programs may expand as a variable; it is stored exactly as given. Use single quotes if that is intended
    a: the value in line 4 has the form of a reference to a variable; it is stored exactly as given
    a: the value in line 7 ends with white space; it is stored exactly as given
    a: the value in line 7 contains a carriage return (Windows line endings?); it is stored exactly as given
    "#);
}

/// Flags and short numbers are in most files. As masks, they would hide every `true` in a log, and as secrets, they would
/// prevent tags.
#[test]
fn settings_are_not_secret() {
    let manifest =
        "secrets: { a: { value: { dotenv: '${FOLDER}/.env' }, tags: { managed: 'true' } } }";
    let (folder, path) = folder(manifest);
    let file = "A=true\nB=False\nC=\nD=123\nE=1234\nF='made up'\n";
    fs::write(folder.path().join(".env"), file).unwrap();
    let (hidden, masked) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let sink = SecretSink {
        hide: &|secret| hidden.borrow_mut().push(text(secret).to_owned()),
        mask: &|secret| masked.borrow_mut().push(text(secret).to_owned()),
    };
    run_file_into(&path, &[], &sink).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(*hidden.borrow(), ["1234", "made up"]);
    assert_eq!(*masked.borrow(), ["1234", "made up"]);
    // A file that cannot be read is redacted as a whole.
    fs::write(folder.path().join(".env"), "A=made-up\nhidden").unwrap();
    assert!(run_file_into(&path, &[], &sink).is_err());
    assert_eq!(hidden.borrow()[2..], ["A=made-up\nhidden"]);
}
