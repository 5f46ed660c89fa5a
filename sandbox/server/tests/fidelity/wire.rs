//! Conditions of the wire format: tokens of raw requests, bodies, headers, signatures.

use serde_json::json;

use crate::run::{Case, NO_SECRET, NO_TOKEN, case, same, token};

pub(crate) const CASES: &[Case] = &[
    case(
        "H01",
        "VL",
        "a raw CreateSecret without a token: InvalidRequestException",
        |run| {
            let input = json!({"Name": run.name, "SecretString": "v1"});
            run.fails_with("CreateSecret", &input, NO_TOKEN)
        },
    ),
    case(
        "H02",
        "VL",
        "a raw PutSecretValue without a token: the same",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "SecretString": "v2"});
            run.fails_with("PutSecretValue", &input, NO_TOKEN)?;
            run.value("v1")
        },
    ),
    case(
        "H03",
        "VL",
        "an error: 400 with __type and a capitalized Message, JSON 1.1 and a request ID",
        |run| {
            let reply = run.send("GetSecretValue", &run.id())?;
            same("status", &reply.status, &400)?;
            let body = json!({"__type": NO_SECRET.0, "Message": NO_SECRET.1});
            same("the body", &reply.json(), &body)?;
            same(
                "content-type",
                &reply.header("content-type"),
                &Some("application/x-amz-json-1.1"),
            )?;
            let id = reply
                .header("x-amzn-requestid")
                .is_some_and(|id| !id.is_empty());
            same("an x-amzn-RequestId", &id, &true)
        },
    ),
    case(
        "H06",
        "D",
        "a success: JSON 1.1 with a request ID, a Date and dates in fractional seconds",
        |run| {
            run.create()?;
            let reply = run.send("DescribeSecret", &run.id())?;
            same(
                "content-type",
                &reply.header("content-type"),
                &Some("application/x-amz-json-1.1"),
            )?;
            let id = reply
                .header("x-amzn-requestid")
                .is_some_and(|id| !id.is_empty());
            same("an x-amzn-RequestId", &id, &true)?;
            same("a Date", &reply.header("date").is_some(), &true)?;
            same(
                "CreatedDate is a fraction",
                &reply.json()["CreatedDate"].is_f64(),
                &true,
            )
        },
    ),
    case(
        "A07",
        "R",
        "an unknown key: UnrecognizedClientException; a wrong signature: InvalidSignatureException",
        |run| {
            let input =
                json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
            let mut client = run.client.clone();
            client.secret.push('x');
            let reply = crate::run::send(&client, "CreateSecret", &input)?;
            same(
                "a wrong secret",
                &(reply.status, reply.code().as_str()),
                &(400, "InvalidSignatureException"),
            )?;
            let mut client = run.client.clone();
            "AKIANOTHERE".clone_into(&mut client.key_id);
            let unknown = (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            );
            crate::run::fails_with(&client, "CreateSecret", &input, unknown)
        },
    ),
];
