// Each secret of $NAMES with the value $VALUE, as scripts with the JavaScript SDK do it: put a version, or create it where
// it is not there. A client that benches/peers measures; it is as good as such scripts are, and not made slow. Run in a
// folder that has the SDK.
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
