// Makes public/tokens.css of tokens.json: `npx tz build --config terrazzo.config.mjs` in this folder. A test compares them.
import { defineConfig } from "@terrazzo/cli";
import css from "@terrazzo/plugin-css";

// Not a file of modes: what is light and what is dark are groups.
const input = { tzMode: "." };

export default defineConfig({
  tokens: ["./tokens.json"],
  outDir: process.env.NOFX_TOKENS_FOLDER ?? "../../public/",
  plugins: [
    css({
      filename: "tokens.css",
      legacyHex: true,
      variableName: (token) => token.id.split(".").at(-1),
      permutations: [
        { input, include: ["color.light.*", "dimension.*"], prepare: (lines) => `:root {\n  color-scheme: light dark;\n  ${lines}\n}` },
        { input, include: ["color.dark.*"], prepare: (lines) => `@media (prefers-color-scheme: dark) {\n  :root {\n    ${lines}\n  }\n}` },
      ],
    }),
  ],
});
