/**
 * Loaded by each process of a plane before anything else. What makes a process see the shifted clock is passed on to its children: the
 * plane gives them environments of their own, without it.
 */
import childProcess, { type SpawnOptions } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";

const OURS = /^(?:LD_PRELOAD|NO_FAKE_STAT|FAKETIME_.*|NODE_OPTIONS)$/;
const passedOn = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => OURS.test(name)),
);
const isNode = (command: string): boolean => command === process.execPath;
/** What is not Node has one thread, and may ask for the time in a signal handler: it gets the library that takes no lock. */
const unlocked = { LD_PRELOAD: passedOn["LD_PRELOAD"]?.replace("libfaketimeMT", "libfaketime") };

const { spawn } = childProcess;
const spawnUnderClock = (
  command: string,
  words: readonly string[],
  options: SpawnOptions,
): ReturnType<typeof spawn> =>
  spawn(command, words, {
    ...options,
    env: { ...options.env, ...passedOn, ...(isNode(command) ? {} : unlocked) },
  });
// Everything of a plane spawns with all three arguments.
childProcess.spawn = spawnUnderClock as typeof spawn;
syncBuiltinESMExports();
