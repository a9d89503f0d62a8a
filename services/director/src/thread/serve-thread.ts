import { parentPort } from "node:worker_threads";
import { READY } from "./thread-pool.ts";

/** What a thread of a pool runs: answers requests one after the other. */
export function serveThread<Request, Answer>(answer: (request: Request) => Answer): void {
  parentPort?.on("message", (request: Request) => parentPort?.postMessage(answer(request)));
  parentPort?.postMessage(READY);
}
