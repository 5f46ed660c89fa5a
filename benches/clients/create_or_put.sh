#!/bin/sh
# Each secret of $NAMES with the value $VALUE, as scripts with the AWS CLI do it: look whether it is there, then create it
# or put a version. A client that benches/peers measures; it is as good as such scripts are, and not made slow.
set -eu
for name in $NAMES; do
  if aws secretsmanager describe-secret --secret-id "$name" >/dev/null 2>&1; then
    aws secretsmanager put-secret-value --secret-id "$name" --secret-string "$VALUE"
  else
    aws secretsmanager create-secret --name "$name" --secret-string "$VALUE"
  fi
done
