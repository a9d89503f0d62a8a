/** A plane by docker-compose: images that are built from this tree, a project and ports of its own. */
import { execFile, spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import {
  DockerComposeEnvironment,
  type StartedDockerComposeEnvironment,
  Wait,
} from "testcontainers";
import { freePortPair } from "./local-plane.ts";
import type { StoryPlane } from "./story/plane.ts";

const ROOT = dirname(import.meta.dirname);
const HEALTHY_WITHIN = 180_000;
/** What the compose file gives each service to end in, and what down may take at most. */
const GRACE = 20_000;

/** The services of the compose file that keep running. */
export const RUNNING = [
  "postgres",
  "registry",
  "connector",
  "director",
  "runtime-provisioner",
  "api-gateway",
] as const;

/** One of them. */
export type Running = (typeof RUNNING)[number];

const run = promisify(execFile);

/** Runs a command to its end and answers with its standard output. Throws with what it said when it fails. */
async function output(program: string, words: readonly string[], env = process.env) {
  const { stdout } = await run(program, words, { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Runs a command of the engine's own client. */
export const docker = (...words: readonly string[]): Promise<string> => output("docker", words);

const succeeds = (program: string, ...words: string[]): boolean =>
  spawnSync(program, words, { stdio: "ignore" }).status === 0;

/** Compose v2 is a plugin of the client, 1.29 a program of its own. */
function composeCommand(): readonly [string, ...string[]] {
  if (succeeds("docker", "compose", "version")) return ["docker", "compose"];
  if (succeeds("docker-compose", "version")) return ["docker-compose"];
  throw new Error("install docker-compose 1.29 or later: this story needs it");
}

/** What `docker inspect` says of a container, in part. */
export interface Container {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly HostConfig: { readonly PortBindings: Readonly<Record<string, unknown>> | null };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** A plane that was started. */
export interface ComposePlane {
  /** As a story sees it. */
  readonly story: StoryPlane;
  readonly project: string;
  /** The container of a service, as it is now. */
  container(service: Running | "set-up"): Promise<Container>;
  /** Runs a command inside of it. */
  exec(service: Running, ...words: readonly string[]): Promise<string>;
  /** Kills its process from outside, as the kernel does when memory runs out. */
  kill(service: Running): Promise<void>;
  /** Everything that all of them have logged. */
  logs(): Promise<string>;
  /** Runs `docker-compose run keys …`, and answers with what it prints. */
  keys(...words: readonly string[]): Promise<string>;
  /** Ends the containers and leaves them to be looked at. */
  stop(): Promise<void>;
  /** Starts the same plane again. */
  startAgain(): Promise<void>;
  /** Removes everything, its data too. */
  remove(): Promise<void>;
}

/** Builds the images, starts a plane and waits until all of it is healthy. */
export async function startComposePlane(
  settings: Readonly<Record<string, string>> = {},
): Promise<ComposePlane> {
  const [program, ...prefix] = composeCommand();
  const port = await freePortPair();
  const project = `sextant-e2e-${port}`;
  const environment = {
    SEXTANT_PORT: String(port),
    SEXTANT_MTLS_PORT: String(port + 1),
    SEXTANT_HOST: "127.0.0.1",
    SEXTANT_PUBLIC_HOST: "localhost",
    SEXTANT_TLS_HOSTS: "",
    SEXTANT_PLANE_HOST: "api-gateway",
    SEXTANT_VERSION: "e2e",
    ...settings,
  };
  const compose = (...words: string[]): Promise<string> =>
    output(program, [...prefix, ...words], {
      ...process.env,
      ...environment,
      COMPOSE_PROJECT_NAME: project,
    });
  const up = (): Promise<StartedDockerComposeEnvironment> =>
    new DockerComposeEnvironment(ROOT, "docker-compose.yml")
      .withProjectName(project)
      .withEnvironment(environment)
      .withClientOptions(
        prefix.length === 0 ? { executable: { executablePath: program, standalone: true } } : {},
      )
      .withDefaultWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(HEALTHY_WITHIN)
      .up();

  const labelled = (key: string, value: string) => `label=com.docker.compose.${key}=${value}`;
  const idOf = async (service: string): Promise<string> => {
    const filters = [labelled("project", project), labelled("service", service)];
    const words = ["ps", "--all", "--quiet", ...filters.flatMap((filter) => ["--filter", filter])];
    return (await docker(...words)).trim();
  };
  const container = async (service: string): Promise<Container> => {
    const [found] = JSON.parse(await docker("inspect", await idOf(service))) as [Container];
    return found;
  };

  // Not by testcontainers, which throws away what the builder says about a fault.
  await compose("build", "--quiet");
  let started = await up();
  const directory = mkdtempSync(join(tmpdir(), "sextant-compose-"));
  const remove = async (): Promise<void> => {
    await started.down({ removeVolumes: true, timeout: GRACE });
    rmSync(directory, { recursive: true, force: true });
  };
  const lookAtIt = async (): Promise<StoryPlane> => {
    const shown = await compose("run", "--rm", "-T", "set-up", "show");
    const { ca, ...facts } = JSON.parse(shown) as StoryPlane & { readonly ca: string };
    const caFile = join(directory, "ca.pem");
    writeFileSync(caFile, ca);
    const outside = `${project}_outside`;
    const gatewayOf = ["--format", "{{(index .IPAM.Config 0).Gateway}}"];
    const { NetworkSettings } = await container("api-gateway");
    return {
      ...facts,
      caFile,
      // This machine, as a container sees it.
      receiverHost: (await docker("network", "inspect", ...gatewayOf, outside)).trim(),
      ...(await visibleMetrics(`http://${NetworkSettings.Networks[outside]?.IPAddress}:9090`)),
      ...(await visibleRuntimes(`${project}_runtimes`)),
    };
  };
  let story: StoryPlane;
  try {
    story = await lookAtIt();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    story,
    project,
    container,
    exec: async (service, ...words) => docker("exec", await idOf(service), ...words),
    async kill(service) {
      const { State } = await container(service);
      const program = `process.kill(${State.Pid}, "SIGKILL")`;
      const image = ["--entrypoint", "node", `sextant/registry:${environment.SEXTANT_VERSION}`];
      await docker("run", "--rm", "--pid=host", "--user=0", ...image, "-e", program);
    },
    logs: () => compose("logs", "--no-color"),
    keys: (...words) => compose("run", "--rm", "-T", "keys", ...words),
    stop: async () => void (await started.stop()),
    async startAgain() {
      started = await up();
    },
    remove,
  };
}

/** The runtimes' directories, if the engine runs on this machine and this user may look. */
async function visibleRuntimes(volume: string): Promise<Pick<StoryPlane, "agentDirectory">> {
  const path = (await docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume)).trim();
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch {
    return {};
  }
  return { agentDirectory: (id) => join(path, id, "agent") };
}

/** The gateway's own port, if this machine has a way into the containers' network. */
async function visibleMetrics(opsURL: string): Promise<Pick<StoryPlane, "services">> {
  try {
    await fetch(`${opsURL}/readyz`, { signal: AbortSignal.timeout(2_000) });
  } catch {
    return {};
  }
  return { services: { "api-gateway": { opsURL } } };
}
