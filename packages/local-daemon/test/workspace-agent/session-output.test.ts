import type { Transport } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { SessionOutput } from "../../src/workspace-agent/session-output.js";

/** A transport that is full after each message. */
function narrow() {
  const sent: string[] = [];
  const transport: Transport = {
    bufferedBytes: 0,
    onMessage: undefined,
    onWritable: undefined,
    onClose: undefined,
    send: (text) => sent.push(text) < 0,
    close: () => {},
    terminate: () => {},
  };
  return { transport, sent, output: new SessionOutput(transport) };
}

const never = new AbortController().signal;

describe("SessionOutput", () => {
  test("is ready at once while the pipe takes more", async () => {
    await expect(narrow().output.ready(never)).resolves.toBeUndefined();
  });

  test("after a full pipe is ready only when it was writable and the event loop has turned", async () => {
    const { transport, output } = narrow();
    output.state("thinking");
    expect(output.isFull).toBe(true);
    const order: string[] = [];
    const ready = output.ready(never).then(() => order.push("ready"));
    setImmediate(() => order.push("a turn of the loop, in which stdin is read"));
    transport.onWritable?.();
    await ready;
    expect(order).toEqual(["a turn of the loop, in which stdin is read", "ready"]);
    expect(output.isFull).toBe(false);
  });

  test("stops waiting when the turn is interrupted, and keeps no listener", async () => {
    const { transport, output } = narrow();
    const abort = new AbortController();
    output.state("thinking");
    const ready = output.ready(abort.signal);
    abort.abort();
    await ready;
    expect(() => transport.onWritable?.()).not.toThrow();
  });

  test("tells a state only when it changes, and every frame names the session", () => {
    const { output, sent } = narrow();
    output.sessionId = "s-1";
    output.state("idle");
    output.state("thinking");
    output.state("thinking");
    expect(sent).toHaveLength(1);
    expect(JSON.parse(sent[0] ?? "")).toMatchObject({
      params: { sessionId: "s-1", notification: { newState: "thinking" } },
    });
  });
});
