import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { AgentExit } from "../../../src/agents/agent.js";
import {
  ClientTerminals,
  type StartCommand,
} from "../../../src/agents/drivers/acp/client-services/client-terminals.js";

const EXIT = { exitCode: null, signal: "SIGKILL" } as AgentExit;

test("a command that starts while the turn ends is gone when the end of the turn says that none is left", async () => {
  const [isStarting, asked, gone] = [new Settable<void>(), new Settable<void>(), new Settable<AgentExit>()];
  const process = new Settable<Awaited<ReturnType<StartCommand>>>();
  const terminals = new ClientTerminals({
    start: () => {
      isStarting.resolve();
      return process.promise;
    },
    cwd: () => import.meta.dirname,
    isInTurn: () => true,
    onOutput: () => {},
  });
  const created = terminals.create({ command: "sleep" });
  created.catch(() => {});
  await isStarting.promise;
  const steps: string[] = [];
  const ended = terminals.endAll().then(() => steps.push("none is left"));
  const stop = () => {
    asked.resolve();
    return gone.promise;
  };
  process.resolve({ stdin: new PassThrough(), stdout: new PassThrough(), gone: gone.promise, stop });
  await asked.promise;
  await new Promise(setImmediate);
  steps.push("gone");
  gone.resolve(EXIT);
  await expect(created).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  await ended;
  expect(steps).toEqual(["gone", "none is left"]);
});

/** A promise that is resolved from outside. */
class Settable<Value> {
  resolve: (value: Value) => void = () => {};
  readonly promise = new Promise<Value>((resolve) => {
    this.resolve = resolve;
  });
}
