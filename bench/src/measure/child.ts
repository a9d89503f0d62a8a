import { type ChildProcess, fork } from "node:child_process";

/** A process of the bench that tells its URL when it serves, and ends with the bench. */
export async function serve(
  program: string,
  args: readonly string[],
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = fork(new URL(`../${program}`, import.meta.url), args, {
    // As each of them wants to be run.
    env: { ...process.env, NODE_ENV: "production", GRAPHILE_ENV: "production" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { url: string }).url));
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return { url, child };
}
