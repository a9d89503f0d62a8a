import { createThreadPool } from "../thread/thread-pool.ts";
import type { SpecText } from "./parse.ts";

/** Tells whether specifications are what they claim to be. */
export type Specifications = {
  /** What is wrong with one, in one line; undefined: nothing. */
  fault(spec: SpecText): Promise<string | undefined>;
  /** Ends the threads. */
  close(): Promise<void>;
};

const THREADS = 2;
/** Milliseconds and memory for one of 10 MiB. */
const TIME_LIMIT = 15_000;
const MEMORY_MEBIBYTES = 512;
/** A thread that has read a large one keeps much of that memory: without work it is ended after so many milliseconds. */
const IDLE_LIMIT = 60_000;

/** Makes the keeper of the threads that read specifications. They start with the first use, and are kept. */
export function createSpecifications(timeLimit: number = TIME_LIMIT): Specifications {
  const pool = createThreadPool<SpecText, string | undefined>({
    script: new URL("parse-thread.ts", import.meta.url),
    size: THREADS,
    timeLimit,
    memoryMebibytes: MEMORY_MEBIBYTES,
    idleLimit: IDLE_LIMIT,
  });
  return {
    async fault({ type, format, data }) {
      const read = await pool.run({ type, format, data });
      return read.ok ? read.answer : "cannot be read within the limits of time and memory";
    },
    close: () => pool.close(),
  };
}
