"""Stores $VALUE in each secret of $NAMES like a typical script that uses boto3: puts a version, and creates the secret if it does
not exist. benches/peers measures it, so it must not be slower than such scripts.
"""

import os

import boto3

client = boto3.client("secretsmanager")
for name in os.environ["NAMES"].split():
    try:
        answer = client.put_secret_value(SecretId=name, SecretString=os.environ["VALUE"])
    except client.exceptions.ResourceNotFoundException:
        answer = client.create_secret(Name=name, SecretString=os.environ["VALUE"])
    print(answer["ARN"], answer["VersionId"])
