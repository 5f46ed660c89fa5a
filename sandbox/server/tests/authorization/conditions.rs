//! Condition keys: staging labels, and the tags of secrets and requests.

use sandbox::Policy;
use serde_json::json;

use super::{TOKEN, call, create, get, with_policy};

#[test]
fn conditions_see_secret_and_request_tags() {
    let policy = |team: &str| {
        Policy::from_json(&format!(
            r#"{{"Statement":[
                {{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*",
                  "Condition":{{"StringEquals":{{"secretsmanager:ResourceTag/team":"{team}"}}}}}},
                {{"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:TagResource"],"Resource":"*",
                  "Condition":{{"StringEquals":{{"aws:RequestTag/team":"{team}"}},
                                "ForAllValues:StringEquals":{{"aws:TagKeys":["team"]}}}}}}]}}"#
        ))
    };
    let (sandbox, client) = with_policy(policy("a"));
    assert_eq!(get(&client).status, 200);
    let tagged = |keys: &[&str]| {
        let mut input = create(&format!("new-{}", keys.len()), "v1");
        input["Tags"] = keys
            .iter()
            .map(|key| json!({"Key": key, "Value": "a"}))
            .collect();
        input
    };
    assert_eq!(
        call(&client, "CreateSecret", &tagged(&["team"])).status,
        200
    );
    for keys in [&[][..], &["team", "other"]] {
        assert_eq!(
            call(&client, "CreateSecret", &tagged(keys)).code(),
            "AccessDeniedException"
        );
    }
    sandbox.set_policy(&sandbox.default_key_id(), policy("b"));
    assert_eq!(get(&client).code(), "AccessDeniedException");
}

/// AWS does not fill in the default of the API: a request without a stage has no `secretsmanager:VersionStage`
/// (aws/aws-cli#5031, boto/boto3#2957), and BatchGetSecretValue cannot name one.
#[test]
fn stage_condition_needs_a_named_stage() {
    let (sandbox, client) = with_policy(Policy::allow_all());
    let mut staged = json!({"SecretId": "app", "SecretString": "v2", "VersionStages": ["blue"]});
    staged["ClientRequestToken"] = json!("22222222-2222-4222-8222-222222222222");
    assert_eq!(call(&client, "PutSecretValue", &staged).status, 200);
    let read = |stage: Option<&str>| {
        let mut input = json!({"SecretId": "app"});
        if let Some(stage) = stage {
            input["VersionStage"] = json!(stage);
        }
        call(&client, "GetSecretValue", &input).status
    };
    let allow = |operator: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*",
                 "Condition":{{"{operator}":{{"secretsmanager:VersionStage":["AWSCURRENT"]}}}}}}"#
        )
    };
    let deny = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*",
         "Condition":{"OPERATOR":{"secretsmanager:VersionStage":"AWSCURRENT"}}}"#;
    for (statements, unnamed) in [
        (allow("StringEquals"), 400),
        (allow("ForAnyValue:StringEquals"), 400),
        (allow("StringLike"), 400),
        (allow("StringEqualsIfExists"), 200),
        (allow("ForAllValues:StringEquals"), 200),
        (deny.replace("OPERATOR", "StringNotEquals"), 400),
        (deny.replace("OPERATOR", "ForAnyValue:StringNotEquals"), 200),
    ] {
        let policy = Policy::from_json(&format!(r#"{{"Statement":[{statements}]}}"#));
        sandbox.set_policy(&sandbox.default_key_id(), policy);
        let statuses = [None, Some("AWSCURRENT"), Some("blue")].map(read);
        assert_eq!(statuses, [unnamed, 200, 400], "{statements}");
    }
    // In a batch the denial is that of the one secret.
    let batch =
        r#"{"Effect":"Allow","Action":"secretsmanager:BatchGetSecretValue","Resource":"*"}"#;
    let statements = format!("{},{batch}", allow("StringEquals"));
    let policy = Policy::from_json(&format!(r#"{{"Statement":[{statements}]}}"#));
    sandbox.set_policy(&sandbox.default_key_id(), policy);
    let many = json!({"SecretIdList": ["app"]});
    let answer = call(&client, "BatchGetSecretValue", &many).json();
    assert_eq!(answer["SecretValues"], json!([]));
    assert_eq!(answer["Errors"][0]["ErrorCode"], "AccessDeniedException");
}

/// This condition key does not cover the labels that PutSecretValue gives a version ("Actions, resources, and condition keys
/// for AWS Secrets Manager").
#[test]
fn put_has_no_stage_condition_key() {
    let (_sandbox, client) = with_policy(Policy::from_json(
        r#"{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*",
            "Condition":{"Null":{"secretsmanager:VersionStage":"true"}}}}"#,
    ));
    let mut put = json!({"SecretId": "app", "SecretString": "v2", "VersionStages": ["AWSCURRENT"]});
    put["ClientRequestToken"] = json!("22222222-2222-4222-8222-222222222222");
    assert_eq!(call(&client, "PutSecretValue", &put).status, 200);
    let label = json!({"SecretId": "app", "VersionStage": "blue", "MoveToVersionId": TOKEN});
    let moved = call(&client, "UpdateSecretVersionStage", &label);
    assert_eq!(moved.code(), "AccessDeniedException");
}

/// Attribute-based access control: a secret that does not exist has no tags, so reads of it are denied, while the tags of the
/// request allow its creation.
#[test]
fn absent_secret_has_no_tags() {
    let (_sandbox, client) = with_policy(Policy::from_json(
        r#"{"Statement":[
            {"Effect":"Allow","Action":"secretsmanager:*","Resource":"*",
             "Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}},
            {"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:TagResource"],"Resource":"*",
             "Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]}"#,
    ));
    let id = json!({"SecretId": "new"});
    let reads = ["DescribeSecret", "GetSecretValue", "GetResourcePolicy"];
    for operation in reads {
        let reply = call(&client, operation, &id);
        assert_eq!(reply.code(), "AccessDeniedException", "{operation}");
    }
    let tagged = |team: &str| {
        let mut input = create("new", "v1");
        input["Tags"] = json!([{"Key": "team", "Value": team}]);
        call(&client, "CreateSecret", &input)
    };
    let plain = call(&client, "CreateSecret", &create("new", "v1"));
    assert_eq!(plain.code(), "AccessDeniedException");
    assert_eq!(tagged("b").code(), "AccessDeniedException");
    assert_eq!(tagged("a").status, 200);
    for operation in reads {
        assert_eq!(call(&client, operation, &id).status, 200, "{operation}");
    }
    // Without the tag, the secret is as it was before.
    let untag = json!({"SecretId": "new", "TagKeys": ["team"]});
    assert_eq!(call(&client, "UntagResource", &untag).status, 200);
    assert_eq!(
        call(&client, "DescribeSecret", &id).code(),
        "AccessDeniedException"
    );
}
