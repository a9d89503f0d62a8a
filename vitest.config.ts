import { defineConfig } from "vitest/config";

const full = process.env["SEXTANT_TEST_FULL"] === "1";
const never = ["**/node_modules/**", "**/fixtures/**"];
/** What takes long runs with `npm run test:full` only. */
const long = full ? [] : ["**/*.full.test.ts"];

const second = 1000;

export default defineConfig({
  test: {
    // Two workers keep two cores busy; more only make each other's timings worse.
    maxWorkers: 2,
    // Node itself loads what is tested, as it does in production: a bundler's loader forgives imports that Node refuses.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "libs/*/src/**/*.test.ts",
            "services/*/src/**/*.test.ts",
            "agents/*/src/**/*.test.ts",
            "deploy/*/src/**/*.test.ts",
            "tools/**/*.test.ts",
          ],
          exclude: [...never, ...long],
          globalSetup: "tools/test-database.ts",
          testTimeout: 20 * second,
          hookTimeout: 60 * second,
        },
      },
      {
        test: {
          name: "service",
          include: [
            "services/*/test/**/*.test.ts",
            "agents/*/test/**/*.test.ts",
            "deploy/*/test/**/*.test.ts",
          ],
          exclude: [...never, ...long],
          globalSetup: "tools/test-database.ts",
          testTimeout: 60 * second,
          hookTimeout: 120 * second,
        },
      },
      {
        test: {
          name: "story",
          include: ["e2e/**/*.story.test.ts", ...(full ? ["e2e/**/*.full.test.ts"] : [])],
          exclude: never,
          fileParallelism: false,
          testTimeout: 300 * second,
          hookTimeout: 300 * second,
        },
      },
      {
        test: {
          name: "docker",
          include: ["e2e/**/*.docker.test.ts"],
          exclude: never,
          fileParallelism: false,
          testTimeout: 900 * second,
          hookTimeout: 1800 * second,
        },
      },
    ],
  },
});
