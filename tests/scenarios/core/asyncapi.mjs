// Says what is wrong with the AsyncAPI document that comes on standard input; nothing when it is valid, and has no warning.
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';

const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'));
for (const { code, message, path } of diagnostics) console.error(`${code} at /${path.join('/')}: ${message}`);
process.exitCode = document && diagnostics.length === 0 ? 0 : 1;
