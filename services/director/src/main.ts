/** The director: the business rules about applications, runtimes, groups, credentials, plans and notifications. */
import { runService } from "@sextant/service";
import { start } from "./app.ts";
import { readSettings } from "./config.ts";

await runService("director", readSettings, start);
