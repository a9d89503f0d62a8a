// Makes every generated file anew: `npm run generate`. With --check it writes nothing and fails when a file on disk is not
// what its generator makes, or is one that no generator makes any more.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { generators } from "./generators.ts";

const root = dirname(import.meta.dirname);
const check = process.argv.includes("--check");

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const stale: string[] = [];
for (const generator of generators) {
  const { name, owns } = generator;
  const files = await generator.make(root);
  const made = new Set(Object.keys(files));
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    if (existsSync(target) && readFileSync(target, "utf8") === content) continue;
    stale.push(`${path} (${name})`);
    if (check) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  for (const path of owns.flatMap((folder) => filesBelow(join(root, folder)))) {
    if (made.has(path)) continue;
    stale.push(`${path} (no longer made by ${name})`);
    if (!check) rmSync(join(root, path));
  }
}

for (const line of stale) console.log(`${check ? "stale" : "wrote"}: ${line}`);
if (check && stale.length > 0) {
  console.error(
    "Generated files differ from what their generators make: run `npm run generate` and commit the result.",
  );
  process.exit(1);
}
console.log(
  `${generators.length} generators, ${stale.length} files ${check ? "stale" : "changed"}`,
);
