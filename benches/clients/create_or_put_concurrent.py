"""Stores $VALUE in each secret of $NAMES, $WORKERS at a time, like a careful script that uses boto3: puts a version, and creates the
secret if it does not exist. Retries are boto3's default. benches/peers measures it.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

workers = int(os.environ["WORKERS"])
# Threads may share a client, which has ten connections by default.
client = boto3.client("secretsmanager", config=Config(max_pool_connections=workers))


def create_or_put(name: str) -> dict:
    try:
        return client.put_secret_value(SecretId=name, SecretString=os.environ["VALUE"])
    except client.exceptions.ResourceNotFoundException:
        return client.create_secret(Name=name, SecretString=os.environ["VALUE"])


with ThreadPoolExecutor(workers) as pool:
    for answer in pool.map(create_or_put, os.environ["NAMES"].split()):
        print(answer["ARN"], answer["VersionId"])
