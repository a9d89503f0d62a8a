import { Worker } from "node:worker_threads";
import { specificationFault } from "./parse.ts";
import type { SpecificationChecker } from "./specification.ts";

/** Texts up to this size are read at once; larger ones by a thread of their own, so that other requests go on. */
const INLINE = 64 * 1024;
/** Longest time and largest memory that reading a specification may take. */
const TIMEOUT = 15_000;
const MEMORY_MEBIBYTES = 256;

/** Checks specifications by parsing them. */
export const checkSpecification: SpecificationChecker = async (spec) => {
  if (spec.data.length <= INLINE) return specificationFault(spec);
  return new Promise((resolve) => {
    const worker = new Worker(new URL("parse-worker.ts", import.meta.url), {
      workerData: spec,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MEBIBYTES },
    });
    const timer = setTimeout(() => void worker.terminate(), TIMEOUT);
    const settle = (fault: string | undefined) => {
      clearTimeout(timer);
      resolve(fault);
    };
    worker.once("message", (fault: string | null) => settle(fault ?? undefined));
    worker.once("error", () => settle("cannot be read within the limits of time and memory"));
    worker.once("exit", () => settle("cannot be read within the limits of time and memory"));
  });
};
