// Runs every check and test of the repository, stage by stage: see `npm test -- --help`.
import { runStages } from "./test/run.ts";
import { chooseStages, HELP, readArguments } from "./test/stages.ts";

const wanted = readArguments(process.argv.slice(2));
if (wanted.help) {
  console.log(HELP);
} else {
  process.exitCode = await runStages(chooseStages(wanted));
}
