//! Conditions of ValidateResourcePolicy.

use serde_json::{Value, json};

use crate::{
    policies::{MALFORMED, PUT, document, good, public, with},
    run::{Case, Outcome, Run, case, same, sandbox_case},
};

const VALIDATE: &str = "ValidateResourcePolicy";

/// ValidateResourcePolicy passes or fails the document, with errors that explain a failure.
fn validates(run: &Run<'_>, document: &str, passes: bool) -> Outcome {
    let answer = run.ok(VALIDATE, &with(run, document))?;
    let shown = &answer["PolicyValidationPassed"];
    same("PolicyValidationPassed", shown, &json!(passes))?;
    let errors = answer["ValidationErrors"].as_array();
    let errors = errors.cloned().unwrap_or_default();
    same("that there are errors", &errors.is_empty(), &passes)?;
    let whole = |error: &Value| error["CheckName"].is_string() && error["ErrorMessage"].is_string();
    same("that they say what", &errors.iter().all(whole), &true)
}

pub(crate) const CASES: &[Case] = &[
    sandbox_case("L02c", "D~", "which policies are public", |run| {
        run.create()?;
        let fixed = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
        let wild = json!({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}});
        let absent = json!({"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}});
        let other = json!({"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}});
        let net = |net: &str| json!({"IpAddress": {"aws:SourceIp": net}});
        let account = json!({"AWS": "111122223333"});
        let everyone = json!({"AWS": ["111122223333", "*"]});
        for (effect, principal, condition, is_public) in [
            ("Allow", &everyone, json!({}), true),
            ("Deny", &everyone, json!({}), false),
            ("Allow", &account, json!({}), false),
            ("Allow", &everyone, fixed, false),
            ("Allow", &everyone, wild, true),
            ("Allow", &everyone, absent, true),
            ("Allow", &everyone, other, true),
            ("Allow", &everyone, net("192.0.2.0/24"), false),
            ("Allow", &everyone, net("0.0.0.0/0"), true),
        ] {
            let more = json!({"Condition": condition});
            let text = document(effect, principal, &more);
            let mut input = with(run, &text);
            input["BlockPublicPolicy"] = json!(true);
            let rejected = run.send(PUT, &input)?.code() == "PublicPolicyException";
            same(&format!("whether {text} is public"), &rejected, &is_public)?;
            validates(run, &text, !is_public)?;
        }
        let not = good().replace("\"Principal\"", "\"NotPrincipal\"");
        validates(run, &not, false)
    }),
    case("L04", "D", "validation of a good policy: passes", |run| {
        run.create()?;
        validates(run, &good(), true)
    }),
    sandbox_case("L04b", "D", "validation without a secret: passes", |run| {
        let answer = run.ok(VALIDATE, &json!({"ResourcePolicy": good()}))?;
        let shown = &answer["PolicyValidationPassed"];
        same("PolicyValidationPassed", shown, &json!(true))
    }),
    case(
        "L05",
        "D",
        "validation of a malformed policy: fails",
        |run| {
            run.create()?;
            let reply = run.send(VALIDATE, &with(run, "{\"Version\": "))?;
            let passed = reply.status == 200 && reply.json()["PolicyValidationPassed"] != false;
            same("whether it passes", &passed, &false)?;
            if reply.status != 200 {
                let got = (reply.status, reply.code());
                same("the error", &got, &(400, MALFORMED.to_owned()))?;
            }
            Ok(())
        },
    ),
    case("L05b", "D", "validation of a public policy: fails", |run| {
        run.create()?;
        validates(run, &public(), false)
    }),
    sandbox_case(
        "L05c",
        "D",
        "validation of a policy that locks the caller out: fails",
        |run| {
            run.create()?;
            let user = json!({"AWS": "arn:aws:iam::111122223333:user/sandbox"});
            let account = json!({"AWS": "111122223333"});
            for (principal, action, passes) in [
                (&user, "secretsmanager:*", false),
                (&account, "secretsmanager:PutResourcePolicy", false),
                (&json!("*"), "secretsmanager:Delete*", false),
                (&json!({"AWS": "444455556666"}), "*", true),
                (&user, "secretsmanager:GetSecretValue", true),
            ] {
                let text = document("Deny", principal, &json!({"Action": action}));
                validates(run, &text, passes)?;
            }
            let others = json!({
                "Action": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/sandbox"}},
            });
            validates(run, &document("Deny", &json!("*"), &others), true)?;
            let me = others.to_string().replace("ArnNotEquals", "ArnLike");
            let me = serde_json::from_str(&me).map_err(|e| e.to_string())?;
            validates(run, &document("Deny", &json!("*"), &me), false)
        },
    ),
];
