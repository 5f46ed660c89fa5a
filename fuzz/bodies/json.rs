//! Properties of `apply_edits` for any document, path and value: the result equals serde_json's for the same edit, repeating the edit
//! changes nothing, and no error quotes the document. An input is `document FF path FF value`. libFuzzer runs this body, and a
//! regular test runs it on `corpus/json`.

use serde_json::Value;
use upsert_secret_core::json::{JsonKey, JsonText, KeyPath, apply_edits};

/// A marker in a document, which must not appear in errors.
const MARKER: &str = "hunter-2!";

/// Edits a document. Panics if a property does not hold.
pub(crate) fn json(data: &[u8]) {
    let mut parts = data.splitn(3, |&byte| byte == 0xff);
    let document = parts.next().unwrap_or_default();
    let (Ok(path), Ok(value)) = (
        str::from_utf8(parts.next().unwrap_or_default()),
        str::from_utf8(parts.next().unwrap_or_default()),
    ) else {
        return;
    };
    let (Ok(key), Ok(text)) = (KeyPath::parse(path), JsonText::json(value)) else {
        return;
    };
    let names = key.names().to_vec();
    let edits = [JsonKey {
        path: key,
        text,
        seeds: false,
    }];
    let edited = match apply_edits(document, &edits) {
        Ok(Some(edited)) => edited.to_string(),
        Ok(None) => String::from_utf8_lossy(document).into_owned(),
        Err(error) => {
            let told = format!("{error} {error:?}");
            assert!(path.contains(MARKER) || !told.contains(MARKER), "{told}");
            return;
        }
    };
    let again = apply_edits(edited.as_bytes(), &edits);
    assert!(matches!(again, Ok(None)), "changed twice: {edited}");
    // Numbers and surrogates that it cannot represent are valid, and stay.
    let (Ok(document), Ok(value)) = (
        serde_json::from_slice(document),
        serde_json::from_str(value),
    ) else {
        return;
    };
    let is = serde_json::from_str::<Value>(&edited);
    assert_eq!(is.ok().as_ref(), Some(&set(document, &names, value)));
}

fn set(mut document: Value, names: &[String], value: Value) -> Value {
    let mut place = &mut document;
    for name in names {
        place = &mut place[name.as_str()];
    }
    *place = value;
    document
}
