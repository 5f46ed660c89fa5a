// Parses a Mermaid graph from standard input and prints its type. Fails if Mermaid, which GitHub uses, rejects it. Run it in a
// directory that has `mermaid` and `jsdom` installed.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.cwd() + '/');
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import(pathToFileURL(require.resolve('mermaid')).href);

let graph = '';
for await (const chunk of process.stdin) graph += chunk;
const { diagramType } = await mermaid.parse(graph);
console.log(diagramType);
