"""Each secret of $NAMES with the value $VALUE, as scripts with boto3 do it: put a version, or create it where it is not
there. A client that benches/peers measures; it is as good as such scripts are, and not made slow.
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
