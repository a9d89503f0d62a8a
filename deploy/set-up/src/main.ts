import { ConfigError } from "@sextant/config";
import { readSettings } from "./config.ts";
import { SetUpError } from "./key-files.ts";
import { setUp } from "./set-up.ts";

try {
  const settings = readSettings();
  const { caFile, caFingerprint, created } = await setUp({ ...settings, now: new Date() });
  const what = created ? "the plane is set up" : "the plane was set up already";
  process.stdout.write(
    `${what}: CA ${caFile}, SHA-256 ${caFingerprint}, admin token in ${settings.home}/admin-token\n`,
  );
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof SetUpError)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
