// Parses PowerShell scripts: `node powershell.mjs PACKAGES SCRIPT...`, with web-tree-sitter and tree-sitter-powershell in PACKAGES.
// Prints all syntax errors. Does not run the scripts or check their style.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, ...scripts] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${packages}/`));
const { Language, Parser } = await import(pathToFileURL(require.resolve('web-tree-sitter')));
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')));

function* faults(node) {
  if (node.isError || node.isMissing) yield node;
  else if (node.hasError) for (const child of node.children) yield* faults(child);
}
for (const script of scripts) {
  for (const { startPosition: at, text, isMissing, type } of faults(parser.parse(readFileSync(script, 'utf8')).rootNode)) {
    const what = isMissing ? `'${type}' is missing` : `syntax error: ${text.split('\n', 1)}`;
    console.error(`${script}:${at.row + 1}:${at.column + 1}: ${what}`);
    process.exitCode = 1;
  }
}
