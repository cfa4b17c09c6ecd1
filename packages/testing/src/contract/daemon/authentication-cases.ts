import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../expectation.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";

const caller = "daemon-contract";
const WRONG = "wrong-credential-of-the-daemon-contract";

/** The method of each capability (docs/protocol.md §4). */
const METHOD_OF: Readonly<Record<string, string>> = {
  detach: "detach_session",
  resume: "resume_session",
  credit: "follow_session",
  receipts: "get_receipts",
  requests: "list_requests",
  ping: "ping",
  metrics: "get_metrics",
  tickets: "create_ticket",
};

/** docs/protocol.md §3 and §4: authentication and capabilities. */
export const AUTHENTICATION_CASES: readonly DaemonCase[] = [
  daemonCase("P3.1-first", "before authentication every other method is answered with -32001", async (bench) => {
    const client = await bench.open();
    for (const method of ["list_opened_sessions", "initialize_session", "no_such_method"]) {
      expectEqual(await client.codeOf(method), -32_001, `the code of ${method}`);
    }
    await client.result("authenticate", { caller, ...bench.harness.credential });
    expectEqual(await client.codeOf("list_opened_sessions"), undefined, "the code after it");
  }),

  daemonCase("P3.2-accepted", "the answer names user and org; connection_status follows", async (bench) => {
    const client = await bench.open();
    const result = await client.result("authenticate", { caller, ...bench.harness.credential });
    expectEqual([typeof result.userId, typeof result.orgId], ["string", "string"], "types of userId and orgId");
    await client.waitFor(({ method }) => method === "daemon.connection_status", "connection_status", 1);
  }),

  daemonCase("P3.3-refused", "whatever is wrong with a credential, the refusal is the same -32001", async (bench) => {
    const errors: unknown[] = [];
    for (const wrong of [{ token: WRONG }, { apiKey: WRONG }, { proof: WRONG }, { ticket: WRONG }]) {
      const client = await bench.open();
      errors.push((await client.call("authenticate", { caller, ...wrong })).error);
    }
    const [first] = errors as { code: number }[];
    expectEqual(first?.code, -32_001, "the code");
    expectEqual(
      errors,
      errors.map(() => first),
      "refusals",
    );
  }),

  daemonCase("P3.4-params", "params without a caller or a credential are answered with -32602", async (bench) => {
    const client = await bench.open();
    expectEqual(await client.codeOf("authenticate", { ...bench.harness.credential }), -32_602, "without a caller");
    expectEqual(await client.codeOf("authenticate", { caller }), -32_602, "without a credential");
  }),

  daemonCase(
    "P3.5-three-attempts",
    "the third refusal on a connection is answered, and ends it with 4401",
    async (bench) => {
      const client = await bench.open();
      const ids = [WRONG, WRONG, WRONG].map((token) => client.request("authenticate", { caller, token }));
      expectEqual((await client.ended()).code, 4401, "the code");
      const answered = ids.filter((id) => client.frames.some((frame) => frame.id === id));
      expectEqual(answered.length, 3, "answers");
    },
  ),

  daemonCase(
    "P3.6-deadline",
    "who does not authenticate is cut off with 4401",
    async (bench) => {
      const silent = await bench.open();
      const authenticated = await bench.client();
      await bench.harness.passTime?.(2_500);
      expectEqual((await silent.ended()).code, 4401, "the code");
      await bench.settle(authenticated);
    },
    ["deadlines"],
  ),

  daemonCase("P3.7-logout", "logout is accepted, and the connection closed politely", async (bench) => {
    const client = await bench.client();
    expectEqual(await client.result("logout"), { accepted: true }, "the result");
    const { clean, code } = await client.ended();
    expectEqual({ clean, code }, { clean: true, code: 1000 }, "the end");
  }),

  daemonCase("P3.8-either-field", "the credential is accepted in token and in apiKey", async (bench) => {
    const { token, apiKey } = bench.harness.credential;
    const secret = token ?? apiKey;
    expectThat(secret !== undefined, "the harness gives no token or apiKey to try");
    for (const credential of [{ token: secret }, { apiKey: secret }]) await bench.client(credential);
  }),

  daemonCase(
    "P3.9-own-sessions",
    "a key reaches the sessions made with it, others are -32004",
    async (bench) => {
      const [mine, theirs] = bench.harness.keys ?? [];
      const opened = await bench.session({ client: await bench.client(mine) });
      const stranger = await bench.client(theirs);
      const call = { sessionId: opened.sessionId, token: "key" };
      const nobody = newId();
      const unknown = await stranger.call("load_session", { ...call, sessionId: nobody });
      const foreign = await stranger.call("load_session", call);
      expectEqual(
        [foreign.error?.code, foreign.error?.message.replace(opened.sessionId, nobody)],
        [-32_004, unknown.error?.message],
        "the refusal",
      );
      expectEqual(await stranger.codeOf("add_user_message", { ...call, text: "x" }), -32_004, "the code of a message");
      const { sessions } = await stranger.result("list_opened_sessions");
      expectThat(
        !JSON.stringify(sessions).includes(opened.sessionId),
        "list_opened_sessions shows another key's session",
      );
      await bench.join(opened.sessionId, { client: await bench.client(mine) });
      await bench.join(opened.sessionId);
    },
    ["keys"],
  ),

  daemonCase(
    "P3.10-ticket",
    "a ticket authenticates one connection, and no second one",
    async (bench) => {
      const client = await bench.client();
      const { ticket } = await client.result("create_ticket");
      const first = await bench.client({ ticket: String(ticket) });
      await bench.settle(first);
      const second = await bench.open();
      expectEqual(await second.codeOf("authenticate", { caller, ticket }), -32_001, "the code of its second use");
    },
    ["tickets"],
  ),

  daemonCase(
    "P3.11-ticket-rights",
    "a ticket's connection reaches what its maker reaches",
    async (bench) => {
      const { client, sessionId } = await bench.session();
      const { ticket, expiresAt } = await client.result("create_ticket");
      expectThat(typeof expiresAt === "number", `expiresAt is ${String(expiresAt)}`);
      await bench.join(sessionId, { client: await bench.client({ ticket: String(ticket) }) });
    },
    ["tickets"],
  ),

  daemonCase(
    "P3.12-ticket-expiry",
    "a ticket that nobody used is worth nothing after a minute",
    async (bench) => {
      const { ticket } = await (await bench.client()).result("create_ticket");
      await bench.harness.passTime?.(61_000);
      const late = await bench.open();
      expectEqual(await late.codeOf("authenticate", { caller, ticket }), -32_001, "the code");
    },
    ["tickets", "fake-clock"],
  ),

  daemonCase(
    "P4.1-honesty",
    "the methods of offered capabilities exist, those of others are unknown",
    async (bench) => {
      const client = await bench.open();
      const result = await client.result("authenticate", { caller, ...bench.harness.credential });
      const offered = (result.capabilities ?? {}) as Record<string, unknown>;
      for (const [capability, method] of Object.entries(METHOD_OF)) {
        const isUnknown = (await client.codeOf(method, { sessionId: "nobody" })) === -32_601;
        const isOffered = offered[capability] === true;
        expectThat(
          isUnknown !== isOffered,
          `${capability} is ${isOffered ? "" : "not "}offered, ${method} says otherwise`,
        );
      }
    },
  ),

  daemonCase(
    "P4.2-values",
    "a capability is true, a list of names or a bound, and absent when it is off",
    async (bench) => {
      const client = await bench.open();
      const { capabilities = {} } = await client.result("authenticate", { caller, ...bench.harness.credential });
      for (const [name, value] of Object.entries(capabilities as object)) {
        const isNames = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
        const isBound = Number.isInteger(value) && value > 0;
        const isAsIts = name === "agents" ? isNames : name === "maxMessageBytes" ? isBound : value === true;
        expectThat(isAsIts, `${name} is ${JSON.stringify(value)}`);
      }
    },
  ),
];
