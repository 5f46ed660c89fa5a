#!/bin/sh
# Stores $VALUE in each secret of $NAMES like a typical script that uses the AWS CLI: checks whether the secret exists, then puts a
# version or creates it. benches/peers measures it, so it must not be slower than such scripts.
set -eu
for name in $NAMES; do
  if aws secretsmanager describe-secret --secret-id "$name" >/dev/null 2>&1; then
    aws secretsmanager put-secret-value --secret-id "$name" --secret-string "$VALUE"
  else
    aws secretsmanager create-secret --name "$name" --secret-string "$VALUE"
  fi
done
