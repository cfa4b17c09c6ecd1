import assert from "node:assert/strict";
import { get } from "node:http";
import { connectDaemon } from "@daemon-sdk/client";
import { ConnectionError } from "@daemon-sdk/protocol";
import { Credentials } from "../../../packages/local-daemon/src/access/credentials.js";
import { createNonce, createProof, PROOF_HEADERS } from "../../../packages/local-daemon/src/access/proof.js";
import { createToken } from "../../../packages/local-daemon/src/rendezvous/token.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { RawClient } from "../support/raw-client.js";
import { type Headers, openStranger } from "../support/stranger.js";
import { welchT } from "../support/welch.js";

const TRIES = 20_000;
const REFUSAL_MS = 10;

/** S1: no credential but the right one, and nothing learned from trying. */
export const credentialScenarios: readonly FaultScenario[] = [
  {
    id: "S1",
    title: "wrong credentials are refused alike and tell nothing; a stranger on the port gets nothing",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await startForeground();
      const refused = await wrongCredentials(daemon, context);
      const strangers = await refuseStrangers(daemon);
      return `${refused}; ${strangers} strangers refused; ${timing(context)}`;
    },
  },
];

/** What may be presented instead of the token. */
function wrongOnes(token: string): readonly [string, object][] {
  const swapped = token.replace(/[a-z]/i, (letter) =>
    letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
  );
  return [
    ["an empty token", { token: "" }],
    ["another token", { token: createToken() }],
    ["a prefix", { token: token.slice(0, -1) }],
    ["a suffix", { token: token.slice(1) }],
    ["the token and more", { token: `${token}x` }],
    ["another case", { token: swapped }],
    ["a key", { apiKey: "fk-not-configured-0000" }],
    ["a proof nobody asked for", { proof: "0".repeat(64) }],
  ];
}

async function wrongCredentials(daemon: ForegroundDaemon, context: FaultContext): Promise<string> {
  const answers = new Set<string>();
  const times: number[] = [];
  const cases = [...wrongOnes(daemon.token), ["yesterday's token", { token: await tokenOfYesterday() }] as const];
  for (const [name, credential] of cases) {
    using client = await RawClient.dial(daemon.url);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const started = performance.now();
      const { error } = await client.call("authenticate", { caller: "faults", ...credential });
      times.push(performance.now() - started);
      assert.equal(error?.code, -32001, name);
      answers.add(JSON.stringify(error));
    }
    assert.equal(await client.closed, 4401, `${name}: closed after the third`);
  }
  using mute = await RawClient.dial(daemon.url);
  assert.equal((await mute.call("authenticate", { caller: "faults" })).error?.code, -32602, "no credential at all");
  const long = await mute.call("authenticate", { caller: "faults", token: "x".repeat(2 ** 20) });
  assert.equal(long.error?.code, -32602, "one of 1 MiB is past the bound of every string, and is not compared");
  assert.equal((await mute.call("list_opened_sessions", {})).error?.code, -32001, "another method first");
  assert.equal(answers.size, 1, "all answers are the same");
  const median = quantile(times, 0.5);
  assert.ok(median <= REFUSAL_MS * context.slowness, `a refusal took ${round(median)} ms`);
  return `${cases.length} kinds refused alike, p50 ${round(median)} ms, closed after the third`;
}

/** A token that was good until its daemon was started again. */
async function tokenOfYesterday(): Promise<string> {
  await using daemon = await startForeground();
  return daemon.token;
}

type Answer = (request: Headers, token: string, port: number) => Headers | Promise<Headers>;

const claims = (serverNonce: string, proof: string): Headers => ({
  [PROOF_HEADERS.serverNonce]: serverNonce,
  [PROOF_HEADERS.instance]: "instance",
  [PROOF_HEADERS.version]: "1",
  [PROOF_HEADERS.proof]: proof,
});

const contextOf = (clientNonce: string, port: number) => ({
  version: "1",
  instanceId: "instance",
  clientNonce,
  serverNonce: createNonce(),
  authority: `127.0.0.1:${port}`,
});

/** What a stranger may answer. Some of them are given proofs that only the daemon could have made, for another purpose. */
const STRANGERS: readonly (readonly [string, Answer])[] = [
  ["says nothing", () => ({})],
  ["reflects", (request) => claims(request[PROOF_HEADERS.clientNonce] ?? "", "0".repeat(64))],
  [
    "replays a proof of another nonce",
    (_request, token, port) => {
      const old = contextOf(createNonce(), port);
      return claims(old.serverNonce, createProof(token, "server", old));
    },
  ],
  [
    "replays a proof of the client's kind",
    (request, token) => {
      const own = contextOf(request[PROOF_HEADERS.clientNonce] ?? "", Number(request.host?.split(":")[1]));
      return claims(own.serverNonce, createProof(token, "client", own));
    },
  ],
  ["forwards", (request, _token, port) => forwarded(request, port)],
];

async function refuseStrangers(daemon: ForegroundDaemon): Promise<number> {
  process.env.DAEMON_SDK_HOME = daemon.stateDir;
  for (const [name, answer] of STRANGERS) {
    await using stranger = await openStranger((request) => answer(request, daemon.token, daemon.port));
    const error: unknown = await connectDaemon({ daemonPort: stranger.port }).catch((reason: unknown) => reason);
    assert.ok(ConnectionError.is(error, "PEER_NOT_PROVEN"), `a stranger that ${name}: ${String(error)}`);
    assert.equal(await stranger.content(), "", `a stranger that ${name} gets no byte of content`);
    assert.ok(!stranger.heard().includes(daemon.token), name);
  }
  return STRANGERS.length;
}

/** The real daemon's own answer to the client's headers, fetched from it. */
function forwarded(request: Headers, port: number): Promise<Headers> {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", host: `127.0.0.1:${port}` };
  return new Promise((resolve) => {
    get(`http://127.0.0.1:${port}/`, { headers: { ...request, ...upgrade } }).on("upgrade", (response, socket) => {
      socket.destroy();
      const own = Object.entries(response.headers).filter(([name]) => name.startsWith("x-daemon-sdk"));
      resolve(Object.fromEntries(own) as Headers);
    });
  });
}

/** The comparison itself, in this process, where the least difference would show: first character wrong, or last. */
function timing(context: FaultContext): string {
  const tries = Math.max(2_000, context.count(TRIES));
  const token = createToken();
  const credentials = new Credentials({ token, apiKeys: [] });
  const other = (letter: string | undefined) => (letter === "A" ? "B" : "A");
  const firstWrong = `${other(token[0])}${token.slice(1)}`;
  const lastWrong = `${token.slice(0, -1)}${other(token.at(-1))}`;
  const times: [number[], number[]] = [[], []];
  const warmUp = tries / 10;
  for (let index = -warmUp; index < tries * 2; index += 1) {
    const which = context.below(2) as 0 | 1;
    const params = { caller: "faults", token: which === 0 ? firstWrong : lastWrong };
    const started = process.hrtime.bigint();
    const owner = credentials.identify(params, () => false);
    const took = Number(process.hrtime.bigint() - started);
    assert.equal(owner, undefined);
    if (index >= 0) times[which].push(took);
  }
  const t = welchT(...times);
  assert.ok(Math.abs(t) < 4.5, `the place of the wrong character shows: t = ${t.toFixed(2)}`);
  return `|t| ${Math.abs(t).toFixed(2)} over ${tries} tries each (in this process)`;
}
