//! Conditions of KMS keys that cannot be used.

use serde_json::{Value, json};

use crate::run::{Case, Outcome, Run, sandbox_case, token};

const ALIAS: &str = "alias/fidelity";
const DENIED: (&str, &str) = ("AccessDeniedException", "Access to KMS is not allowed");
const HERE: &str = "arn:aws:kms:eu-west-1:111122223333";

/// A secret encrypted with a key, before and after a change of the key.
fn keyed(run: &Run<'_>) -> Outcome {
    run.arrange(|world| {
        world.add_kms_key("1234abcd");
        world.create(&run.name, "v1");
    });
    let key = json!({"SecretId": run.name, "KmsKeyId": "1234abcd", "ClientRequestToken": token(2)});
    run.ok("UpdateSecret", &key).map(drop)
}

fn create(run: &Run<'_>, key: &str) -> Value {
    json!({
        "Name": format!("{}-new", run.name), "SecretString": "v", "ClientRequestToken": token(3),
        "KmsKeyId": key,
    })
}

fn update(run: &Run<'_>, key: &str) -> Value {
    json!({"SecretId": run.name, "KmsKeyId": key, "ClientRequestToken": token(3)})
}

/// CreateSecret and UpdateSecret reject a key with KMS's message.
fn rejects(run: &Run<'_>, key: &str, why: &str) -> Outcome {
    let text = format!("The operation failed because of an invalid KMS key: {why}");
    let expected = ("InvalidParameterException", text.as_str());
    run.fails_with("CreateSecret", &create(run, key), expected)?;
    run.fails_with("UpdateSecret", &update(run, key), expected)
}

/// Writes and reads of a secret whose key is no longer usable.
fn fails_under_key(run: &Run<'_>, code: &str, why: &str) -> Outcome {
    let put = json!({"SecretId": run.name, "SecretString": "v", "ClientRequestToken": token(3)});
    let text = |verb| {
        format!(
            "Secrets Manager can't {verb} the secret value: {why} (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: 00000000-0000-4000-8000-000000000000)"
        )
    };
    let (write, read) = (text("encrypt"), text("decrypt"));
    run.fails_with("PutSecretValue", &put, ("EncryptionFailure", &write))?;
    run.fails_with("GetSecretValue", &run.id(), ("DecryptionFailure", &read))
}

pub(crate) const CASES: &[Case] = &[
    sandbox_case(
        "K01",
        "R",
        "a key that does not exist, named in a request: InvalidParameterException",
        |run| {
            run.arrange(|world| drop(world.create(&run.name, "v1")));
            rejects(run, ALIAS, &format!("Alias {HERE}:{ALIAS} is not found."))?;
            let missing = format!("Key '{HERE}:key/1234abcd' does not exist");
            rejects(run, "1234abcd", &missing)?;
            rejects(run, &format!("{HERE}:key/1234abcd"), &missing)
        },
    ),
    sandbox_case(
        "K02",
        "R~",
        "a key of another region: InvalidParameterException; of another account: denied",
        |run| {
            run.arrange(|world| {
                world.create(&run.name, "v1");
                world.add_kms_key_in("us-east-1", "1234abcd");
            });
            let far = "arn:aws:kms:us-east-1:111122223333:key/1234abcd";
            rejects(run, far, "Invalid arn us-east-1")?;
            let foreign = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd";
            run.fails_with("CreateSecret", &create(run, foreign), DENIED)?;
            run.fails_with("UpdateSecret", &update(run, foreign), DENIED)
        },
    ),
    sandbox_case(
        "K03",
        "R~",
        "a key that is disabled or pending deletion, named in a request: InvalidParameterException",
        |run| {
            run.arrange(|world| {
                world.create(&run.name, "v1");
                world.add_kms_key("1234abcd");
                world.add_kms_key("5678abcd");
                world.disable_kms_key_in("eu-west-1", "1234abcd");
                world.schedule_kms_key_deletion("5678abcd");
            });
            let off = format!("{HERE}:key/1234abcd is disabled.");
            rejects(run, "1234abcd", &off)?;
            let going = format!("{HERE}:key/5678abcd is pending deletion.");
            rejects(run, "5678abcd", &going)
        },
    ),
    sandbox_case(
        "K04",
        "R~",
        "a key that the key policy denies: AccessDeniedException, for every use",
        |run| {
            keyed(run)?;
            run.arrange(|world| world.deny_kms_key("1234abcd"));
            let put =
                json!({"SecretId": run.name, "SecretString": "v", "ClientRequestToken": token(3)});
            run.fails_with("CreateSecret", &create(run, "1234abcd"), DENIED)?;
            run.fails_with("UpdateSecret", &update(run, "1234abcd"), DENIED)?;
            run.fails_with("PutSecretValue", &put, DENIED)?;
            run.fails_with("GetSecretValue", &run.id(), DENIED)
        },
    ),
    sandbox_case(
        "K05",
        "R",
        "the key of a secret was deleted: EncryptionFailure, DecryptionFailure",
        |run| {
            keyed(run)?;
            run.arrange(|world| world.delete_kms_key("1234abcd"));
            let missing = format!("Key '{HERE}:key/1234abcd' does not exist");
            fails_under_key(run, "NotFoundException", &missing)
        },
    ),
    sandbox_case(
        "K06",
        "R~",
        "the key of a secret is disabled or pending deletion: EncryptionFailure, DecryptionFailure",
        |run| {
            keyed(run)?;
            run.arrange(|world| world.disable_kms_key_in("eu-west-1", "1234abcd"));
            let off = format!("{HERE}:key/1234abcd is disabled.");
            fails_under_key(run, "DisabledException", &off)?;
            run.arrange(|world| world.schedule_kms_key_deletion("1234abcd"));
            let going = format!("{HERE}:key/1234abcd is pending deletion.");
            fails_under_key(run, "KMSInvalidStateException", &going)
        },
    ),
];
