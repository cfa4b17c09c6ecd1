import { DaemonError, type Logger, RpcCode } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { RefusalLog } from "../../src/session-wire/refusal-log.js";

function recorded() {
  const lines: { level: string; fields: object; message: string }[] = [];
  const to = (level: keyof Logger) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, logger: { debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") } };
}

const full = new DaemonError("QUEUE_FULL", "full");
const answer = { code: RpcCode.internalError, message: "full" };
const fields = () => ({ connection: "c" });

test("a flood of refusals of one principal is one line in a second, with their number; others have their own", () => {
  let now = 0;
  const { lines, logger } = recorded();
  const log = new RefusalLog({ logger, now: () => now });
  for (let n = 0; n < 1_000; n++) log.add({ error: full, answer, keyId: "k", fields });
  log.add({ error: full, answer, keyId: undefined, fields });
  expect(lines.map(({ level, fields: stated }) => [level, stated])).toEqual([
    ["warn", { connection: "c", rpcCode: -32_603, refusals: 1, error: "full" }],
    ["warn", { connection: "c", rpcCode: -32_603, refusals: 1, error: "full" }],
  ]);
  now = 1_000;
  log.add({ error: full, answer, keyId: "k", fields });
  expect(lines[2]?.fields).toMatchObject({ refusals: 1_000 });
});

test("a fault of the daemon is an error in the log, whatever was refused just before", () => {
  const { lines, logger } = recorded();
  const log = new RefusalLog({ logger, now: () => 0 });
  log.add({ error: full, answer, keyId: "k", fields });
  const bug = new TypeError("a bug");
  log.add({ error: bug, answer, keyId: "k", fields });
  const refused = { code: RpcCode.invalidParams, message: "no" };
  log.add({ error: new DaemonError("INVALID_PARAMS", "no"), answer: refused, keyId: "k", fields });
  expect(lines.map(({ level }) => level)).toEqual(["warn", "error", "debug"]);
  expect(lines[1]?.fields).toMatchObject({ error: bug });
});
