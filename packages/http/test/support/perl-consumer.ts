import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ConsumedServer } from "./rest-consumer.js";

const DOCUMENT = fileURLToPath(new URL("../../openapi.json", import.meta.url));
const PROGRAM = fileURLToPath(new URL("rest-consumer.pl", import.meta.url));
/** The schema of OpenAPI documents that Perl's validator asks for; it would load it from the network. */
const SCHEMA_URL = "https://spec.openapis.org/oas/3.1/schema/2021-05-20";

/** Whether Perl's generator of clients is installed: Debian's `libopenapi-client-perl`. */
export function hasPerlClient(): boolean {
  try {
    execFileSync("perl", ["-MOpenAPI::Client", "-e", "1"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs the back end in Perl to its end. Rejects with what it printed at the first answer that is not as the document says. */
export async function runPerlConsumer({ baseUrl, key, cwd, asking }: ConsumedServer): Promise<void> {
  const cache = mkdtempSync(join(tmpdir(), "openapi-schema-"));
  try {
    const validator = createRequire(import.meta.url).resolve("@seriousme/openapi-schema-validator");
    const schema = readFileSync(join(validator, "..", "schemas", "v3.1", "schema.json"));
    writeFileSync(join(cache, createHash("md5").update(SCHEMA_URL).digest("hex")), schema);
    const env = { ...process.env, JSON_VALIDATOR_CACHE_PATH: cache };
    await promisify(execFile)("perl", [PROGRAM, DOCUMENT, baseUrl, key, cwd, asking], { env });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
