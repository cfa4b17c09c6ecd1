import { setTimeout as delay } from "node:timers/promises";
import { type AgentSpawner, createDaemon } from "@daemon-sdk/local-daemon/server";
import { endWithScenario, type Message, say } from "./role.js";

const TICK_MS = 10;
const AGENTS = 20_000;
const TICKS_PER_SECOND = 1_000 / TICK_MS;

type Tell = (text: string) => void;

/**
 * A whole daemon whose agents are functions: ten thousand processes would measure this machine and not the daemon. `{ seconds }`
 * has each session tell one event a second, evenly spread, with the time in it; `{ memory }` tells what the daemon holds, `{ cpu }` what it
 * has used of the processor.
 */
export async function playTickingDaemon([stateDir = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  const agents: Tell[] = [];
  // A function takes no memory to speak of, and no time to start.
  const limits = { liveAgents: AGENTS, liveAgentsPerKey: AGENTS, agentStarts: AGENTS };
  const daemon = await createDaemon({ stateDir, port: 0, spawner: tickingSpawner(agents), limits });
  process.on("message", (message: Message) => {
    if (message.cpu === true) {
      const { user, system } = process.cpuUsage();
      say({ micros: user + system });
    } else if (message.memory === true) {
      void heldBytes().then((rss) => say({ rss }));
    } else if (message.seconds !== undefined) {
      void tick(agents, Number(message.seconds)).then((told) => say({ told }));
    }
  });
  say({ port: daemon.endpoint.port });
}

/** What the process holds. Pages that a collection frees are given back to the system by a thread, soon after it. */
async function heldBytes(): Promise<number> {
  globalThis.gc?.();
  await delay(100);
  return process.memoryUsage().rss;
}

/** Each session once a second, a hundredth of them every 10 ms; what a late timer missed is told at once. */
async function tick(agents: readonly Tell[], seconds: number): Promise<number> {
  const ticks = seconds * TICKS_PER_SECOND;
  const started = performance.now();
  let done = 0;
  let told = 0;
  return await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(ticks, Math.floor((performance.now() - started) / TICK_MS));
      // Made once a tick, not for each: no later than any of them is told.
      const now = String(performance.timeOrigin + performance.now());
      for (; done < due; done += 1) {
        for (let index = done % TICKS_PER_SECOND; index < agents.length; index += TICKS_PER_SECOND) {
          agents[index]?.(now);
          told += 1;
        }
      }
      if (done < ticks) return;
      clearInterval(timer);
      resolve(told);
    }, TICK_MS);
  });
}

function tickingSpawner(agents: Tell[]): AgentSpawner {
  return {
    async spawn(_spec, sessionId, _cwd, events) {
      agents.push((textDelta) =>
        events.onNotification({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta }, undefined),
      );
      return {
        // Nobody's: it must name no process that the daemon could end.
        pid: 2 ** 30 + agents.length,
        startTime: "none",
        open: async () => ({ agentSessionId: sessionId, settings: { modelId: "none", reasoningEffort: "none" } }),
        prompt: async () => {},
        interrupt: async () => {},
        call: async () => ({}),
        setPaused: () => {},
        stop: async () => ({ exitCode: 0, signal: null, stderr: "", expected: true }),
      };
    },
    launch: () => Promise.reject(new TypeError("This daemon starts no programs.")),
  };
}
