import { runService } from "@sextant/service";
import { start } from "./app.ts";
import { readSettings } from "./config.ts";

await runService("registry", readSettings, start);
