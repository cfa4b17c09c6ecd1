import { fileURLToPath } from "node:url";
import type { Receipt } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { daemonDesk } from "../server/daemon-desk.js";

const program = fileURLToPath(new URL("../fixtures/meta-agent.mjs", import.meta.url));
const S = "5a000000-0000-4000-8000-00000000000c";
const TRACE = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "vendor=1" };

const CASES: readonly (readonly [sent: object, received: object | null])[] = [
  [TRACE, TRACE],
  [{ traceparent: "nonsense", tracestate: "vendor=1", epoch: 3, seq: 4 }, null],
  [{ ...TRACE, tracestate: "x".repeat(513) }, { traceparent: TRACE.traceparent }],
];

test.each([
  ["stream-jsonrpc", []],
  ["acp", ["acp"]],
] as const)(
  "an agent of the driver %s gets the trace of the client, and nothing that is no trace",
  async (driver, args) => {
    await using desk = daemonDesk();
    await desk.start({
      agents: { meta: { command: [process.execPath, program, ...args], driver } },
      defaultAgent: "meta",
    });
    const client = await desk.connect();
    await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd, sessionId: S });
    for (const [index, [sent, received]] of CASES.entries()) {
      const messageId = `m${index}`;
      const call = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", id: messageId, _meta: sent };
      const params = { sessionId: S, text: "x", messageId };
      client.sendText(JSON.stringify({ ...call, method: "daemon.add_user_message", params }));
      await client.turnEnd(messageId);
      const { result } = await client.call("get_receipts", { sessionId: S, messageIds: [messageId] });
      const [receipt] = result.receipts as Receipt[];
      expect(JSON.parse(receipt?.text ?? "")).toEqual(received);
    }
  },
);
