//! [`SecretStore`] on the model of Secrets Manager: each method is one operation on the model. The connection decides how a
//! call reaches the model.

use std::collections::BTreeMap;
use upsert_secret_core::quote::ForeignText;

use sandbox_model::REGION;
use serde_json::{Value, json};
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::state::{
    BatchEntry, Finding, SecretMetadata, SecretPage, SecretVersion, Validation, VersionInfo,
};
use upsert_secret_core::store::{
    Call, LabeledVersion, NewSecret, SecretStore, Subject, WrittenVersion,
};
use upsert_secret_core::value::SecretValue;

use super::json::{
    found, items, optional, regions, replica, set_optional, set_value, tags, text, texts, version,
    written,
};

/// How calls reach the model.
pub(crate) trait Connection: Clone {
    /// Whether the run has been canceled.
    fn is_cancelled(&self) -> bool;

    /// The same connection, usable after a cancellation.
    fn for_cleanup(&self) -> Self;

    /// Runs one operation on the model.
    async fn call(&self, region: &str, operation: &'static str, input: Value) -> Call<Value>;
}

/// The secrets of one account, without a network. Clones share them.
#[derive(Clone)]
pub(crate) struct ModelStore<C> {
    pub(super) connection: C,
    pub(super) region: &'static str,
}

impl<C: Connection> ModelStore<C> {
    /// A store in the model's region.
    pub(crate) fn over(connection: C) -> Self {
        Self {
            connection,
            region: REGION,
        }
    }

    async fn call(&self, operation: &'static str, input: Value) -> Call<Value> {
        if self.is_cancelled() {
            return Err(StoreError::new(operation, ErrorKind::Cancelled));
        }
        self.connection.call(self.region, operation, input).await
    }
}

impl<C: Connection> SecretStore for ModelStore<C> {
    fn region(&self) -> &str {
        self.region
    }

    fn is_cancelled(&self) -> bool {
        self.connection.is_cancelled()
    }

    fn for_cleanup(&self) -> Self {
        Self {
            connection: self.connection.for_cleanup(),
            region: self.region,
        }
    }

    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure {
        let class = match error.code() {
            Some("AccessDeniedException") => Class::Denied,
            Some("InvalidParameterException" | "MalformedPolicyDocumentException") => Class::Input,
            _ => Class::Unavailable,
        };
        let what = format!("{} of {}: {:?}", error.operation, subject.id, error.code());
        Failure::new(class, what, "")
    }

    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        let answer = found(self.call("DescribeSecret", json!({"SecretId": id})).await)?;
        Ok(answer.map(|answer| metadata(&answer, "VersionIdsToStages")))
    }

    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        let input = json!({"SecretId": id, "VersionStage": label});
        let answer = found(self.call("GetSecretValue", input).await)?;
        Ok(answer.as_ref().map(version))
    }

    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        let answer = self
            .call("BatchGetSecretValue", json!({"SecretIdList": ids}))
            .await?;
        let mut entries = items(&answer["SecretValues"], |value| {
            let names = [text(value, "Name"), text(value, "ARN")];
            BatchEntry {
                id: ids.iter().find(|id| names.contains(id)).unwrap().clone(),
                version: Ok(Some(version(value))),
            }
        });
        entries.extend(items(&answer["Errors"], |error| BatchEntry {
            id: text(error, "SecretId"),
            version: found(Err(StoreError::new(
                "GetSecretValue",
                ErrorKind::Service {
                    code: text(error, "ErrorCode"),
                    message: ForeignText::new(&text(error, "Message")),
                    status: 400,
                },
            ))),
        }));
        Ok(entries)
    }

    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        let input = json!({"SecretId": id, "IncludeDeprecated": true});
        let answer = self.call("ListSecretVersionIds", input).await?;
        Ok(items(&answer["Versions"], |version| VersionInfo {
            id: text(version, "VersionId"),
            created: version["CreatedDate"].as_f64(),
            labels: texts(&version["VersionStages"]),
        }))
    }

    async fn list_secrets(&self, prefixes: &[String], page: Option<String>) -> Call<SecretPage> {
        let mut input = json!({"IncludePlannedDeletion": true});
        if !prefixes.is_empty() {
            input["Filters"] = json!([{"Key": "name", "Values": prefixes}]);
        }
        set_optional(&mut input, "NextToken", page.as_deref());
        let answer = self.call("ListSecrets", input).await?;
        Ok(SecretPage {
            secrets: items(&answer["SecretList"], |secret| {
                metadata(secret, "SecretVersionsToStages")
            }),
            next: optional(&answer, "NextToken"),
        })
    }

    async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        match found(
            self.call("GetResourcePolicy", json!({"SecretId": id}))
                .await,
        ) {
            Ok(answer) => Ok(answer.and_then(|answer| optional(&answer, "ResourcePolicy"))),
            Err(error) if error.is("InvalidRequestException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn validate_policy(&self, id: Option<&str>, policy: &str) -> Call<Validation> {
        let mut input = json!({"ResourcePolicy": policy});
        set_optional(&mut input, "SecretId", id);
        let answer = self.call("ValidateResourcePolicy", input).await?;
        Ok(Validation {
            passed: answer["PolicyValidationPassed"].as_bool().unwrap(),
            findings: items(&answer["ValidationErrors"], |finding| Finding {
                check: ForeignText::new(&text(finding, "CheckName")),
                message: ForeignText::new(&text(finding, "ErrorMessage")),
            }),
        })
    }

    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        let input =
            json!({"SecretId": id, "ResourcePolicy": policy, "BlockPublicPolicy": !allow_public});
        self.call("PutResourcePolicy", input).await.map(drop)
    }

    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        let mut input = json!({"Name": new.name, "ClientRequestToken": new.token});
        set_value(&mut input, new.value);
        set_optional(&mut input, "Description", new.description);
        set_optional(&mut input, "KmsKeyId", new.kms_key_id);
        if !new.tags.is_empty() {
            input["Tags"] = tags(new.tags);
        }
        if !new.replicas.is_empty() {
            input["AddReplicaRegions"] = regions(new.replicas);
        }
        self.call("CreateSecret", input)
            .await
            .map(|answer| written(&answer))
    }

    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        labels: &[&str],
    ) -> Call<LabeledVersion> {
        let mut input = json!({"SecretId": id, "ClientRequestToken": token});
        set_value(&mut input, value);
        if *labels != [CURRENT] {
            input["VersionStages"] = json!(labels);
        }
        let answer = self.call("PutSecretValue", input).await?;
        Ok(LabeledVersion {
            written: written(&answer),
            stages: texts(&answer["VersionStages"]),
        })
    }

    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        let token = "00000000-0000-4000-8000-000000000000";
        let mut input = json!({"SecretId": id, "ClientRequestToken": token});
        set_optional(&mut input, "Description", description);
        set_optional(&mut input, "KmsKeyId", kms_key_id);
        self.call("UpdateSecret", input).await.map(drop)
    }

    async fn restore(&self, id: &str) -> Call<()> {
        self.call("RestoreSecret", json!({"SecretId": id}))
            .await
            .map(drop)
    }

    async fn tag(&self, id: &str, given: &BTreeMap<String, String>) -> Call<()> {
        let input = json!({"SecretId": id, "Tags": tags(given)});
        self.call("TagResource", input).await.map(drop)
    }

    async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        let input = json!({"SecretId": id, "TagKeys": keys});
        self.call("UntagResource", input).await.map(drop)
    }

    async fn replicate(&self, id: &str, given: &BTreeMap<String, Option<String>>) -> Call<()> {
        let input = json!({"SecretId": id, "AddReplicaRegions": regions(given)});
        self.call("ReplicateSecretToRegions", input).await.map(drop)
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        let input = json!({"SecretId": id, "RemoveReplicaRegions": regions});
        self.call("RemoveRegionsFromReplication", input)
            .await
            .map(drop)
    }

    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()> {
        let mut input = json!({"SecretId": id, "VersionStage": label, "MoveToVersionId": to});
        set_optional(&mut input, "RemoveFromVersionId", from);
        self.call("UpdateSecretVersionStage", input).await.map(drop)
    }

    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()> {
        let input = json!({"SecretId": id, "VersionStage": label, "RemoveFromVersionId": from});
        self.call("UpdateSecretVersionStage", input).await.map(drop)
    }
}

/// The metadata of a secret; `versions` is the response field with its versions.
fn metadata(answer: &Value, versions: &str) -> SecretMetadata {
    let versions = answer[versions].as_object().into_iter().flatten();
    let tags = items(&answer["Tags"], |tag| {
        (text(tag, "Key"), text(tag, "Value"))
    });
    SecretMetadata {
        arn: text(answer, "ARN"),
        name: text(answer, "Name"),
        description: optional(answer, "Description").filter(|text| !text.is_empty()),
        kms_key_id: optional(answer, "KmsKeyId"),
        tags: tags.into_iter().collect(),
        deleted: !answer["DeletedDate"].is_null(),
        owning_service: optional(answer, "OwningService"),
        primary_region: optional(answer, "PrimaryRegion"),
        rotation_enabled: answer["RotationEnabled"].as_bool().unwrap_or_default(),
        replicas: items(&answer["ReplicationStatus"], replica),
        versions: versions
            .map(|(id, labels)| (id.clone(), texts(labels)))
            .collect(),
    }
}
