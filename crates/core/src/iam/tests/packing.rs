//! Policies within IAM's size limit.

use super::*;

/// IAM's limit for a managed policy, in characters ("IAM and STS quotas").
const LIMIT: usize = 6_144;

fn length(policy: &Value) -> usize {
    policy.to_string().len()
}

/// All printed policies.
fn policies(documents: &Value) -> Vec<&Value> {
    match documents.get("policies") {
        Some(policies) => policies.as_array().unwrap().iter().collect(),
        None => vec![&documents["policy"]],
    }
}

/// Every resource that is not `*`, in order, of the statements of one kind.
fn resources(documents: &Value, sid: &str) -> Vec<String> {
    let statements = policies(documents).into_iter().flat_map(statements);
    let mut resources: Vec<_> = statements
        .filter(|one| {
            one["Sid"]
                .as_str()
                .unwrap()
                .trim_end_matches(char::is_numeric)
                == sid
        })
        .flat_map(|one| texts(&one["Resource"]))
        .map(|arn| arn.replace(SECRETS, ""))
        .collect();
    resources.sort();
    resources
}

/// The documents for secrets with these names.
fn of_names(names: &[String]) -> Value {
    let pairs: Vec<_> = names.iter().map(|name| [("NAME", name.as_str())]).collect();
    let pairs: Vec<Inputs<'_>> = pairs.iter().map(|pairs| &pairs[..]).collect();
    manifest(&pairs, &[])
}

/// The documents for value sources with these names.
fn of_sources(names: &[String]) -> Value {
    let sources: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
    manifest(&[], &sources)
}

/// Names in separate folders, so that none can be grouped. The last one is longer by `extra` characters.
fn separate(count: usize, extra: usize) -> Vec<String> {
    let mut names: Vec<_> = (0..count).map(|n| format!("{n:03}/key")).collect();
    names[count - 1].push_str(&"x".repeat(extra));
    names
}

/// Asserts that policies are within the limit and have no duplicate statements.
fn check_limits(documents: &Value) {
    for policy in policies(documents) {
        assert!(length(policy) <= LIMIT, "{} characters", length(policy));
        let sids = sids(policy);
        let unique: BTreeSet<_> = sids.iter().collect();
        assert_eq!(unique.len(), sids.len(), "{sids:?}");
    }
}

#[test]
fn one_policy_is_filled_before_it_is_split() {
    let single: Vec<_> = (0..400)
        .map(|extra| of_sources(&separate(42, extra)))
        .map_while(|documents| documents.get("policy").map(length))
        .collect();
    assert!(single.len() < 400, "it is split in the end");
    assert!(single.is_sorted(), "{single:?}");
    let longest = *single.last().unwrap();
    assert!((LIMIT - 100..=LIMIT).contains(&longest), "{longest}");
}

#[test]
fn long_statement_is_split_into_full_policies() {
    for extra in (0..120).step_by(5) {
        let names = separate(150, extra);
        let documents = of_sources(&names);
        check_limits(&documents);
        let patterns = names.iter().map(|name| format!("{name}-??????"));
        let mut wanted: Vec<_> = patterns.chain(names.clone()).collect();
        wanted.sort();
        assert_eq!(resources(&documents, "ReadSource"), wanted);
        let lengths: Vec<_> = policies(&documents).into_iter().map(length).collect();
        let total: usize = lengths.iter().sum();
        assert!(total > (lengths.len() - 1) * (LIMIT - 300), "{lengths:?}");
    }
}

#[test]
fn many_statements_stay_within_limit() {
    let regions: Vec<_> = (0..60).map(|n| format!("made-up-{n:02}")).collect();
    for extra in (0..200).step_by(8) {
        let name = format!("source{}", "x".repeat(extra));
        let sources: Vec<_> = regions
            .iter()
            .enumerate()
            .map(|(n, region)| {
                (
                    if n == 0 { &*name } else { "source" },
                    Some(region.as_str()),
                )
            })
            .collect();
        let documents = manifest(&[], &sources);
        check_limits(&documents);
        assert_eq!(resources(&documents, "ReadSource").len(), 120);
    }
}

#[test]
fn secrets_are_grouped_only_if_policy_is_full() {
    let few = ["prod/a", "prod/b"].map(str::to_owned);
    let documents = of_names(&few);
    assert_eq!(
        resources(&documents, "WriteSecret"),
        ["prod/a-??????", "prod/b-??????"]
    );
    let mut names: Vec<_> = (0..150).map(|n| format!("prod/many/{n:03}")).collect();
    names.extend(
        [
            "prod/one",
            "two/a",
            "two/b",
            "/rooted",
            "/rooted-too",
            "top",
            "top-too",
        ]
        .map(str::to_owned),
    );
    // A secret given by its ARN stays as given, while its folder is listed.
    names.push("listed/a".to_owned());
    names.push(format!("{SECRETS}listed/b-AbCdEf"));
    let documents = of_names(&names);
    check_limits(&documents);
    assert!(documents.get("policy").is_some());
    let patterns = [
        "/rooted-??????",
        "/rooted-too-??????",
        "listed/a-??????",
        "listed/b-AbCdEf",
        "prod/many/*",
        "prod/one-??????",
        "top-??????",
        "top-too-??????",
        "two/*",
    ];
    assert_eq!(resources(&documents, "WriteSecret"), patterns);
}

#[test]
fn repeated_sids_are_numbered_from_two() {
    let regions = ["made-up-1", "made-up-2", "made-up-3"];
    let documents = manifest(&[], &regions.map(|region| ("source", Some(region))));
    assert_eq!(
        sids(&documents["policy"]),
        ["ReadSource", "ReadSource2", "ReadSource3"]
    );
}
