import { parentPort, workerData } from "node:worker_threads";
import { specificationFault } from "./parse.ts";
import type { Spec } from "./specification.ts";

parentPort?.postMessage(specificationFault(workerData as Spec) ?? null);
