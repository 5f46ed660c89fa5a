// Reads a Mermaid graph from standard input and fails where Mermaid, which GitHub draws it with, cannot. Run in a folder
// that has `mermaid` and `jsdom`.
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
