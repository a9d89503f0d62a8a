// What is fast, and against whom: `npm run bench -- --help`.
import { runBench } from "./run.ts";

process.exitCode = await runBench(process.argv.slice(2));
