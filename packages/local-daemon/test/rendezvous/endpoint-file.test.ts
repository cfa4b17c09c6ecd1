import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resolveLocalAuthToken } from "../../src/rendezvous/auth-token.js";
import { type EndpointRecord, readEndpoint, writeEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { createToken, readToken, writeToken } from "../../src/rendezvous/token.js";
import { tempHome } from "./temp-home.js";

const record: EndpointRecord = {
  socket: "/run/user/1/daemon-sdk/daemon.sock",
  port: 37_643,
  pid: 4711,
  startTime: "2026-01-01T00:00:00.000Z",
  instanceId: "5f0c2a0e-93a5-4c0f-8f53-0d5f4b9b7c11",
  version: "1.2.3",
};

test("an endpoint is read as it was written", async () => {
  using home = tempHome();
  await writeEndpoint(home.path, record);
  expect(await readEndpoint(home.path)).toEqual(record);
});

test("an endpoint file cut off anywhere says nothing (D2)", async () => {
  using home = tempHome();
  const whole = JSON.stringify(record);
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(join(home.path, "endpoint.json"), whole.slice(0, length), { mode: 0o600 });
    expect(await readEndpoint(home.path)).toBeUndefined();
  }
});

test("garbage in the endpoint file says nothing and never throws (D2)", async () => {
  using home = tempHome();
  const path = join(home.path, "endpoint.json");
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string(), fc.constant('{"__proto__":{"socket":"/x"}}')), async (text) => {
      writeFileSync(path, text, { mode: 0o600 });
      expect(await readEndpoint(home.path)).toBeUndefined();
    }),
    { numRuns: 100 },
  );
});

test.each([{ socket: "relative" }, { port: 0 }, { port: 65_536 }, { pid: -1 }, { instanceId: "" }, { version: 1 }])(
  "an endpoint with %o says nothing",
  async (change) => {
    using home = tempHome();
    writeFileSync(join(home.path, "endpoint.json"), JSON.stringify({ ...record, ...change }), { mode: 0o600 });
    expect(await readEndpoint(home.path)).toBeUndefined();
  },
);

test("files that others can read, links and huge ones are not believed", async () => {
  using home = tempHome();
  await writeToken(home.path, createToken());
  chmodSync(join(home.path, "token"), 0o640);
  expect(await readToken(home.path)).toBeUndefined();

  await writeEndpoint(home.path, record);
  mkdirSync(join(home.path, "other"));
  symlinkSync(join(home.path, "endpoint.json"), join(home.path, "other", "endpoint.json"));
  expect(await readEndpoint(join(home.path, "other"))).toBeUndefined();

  writeFileSync(join(home.path, "endpoint.json"), JSON.stringify({ ...record, filler: "x".repeat(100_000) }), {
    mode: 0o600,
  });
  expect(await readEndpoint(home.path)).toBeUndefined();
});

test("resolving the local token gives it, or undefined, and never throws", async () => {
  using home = tempHome();
  expect(await resolveLocalAuthToken({ stateDir: home.state })).toBeUndefined();
  mkdirSync(home.state, { mode: 0o700 });
  expect(await resolveLocalAuthToken({ stateDir: home.state })).toBeUndefined();
  const token = createToken();
  await writeToken(home.state, token);
  expect(await resolveLocalAuthToken({ stateDir: home.state })).toBe(token);
  chmodSync(home.state, 0o755);
  expect(await resolveLocalAuthToken({ stateDir: home.state })).toBeUndefined();
  expect(await resolveLocalAuthToken({ stateDir: "relative" })).toBeUndefined();
});
