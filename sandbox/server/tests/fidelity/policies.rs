//! Conditions of resource policies.

use serde_json::{Value, json};

use crate::run::{BAD_NAME, Case, MARKED, NO_SECRET, Run, case, ok, refused, same, sandbox_case};

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

/// A statement about reading, to everybody, with these members changed.
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

/// For an account that everybody has.
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

/// Documents that are JSON, but no policy.
fn no_policies() -> Vec<String> {
    let everybody = json!("*");
    let one = |more: Value| document("Allow", &everybody, &more);
    vec![
        "[]".to_owned(),
        "{}".to_owned(),
        json!({"Statement": []}).to_string(),
        json!({"Statement": ["Allow"]}).to_string(),
        json!({"Version": "2026-01-01", "Statement": []}).to_string(),
        public().replace("\"Version\"", "\"Versions\""),
        document("allow", &everybody, &json!({})),
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
            run.refused_as(PUT, &with(run, "{\"Version\": "), MALFORMED)?;
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    case(
        "L01b",
        "R",
        "JSON that is no policy: MalformedPolicyDocumentException",
        |run| {
            run.create()?;
            run.refused(PUT, &with(run, "{\"a\": 1}"), SYNTAX)
        },
    ),
    sandbox_case("L01c", "R~", "nor any of these", |run| {
        run.create()?;
        for document in no_policies() {
            let outcome = run.refused(PUT, &with(run, &document), SYNTAX);
            outcome.map_err(|difference| format!("{document}: {difference}"))?;
        }
        same("the policy", &attached(run)?, &Value::Null)
    }),
    sandbox_case(
        "L01d",
        "R",
        "a principal that is not there: MalformedPolicyDocumentException",
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
                let outcome = run.refused(PUT, &with(run, &text), UNSUPPORTED);
                outcome.map_err(|difference| format!("{principal}: {difference}"))?;
                run.refused(VALIDATE, &with(run, &text), UNSUPPORTED)?;
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
        "a principal that was just made: the same, for a while",
        |run| {
            run.create()?;
            let text = document("Allow", &json!({"AWS": ROLE}), &json!({}));
            run.sandbox().add_role(sandbox::Role::new(ROLE));
            run.sandbox()
                .with(|world| world.add_principal_after(ROLE, 2));
            // To make a role anew does not make it known.
            run.sandbox().add_role(sandbox::Role::new(ROLE));
            run.refused(VALIDATE, &with(run, &text), UNSUPPORTED)?;
            run.ok(PUT, &with(run, &good()))?;
            run.refused(PUT, &with(run, &text), UNSUPPORTED)?;
            same("the policy", &attached(run)?, &json!(good()))?;
            run.ok(PUT, &with(run, &text))?;
            same("the policy", &attached(run)?, &json!(text))
        },
    ),
    case(
        "L02",
        "D",
        "a public one, BlockPublicPolicy: PublicPolicyException",
        |run| {
            run.create()?;
            let mut input = with(run, &public());
            input["BlockPublicPolicy"] = json!(true);
            run.refused_as(PUT, &input, "PublicPolicyException")?;
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    case("L02b", "D", "a public one, not blocked: a success", |run| {
        run.create()?;
        run.ok(PUT, &with(run, &public()))?;
        same("the policy", &attached(run)?, &json!(public()))
    }),
    case(
        "L03",
        "VL",
        "put and read back; deleted, it is gone",
        |run| {
            run.create()?;
            let put = run.ok(PUT, &with(run, &good()))?;
            same("Name", &put["Name"], &json!(run.name))?;
            same("the policy", &attached(run)?, &json!(good()))?;
            let gone = run.ok(DELETE, &run.id())?;
            same("ARN", &gone["ARN"], &put["ARN"])?;
            same("the policy", &attached(run)?, &Value::Null)
        },
    ),
    case("L06", "VM~", "none: the key is absent", |run| {
        run.create()?;
        let answer = run.ok(GET, &run.id())?;
        same("ResourcePolicy", &answer.get("ResourcePolicy"), &None)
    }),
    case(
        "L07",
        "VL~",
        "missing secret: ResourceNotFoundException",
        |run| run.refused(PUT, &with(run, &good()), NO_SECRET),
    ),
    sandbox_case("L07b", "VL~", "the others: the same", |run| {
        run.refused(GET, &run.id(), NO_SECRET)?;
        run.refused(DELETE, &run.id(), NO_SECRET)?;
        run.refused(VALIDATE, &with(run, &good()), NO_SECRET)?;
        let bad = json!({"SecretId": "a b", "ResourcePolicy": good()});
        run.refused(VALIDATE, &bad, BAD_NAME)
    }),
    sandbox_case(
        "L08",
        "R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            for operation in [PUT, GET, DELETE, VALIDATE] {
                run.refused(operation, &with(run, &good()), MARKED)?;
            }
            Ok(())
        },
    ),
    sandbox_case(
        "L09",
        "R",
        "a replica: InvalidParameterException; it has the policy of its primary",
        |run| {
            run.create()?;
            run.arrange(|world| world.replicate(&run.name, "us-west-2"));
            run.ok(PUT, &with(run, &good()))?;
            for operation in [PUT, DELETE] {
                let input = with(run, &public());
                refused(&run.west, operation, &input, super::replicas::IS_REPLICA)?;
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
        run.refused_as(PUT, &long, "ValidationException")?;
        run.refused_as(PUT, &with(run, ""), "ValidationException")?;
        run.refused_as(PUT, &run.id(), "ValidationException")
    }),
    sandbox_case("L11", "D", "a Deny denies", |run| {
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
        run.refused_as(DELETE, &run.id(), "AccessDeniedException")?;
        // What a test arranges is no request.
        run.arrange(|world| world.put_resource_policy(&run.name, &good()));
        run.value("v1")
    }),
    sandbox_case(
        "L11b",
        "D",
        "a Deny for a role denies its sessions, NotAction and NotPrincipal all but those they name",
        |run| {
            run.create()?;
            let trust = sandbox::Trust::account("111122223333");
            run.sandbox()
                .add_role(sandbox::Role::new(ROLE).trust(trust));
            let asked = [("RoleArn", ROLE), ("RoleSessionName", "ci")];
            let reply = run.client.sts_with("AssumeRole", &asked);
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
        "R; our choice of how it is counted",
        "two principals that were just made are waited for together",
        |run| {
            run.create()?;
            let other = "arn:aws:iam::111122223333:user/writer";
            run.arrange(|world| {
                world.add_principal_after(ROLE, 1);
                world.add_principal_after(other, 1);
            });
            let text = document("Allow", &json!({"AWS": [ROLE, other]}), &json!({}));
            run.refused(PUT, &with(run, &text), UNSUPPORTED)?;
            run.ok(PUT, &with(run, &text)).map(drop)
        },
    ),
];
