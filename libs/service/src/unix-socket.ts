/** Unix sockets, by which the services of one machine meet. */
import { rmSync } from "node:fs";
import { connect } from "node:net";

/** Whether there is a socket at `path` at which nobody listens. Other errors, such as of a queue that is full, say nothing of that. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });
}

/** Removes the file of a socket whose process was killed: it would be in the way of the next. One that is served stays. */
export async function removeDeadSocket(path: string): Promise<void> {
  if (await isDead(path)) rmSync(path, { force: true });
}
