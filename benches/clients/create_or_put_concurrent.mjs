// Stores $VALUE in each secret of $NAMES, $WORKERS at a time, like a careful script that uses the JavaScript SDK: puts a version, and
// creates the secret if it does not exist. Retries are the SDK's default. benches/peers measures it. Run it in a directory that has
// the SDK.
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const {
  SecretsManagerClient,
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} = require('@aws-sdk/client-secrets-manager');

const client = new SecretsManagerClient({});
const names = process.env.NAMES.split(' ').values();

async function work() {
  for (const name of names) {
    let answer;
    try {
      answer = await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: process.env.VALUE }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      answer = await client.send(new CreateSecretCommand({ Name: name, SecretString: process.env.VALUE }));
    }
    console.log(answer.ARN, answer.VersionId);
  }
}

await Promise.all(Array.from({ length: Number(process.env.WORKERS) }, work));
