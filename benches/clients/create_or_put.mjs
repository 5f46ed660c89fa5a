// Stores $VALUE in each secret of $NAMES like a typical script that uses the JavaScript SDK: puts a version, and creates the
// secret if it does not exist. benches/peers measures it, so it must not be slower than such scripts. Run it in a directory that
// has the SDK.
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const {
  SecretsManagerClient,
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} = require('@aws-sdk/client-secrets-manager');

const client = new SecretsManagerClient({});
for (const name of process.env.NAMES.split(' ')) {
  let answer;
  try {
    answer = await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: process.env.VALUE }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    answer = await client.send(new CreateSecretCommand({ Name: name, SecretString: process.env.VALUE }));
  }
  console.log(answer.ARN, answer.VersionId);
}
