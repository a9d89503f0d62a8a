// What is fast, and against whom: `npm run bench -- --help`.
import { runBench } from "./run.ts";

const code = await runBench(process.argv.slice(2));
process.exitCode ??= code;
