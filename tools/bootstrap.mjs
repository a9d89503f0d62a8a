// Makes sure that the pinned workspace is installed, and then ends: `npm start` and the other scripts run it first and
// go on with the workspace's own Node. Plain JavaScript without dependencies, because nothing is installed yet when
// it runs for the first time, and whatever `node` the machine has is what runs it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;
const INSTALLER = "pnpm@12.21.0";
const PLATFORMS = ["linux-x64", "linux-arm64"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".sextant-installed");
const pinnedNode = join(root, "node_modules", ".bin", "node");
const scratch = join(root, ".tmp");
const lockFile = join(scratch, "install.lock");

function fail(message, remedy) {
  process.stderr.write(`\nsextant: ${message}\n         ${remedy}\n\n`);
  process.exit(1);
}

function say(message) {
  process.stderr.write(`sextant: ${message}\n`);
}

function checkMachine() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    fail(
      `Node.js ${process.versions.node} is too old to install the workspace.`,
      `Install Node.js ${OLDEST_NODE} or later and run the same command again.`,
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    fail(
      `this platform (${platform}) is not supported.`,
      `Use Linux on x64 or arm64, or the containers: docker-compose up --build.`,
    );
  }
}

function checkLibrary() {
  if (isMusl()) {
    fail(
      "this Linux has the musl C library; the pinned Node.js and PostgreSQL are built for glibc.",
      "Use a distribution with glibc (Debian, Ubuntu, Fedora …), or the containers: docker-compose up --build.",
    );
  }
}

function isMusl() {
  if (process.report) process.report.excludeNetwork = true;
  const report = process.report?.getReport?.();
  const header = (typeof report === "string" ? JSON.parse(report) : report)?.header;
  return header !== undefined && header.glibcVersionRuntime === undefined;
}

/** What an install depends on. A change of any of these files makes the installed workspace stale. */
function manifests(directory = root, depth = 0) {
  const found = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (
      entry.isDirectory() &&
      depth < 2 &&
      entry.name !== "node_modules" &&
      !entry.name.startsWith(".")
    ) {
      found.push(...manifests(path, depth + 1));
    } else if (entry.isFile() && entry.name === "package.json") {
      found.push(path);
    }
  }
  return found;
}

function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}\0`);
  const files = [...manifests(), join(root, "pnpm-lock.yaml"), join(root, "pnpm-workspace.yaml")];
  for (const file of files.sort((a, b) => (a < b ? -1 : 1))) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function isInstalled(wanted) {
  return (
    existsSync(pinnedNode) &&
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8").trim() === wanted
  );
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** npm and pnpm keep their caches below HOME; a user without a home of its own gets one inside the clone. */
function installEnvironment() {
  const environment = { ...process.env, CI: "true" };
  if (!isWritable(homedir())) {
    environment.HOME = join(scratch, "home");
    delete environment.npm_config_cache;
    delete environment.XDG_CACHE_HOME;
    delete environment.XDG_DATA_HOME;
    mkdirSync(environment.HOME, { recursive: true });
  }
  return environment;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Two commands started at once in a fresh clone must not both write node_modules: the second waits for the first. */
async function takeInstallLock() {
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    let holder = Number.NaN;
    try {
      holder = Number(readFileSync(lockFile, "utf8"));
    } catch {
      continue;
    }
    if (holder > 0 && !isAlive(holder)) {
      rmSync(lockFile, { force: true });
      continue;
    }
    if (!waited) say(`process ${holder} is installing the workspace; waiting for it`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function install() {
  say(
    `installing the workspace with ${INSTALLER} (once, and after each change of its dependencies)`,
  );
  const child = spawn("npx", ["--yes", INSTALLER, "install", "--frozen-lockfile"], {
    cwd: root,
    env: installEnvironment(),
    // The installer's progress is no output of the command that the user asked for.
    stdio: ["ignore", 2, 2],
    detached: true,
  });
  const stop = (signal) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    } catch {
      // It has ended by itself.
    }
    rmSync(lockFile, { force: true });
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  // npm passes a signal to its shell alone; that this process has another parent is all it gets to see.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) stop("SIGTERM");
  }, 300);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) =>
      resolve(code === 0 ? undefined : `${signal ?? `exit code ${code}`}`),
    );
  }).finally(() => clearInterval(watch));
}

async function main() {
  checkMachine();
  const wanted = fingerprint();
  if (isInstalled(wanted)) return;
  if (!isWritable(root) || (existsSync(dirname(stampFile)) && !isWritable(dirname(stampFile)))) {
    fail(
      `the workspace must be installed, but this user may not write to ${root}.`,
      "Run the command once as the owner of that directory, or make a clone of your own.",
    );
  }
  checkLibrary();
  mkdirSync(scratch, { recursive: true });
  await takeInstallLock();
  try {
    if (isInstalled(wanted)) return;
    const fault = await install();
    if (fault !== undefined) {
      rmSync(lockFile, { force: true });
      fail(
        `the workspace could not be installed (${fault}; the reason is in the lines above).`,
        "Check that this machine reaches its npm registry (npm ping) and has 2 GB of free disk, then run the same command again.",
      );
    }
    if (!existsSync(pinnedNode)) {
      rmSync(lockFile, { force: true });
      fail(
        "the install ended well, but the pinned Node.js is missing from node_modules.",
        "Optional dependencies may be switched off (npm config get omit): switch them on, delete node_modules and try again.",
      );
    }
    writeFileSync(stampFile, `${wanted}\n`);
    say("the workspace is installed");
  } finally {
    rmSync(lockFile, { force: true });
  }
}

await main();
