//! Conditions of TagResource and UntagResource.

use serde_json::{Value, json};

use crate::run::{Case, MARKED, NO_SECRET, Run, case, same};

fn tag(run: &Run<'_>, tags: &[(&str, &str)]) -> Value {
    let tags: Vec<Value> = tags
        .iter()
        .map(|(k, v)| json!({"Key": k, "Value": v}))
        .collect();
    json!({"SecretId": run.name, "Tags": tags})
}

pub(crate) const CASES: &[Case] = &[
    case(
        "T01",
        "VL",
        "no Tags before the first, an empty list after the last",
        |run| {
            run.create()?;
            same("Tags before", &run.describe()?.get("Tags"), &None)?;
            run.ok("TagResource", &tag(run, &[("k", "v")]))?;
            same(
                "Tags",
                &run.describe()?["Tags"],
                &json!([{"Key": "k", "Value": "v"}]),
            )?;
            run.ok(
                "UntagResource",
                &json!({"SecretId": run.name, "TagKeys": ["k"]}),
            )?;
            same(
                "Tags after",
                &run.describe()?.get("Tags"),
                &Some(&json!([])),
            )
        },
    ),
    case("T02", "D", "the same key again: overwritten", |run| {
        run.create()?;
        run.ok("TagResource", &tag(run, &[("k", "v")]))?;
        run.ok("TagResource", &tag(run, &[("k", "w")]))?;
        same(
            "Tags",
            &run.describe()?["Tags"],
            &json!([{"Key": "k", "Value": "w"}]),
        )
    }),
    case("T03", "D", "51 tags: 400, none is added", |run| {
        run.create()?;
        let keys: Vec<String> = (0..51).map(|n| format!("k{n}")).collect();
        let tags: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
        run.fails("TagResource", &tag(run, &tags))?;
        run.ok("TagResource", &tag(run, &tags[..50]))?;
        run.fails("TagResource", &tag(run, &tags[50..]))?;
        let shown = run.describe()?["Tags"].as_array().map(Vec::len);
        same("how many", &shown, &Some(50))
    }),
    case("T04", "D", "a key that starts with aws: 400", |run| {
        run.create()?;
        run.fails("TagResource", &tag(run, &[("aws:x", "v")]))
    }),
    case(
        "T05",
        "VL",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            run.fails_with("TagResource", &tag(run, &[("k", "v")]), MARKED)?;
            run.fails_with(
                "UntagResource",
                &json!({"SecretId": run.name, "TagKeys": ["k"]}),
                MARKED,
            )
        },
    ),
    case("T06", "VL~", "missing: ResourceNotFoundException", |run| {
        run.fails_with("TagResource", &tag(run, &[("k", "v")]), NO_SECRET)
    }),
];
