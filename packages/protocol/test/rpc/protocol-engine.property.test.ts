import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { DaemonError, ProtocolEngine } from "../../src/index.js";
import { failure, LinkedTransport, result } from "./linked-transport.js";

afterEach(() => void vi.useRealTimers());

const CALLS = 4;
const id = fc.integer({ min: 0, max: CALLS });

/** What may happen to the calls 0 … CALLS-1; id CALLS is one that nobody made. */
const happening = fc.oneof(
  { weight: 3, arbitrary: id.map((call) => ({ kind: "call" as const, call })) },
  { weight: 3, arbitrary: id.map((call) => ({ kind: "result" as const, call })) },
  { weight: 2, arbitrary: id.map((call) => ({ kind: "error" as const, call })) },
  { weight: 1, arbitrary: id.map((call) => ({ kind: "malformed" as const, call })) },
  { weight: 1, arbitrary: id.map((call) => ({ kind: "abort" as const, call })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }).map((ms) => ({ kind: "time" as const, ms })) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "lost" as const }, { kind: "close" as const }) },
);

test("every call settles exactly once, whatever happens in whatever order, and no response is delivered twice", async () => {
  vi.useFakeTimers();
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (script) => {
      const link = new LinkedTransport();
      const engine = new ProtocolEngine(link, { prefix: "daemon" });
      const settled: number[] = new Array(CALLS).fill(0);
      const delivered: number[] = new Array(CALLS).fill(0);
      const aborts = Array.from({ length: CALLS }, () => new AbortController());
      const made = new Set<number>();
      let responses = 0;
      let taken = 0;
      let ended = false;

      const makeCall = (call: number) => {
        if (call === CALLS || made.has(call)) return;
        made.add(call);
        const onResult = () => delivered.splice(call, 1, (delivered[call] ?? 0) + 1);
        const options = { id: `c${call}`, timeoutMs: 50, signal: aborts[call]?.signal as AbortSignal, onResult };
        const count = (hasResponse: boolean) => {
          settled.splice(call, 1, (settled[call] ?? 0) + 1);
          if (hasResponse) taken++;
        };
        engine.requestNamed("anything", {}, options).then(
          () => count(true),
          (error) => count(DaemonError.is(error, "REMOTE_ERROR")),
        );
      };
      const respond = (text: object) => {
        if (!ended) responses++;
        link.deliver(text);
      };
      for (const step of script) {
        if (step.kind === "call") makeCall(step.call);
        else if (step.kind === "result") respond(result(`c${step.call}`));
        else if (step.kind === "error") respond(failure(`c${step.call}`, -32603));
        else if (step.kind === "malformed") link.deliver({ ...result(`c${step.call}`), factoryApiVersion: "0" });
        else if (step.kind === "abort") aborts[step.call]?.abort();
        else if (step.kind === "time") await vi.advanceTimersByTimeAsync(step.ms);
        else {
          if (step.kind === "lost") link.terminate();
          else engine.close();
          ended = true;
        }
      }
      await vi.advanceTimersByTimeAsync(60);
      expect(settled).toEqual(settled.map((_, call) => (made.has(call) ? 1 : 0)));
      expect(delivered.every((times) => times <= 1)).toBe(true);
      expect(engine.counters.strayResponses).toBe(responses - taken);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 300 },
  );
});
