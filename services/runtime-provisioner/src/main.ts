/** The runtime-provisioner: makes, upgrades and removes runtimes by operations that survive a restart. */
import { runService } from "@sextant/service";
import { start } from "./app.ts";
import { readSettings } from "./config.ts";

await runService("runtime-provisioner", readSettings, start);
