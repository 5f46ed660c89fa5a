//! Conditions of resource policies.

use serde_json::{Value, json};

use crate::run::{
    BAD_NAME, Case, MARKED, NO_SECRET, Run, case, fails_with, ok, same, sandbox_case,
};

pub(crate) const PUT: &str = "PutResourcePolicy";
const GET: &str = "GetResourcePolicy";
const DELETE: &str = "DeleteResourcePolicy";
const VALIDATE: &str = "ValidateResourcePolicy";
pub(crate) const MALFORMED: &str = "MalformedPolicyDocumentException";
const SYNTAX: (&str, &str) = (MALFORMED, "This policy has invalid syntax.");
const UNSUPPORTED: (&str, &str) = (
    MALFORMED,
    "This resource policy contains an unsupported principal",
);
const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

/// A policy with one statement about GetSecretValue, with these members changed.
pub(crate) fn document(effect: &str, principal: &Value, more: &Value) -> String {
    let mut statement = json!({
        "Effect": effect,
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        statement[key] = value.clone();
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// A policy for the account that exists on every server.
pub(crate) fn good() -> String {
    let root = json!({"AWS": "arn:aws:iam::111122223333:root"});
    document("Allow", &root, &json!({}))
}

pub(crate) fn public() -> String {
    document("Allow", &json!("*"), &json!({}))
}

pub(crate) fn with(run: &Run<'_>, document: &str) -> Value {
    json!({"SecretId": run.name, "ResourcePolicy": document})
}

fn attached(run: &Run<'_>) -> Result<Value, String> {
    Ok(run.ok(GET, &run.id())?["ResourcePolicy"].clone())
}

/// Documents that are JSON but not policies.
fn not_policies() -> Vec<String> {
    let everyone = json!("*");
    let one = |more: Value| document("Allow", &everyone, &more);
    vec![
        "[]".to_owned(),
        "{}".to_owned(),
        json!({"Statement": []}).to_string(),
        json!({"Statement": ["Allow"]}).to_string(),
        json!({"Version": "2026-01-01", "Statement": []}).to_string(),
        public().replace("\"Version\"", "\"Versions\""),
        document("allow", &everyone, &json!({})),
        document("Allow", &json!({"User": "x"}), &json!({})),
        document("Allow", &json!({"AWS": []}), &json!({})),
        document("Allow", &json!("111122223333"), &json!({})),
        one(json!({"NotPrincipal": "*"})),
        one(json!({"Action": "GetSecretValue"})),
        one(json!({"Resource": "app"})),
        one(json!({"Principals": "*"})),
        one(json!({"Condition": {"Like": {"a": "b"}}})),
        one(json!({"Condition": {"StringLike": "b"}})),
    ]
}

pub(crate) const CASES: &[Case] = &[
    case(
        "L01",
        "R",
        "not JSON: MalformedPolicyDocumentException",
        |run| {
            run.create()?;
            run.fails_with_code(PUT, &with(run, "{\"Version\": "), MALFORMED)?;
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    case(
        "L01b",
        "R",
        "JSON that is not a policy: MalformedPolicyDocumentException",
        |run| {
            run.create()?;
            run.fails_with(PUT, &with(run, "{\"a\": 1}"), SYNTAX)
        },
    ),
    sandbox_case(
        "L01c",
        "R~",
        "more JSON that is not a policy: the same",
        |run| {
            run.create()?;
            for document in not_policies() {
                let outcome = run.fails_with(PUT, &with(run, &document), SYNTAX);
                outcome.map_err(|difference| format!("{document}: {difference}"))?;
            }
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    sandbox_case(
        "L01d",
        "R",
        "a principal that does not exist: MalformedPolicyDocumentException",
        |run| {
            run.create()?;
            for principal in [
                json!({"AWS": ROLE}),
                json!({"AWS": ["*", ROLE]}),
                json!({"AWS": "arn:aws:iam::111122223333:role/*"}),
                json!({"AWS": "11112222333"}),
                json!({"Service": "lambda"}),
                json!({"Federated": "accounts.example.com"}),
            ] {
                let text = document("Deny", &principal, &json!({}));
                let outcome = run.fails_with(PUT, &with(run, &text), UNSUPPORTED);
                outcome.map_err(|difference| format!("{principal}: {difference}"))?;
                run.fails_with(VALIDATE, &with(run, &text), UNSUPPORTED)?;
            }
            let user = "arn:aws:iam::111122223333:user/sandbox";
            run.sandbox().add_role(sandbox::Role::new(ROLE));
            for principal in [
                json!({"AWS": [ROLE, user, "444455556666", "arn:aws:iam::444455556666:root"]}),
                json!({"AWS": "arn:aws:sts::111122223333:assumed-role/reader/ci"}),
                json!({"Service": "lambda.amazonaws.com"}),
            ] {
                let text = document("Allow", &principal, &json!({}));
                run.ok(PUT, &with(run, &text))?;
                same("the policy", &attached(run)?, &json!(text))?;
            }
            Ok(())
        },
    ),
    sandbox_case(
        "L01e",
        "R",
        "a new principal: the same, for a while",
        |run| {
            run.create()?;
            let text = document("Allow", &json!({"AWS": ROLE}), &json!({}));
            run.sandbox().add_role(sandbox::Role::new(ROLE));
            run.sandbox()
                .with(|world| world.add_principal_after(ROLE, 2));
            // Adding the role again does not make it known.
            run.sandbox().add_role(sandbox::Role::new(ROLE));
            run.fails_with(VALIDATE, &with(run, &text), UNSUPPORTED)?;
            run.ok(PUT, &with(run, &good()))?;
            run.fails_with(PUT, &with(run, &text), UNSUPPORTED)?;
            same("the policy", &attached(run)?, &json!(good()))?;
            run.ok(PUT, &with(run, &text))?;
            same("the policy", &attached(run)?, &json!(text))
        },
    ),
    case(
        "L02",
        "D",
        "a public policy, BlockPublicPolicy: PublicPolicyException",
        |run| {
            run.create()?;
            let mut input = with(run, &public());
            input["BlockPublicPolicy"] = json!(true);
            run.fails_with_code(PUT, &input, "PublicPolicyException")?;
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    case(
        "L02b",
        "D",
        "a public policy, not blocked: a success",
        |run| {
            run.create()?;
            run.ok(PUT, &with(run, &public()))?;
            same("the policy", &attached(run)?, &json!(public()))
        },
    ),
    case("L03", "VL", "put, read and deleted", |run| {
        run.create()?;
        let put = run.ok(PUT, &with(run, &good()))?;
        same("Name", &put["Name"], &json!(run.name))?;
        same("the policy", &attached(run)?, &json!(good()))?;
        let gone = run.ok(DELETE, &run.id())?;
        same("ARN", &gone["ARN"], &put["ARN"])?;
        same("the policy", &attached(run)?, &Value::Null)
    }),
    case("L06", "VM~", "no policy: the member is absent", |run| {
        run.create()?;
        let answer = run.ok(GET, &run.id())?;
        same("ResourcePolicy", &answer.get("ResourcePolicy"), &None)
    }),
    case(
        "L07",
        "VL~",
        "missing secret: ResourceNotFoundException",
        |run| run.fails_with(PUT, &with(run, &good()), NO_SECRET),
    ),
    sandbox_case(
        "L07b",
        "VL~",
        "missing secret, other operations: the same",
        |run| {
            run.fails_with(GET, &run.id(), NO_SECRET)?;
            run.fails_with(DELETE, &run.id(), NO_SECRET)?;
            run.fails_with(VALIDATE, &with(run, &good()), NO_SECRET)?;
            let bad = json!({"SecretId": "a b", "ResourcePolicy": good()});
            run.fails_with(VALIDATE, &bad, BAD_NAME)
        },
    ),
    sandbox_case(
        "L08",
        "R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            for operation in [PUT, GET, DELETE, VALIDATE] {
                run.fails_with(operation, &with(run, &good()), MARKED)?;
            }
            Ok(())
        },
    ),
    sandbox_case(
        "L09",
        "R",
        "a replica: InvalidParameterException; it has its primary's policy",
        |run| {
            run.create()?;
            run.arrange(|world| world.replicate(&run.name, "us-west-2"));
            run.ok(PUT, &with(run, &good()))?;
            for operation in [PUT, DELETE] {
                let input = with(run, &public());
                fails_with(&run.west, operation, &input, super::replicas::IS_REPLICA)?;
            }
            let got = ok(&run.west, GET, &run.id())?;
            same("the policy", &got["ResourcePolicy"], &json!(good()))
        },
    ),
    sandbox_case("L10", "D", "1 to 20480 characters", |run| {
        run.create()?;
        let blanks = " ".repeat(20_480 - good().len());
        run.ok(PUT, &with(run, &format!("{}{blanks}", good())))?;
        let long = with(run, &format!("{} {blanks}", good()));
        run.fails_with_code(PUT, &long, "ValidationException")?;
        run.fails_with_code(PUT, &with(run, ""), "ValidationException")?;
        run.fails_with_code(PUT, &run.id(), "ValidationException")
    }),
    sandbox_case("L11", "D", "a Deny statement denies", |run| {
        run.create()?;
        let account = json!({"AWS": "111122223333"});
        run.ok(PUT, &with(run, &document("Deny", &account, &json!({}))))?;
        let reply = run.send("GetSecretValue", &run.id())?;
        same(
            "the code",
            &reply.code(),
            &"AccessDeniedException".to_owned(),
        )?;
        let text = reply.message();
        let tail = "with an explicit deny in a resource-based policy";
        same(&format!("the end of {text}"), &text.ends_with(tail), &true)?;
        run.describe()?;
        let elsewhere = json!({"Resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-??????"});
        run.ok(PUT, &with(run, &document("Deny", &account, &elsewhere)))?;
        run.value("v1")?;
        let everything = json!({"Action": "*"});
        run.ok(PUT, &with(run, &document("Deny", &account, &everything)))?;
        run.fails_with_code(DELETE, &run.id(), "AccessDeniedException")?;
        // Arranging helpers do not count as requests.
        run.arrange(|world| world.put_resource_policy(&run.name, &good()));
        run.value("v1")
    }),
    sandbox_case(
        "L11b",
        "D",
        "Deny for a role covers its sessions; NotAction and NotPrincipal exclude those they name",
        |run| {
            run.create()?;
            let trust = sandbox::Trust::account("111122223333");
            run.sandbox()
                .add_role(sandbox::Role::new(ROLE).trust(trust));
            let parameters = [("RoleArn", ROLE), ("RoleSessionName", "ci")];
            let reply = run.client.sts_with("AssumeRole", &parameters);
            let reply = reply.map_err(|error| error.to_string())?;
            let session = run.client.with_session(&reply);
            let user = "arn:aws:iam::111122223333:user/sandbox";
            let role = document("Deny", &json!({"AWS": ROLE}), &json!({}));
            let others = document("Deny", &json!({"AWS": user}), &json!({}));
            let others = others.replace("\"Principal\"", "\"NotPrincipal\"");
            let more = json!({"Action": "secretsmanager:DescribeSecret"});
            let but = document("Deny", &json!({"AWS": ROLE}), &more);
            let but = but.replace("\"Action\"", "\"NotAction\"");
            for text in [role, others, but] {
                run.ok(PUT, &with(run, &text))?;
                run.value("v1")?;
                ok(&session, "DescribeSecret", &run.id())?;
                let reply = crate::run::send(&session, "GetSecretValue", &run.id())?;
                same(&text, &reply.code(), &"AccessDeniedException".to_owned())?;
            }
            Ok(())
        },
    ),
    sandbox_case(
        "L01f",
        "R; counting not recorded",
        "two new principals become known at the same time",
        |run| {
            run.create()?;
            let other = "arn:aws:iam::111122223333:user/writer";
            run.arrange(|world| {
                world.add_principal_after(ROLE, 1);
                world.add_principal_after(other, 1);
            });
            let text = document("Allow", &json!({"AWS": [ROLE, other]}), &json!({}));
            run.fails_with(PUT, &with(run, &text), UNSUPPORTED)?;
            run.ok(PUT, &with(run, &text)).map(drop)
        },
    ),
];
