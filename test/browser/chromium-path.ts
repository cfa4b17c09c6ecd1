import { existsSync } from "node:fs";

/** Where a Chromium may be; the first that is there is used. Debian's package puts it into the first place. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable"];

const { CHROMIUM_PATH = "" } = process.env;

/** The browser that tests use; undefined where there is none. */
export const CHROMIUM = [CHROMIUM_PATH, ...PLACES].find((path) => path !== "" && existsSync(path));

/** Why there is none. */
export const WITHOUT_CHROMIUM = `no Chromium at ${PLACES.join(", ")} or in CHROMIUM_PATH`;
