/** Unix sockets, by which the services of one machine meet. */
import { rmSync } from "node:fs";
import { connect } from "node:net";

/** Whether somebody listens at the socket `path`. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Removes the file of a socket whose process was killed: it would be in the way of the next. One that is served stays. */
export async function removeDeadSocket(path: string): Promise<void> {
  if (!(await isServed(path))) rmSync(path, { force: true });
}
