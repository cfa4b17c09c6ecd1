import { newId, type SessionId, silentLogger } from "@daemon-sdk/protocol";
import { describe, expect, it } from "vitest";
import { TaskAgent, type TaskAnswer } from "../../../src/relay/workers/task-agent.js";
import { type FakeAgent, FakeSpawner } from "../../sessions/fake-agent.js";

const spec = { name: "fake", command: ["fake"], driver: "stream-jsonrpc" } as const;

async function start(options: { model?: string; interactive?: boolean } = {}) {
  const spawner = new FakeSpawner();
  const worker = await TaskAgent.start({
    ...options,
    spawner,
    spec,
    sessionId: newId<SessionId>(),
    cwd: "/",
    logger: silentLogger,
  });
  return { worker, agent: spawner.agents[0] as FakeAgent };
}

/** Hands in a task; `log` tells what happened to it, in order. */
function work(worker: TaskAgent, text: string, log: string[] = []): Promise<TaskAnswer> {
  return new Promise((resolve) =>
    worker.work({
      text,
      onAccepted: () => log.push(`accepted ${text}`),
      onAnswered: (answer) => {
        log.push(`answered ${text}`);
        resolve(answer);
      },
    }),
  );
}

describe("TaskAgent", () => {
  it("answers a task with the agent's last message that has text", async () => {
    const { worker, agent } = await start();
    agent.onPrompt = () => {
      agent.delta("thinking aloud");
      agent.message("a-1", "assistant", "first");
      agent.message("a-2", "assistant", "the answer");
      agent.message("a-3", "assistant", "");
      agent.end();
    };
    expect(await work(worker, "go")).toEqual({ text: "the answer", reason: "completed" });
    expect(agent.prompts.map(({ text }) => text)).toEqual(["go"]);
  });

  it("answers with the streamed text of an agent that writes no messages", async () => {
    const { worker, agent } = await start();
    agent.onPrompt = () => {
      agent.delta("old", "a-1");
      agent.delta("new ", "a-2");
      agent.delta("text", "a-2");
      agent.end();
    };
    expect((await work(worker, "go")).text).toBe("new text");
  });

  it("hands over one task at a time, in order, and answers each", async () => {
    const { worker, agent } = await start();
    const log: string[] = [];
    agent.onPrompt = ({ text }) => {
      agent.message("a", "assistant", `done ${text}`);
      agent.end();
    };
    const answers = await Promise.all(["1", "2", "3"].map((text) => work(worker, text, log)));
    expect(answers.map(({ text }) => text)).toEqual(["done 1", "done 2", "done 3"]);
    expect(log).toEqual(["1", "2", "3"].flatMap((text) => [`accepted ${text}`, `answered ${text}`]));
  });

  it("says why a turn ended that did not complete, beside what was said", async () => {
    const { worker, agent } = await start();
    agent.onPrompt = () => {
      agent.message("a", "assistant", "half");
      agent.end("error", { message: "The model is gone." });
    };
    expect(await work(worker, "go")).toEqual({ text: "half\nThe model is gone.", reason: "error" });
  });

  it("answers the running task and every waiting one when the agent dies", async () => {
    const { worker, agent } = await start();
    const log: string[] = [];
    const running = work(worker, "1", log);
    const waiting = work(worker, "2", log);
    await agent.prompted(1);
    agent.die(9);
    expect((await running).reason).toBe("agent_exited");
    expect(await waiting).toMatchObject({ reason: "not_started", text: expect.stringContaining("exit code 9") });
    expect(await worker.gone).toMatchObject({ exitCode: 9 });
    expect(log).toEqual(["accepted 1", "answered 1", "answered 2"]);
  });

  it("answers what is handed in after the agent's end", async () => {
    const { worker } = await start();
    await worker.stop();
    expect(await work(worker, "late")).toMatchObject({ reason: "not_started" });
  });

  it("lets the agent act without asking, and starts it with the model that was asked for", async () => {
    const { agent } = await start({ model: "m-1" });
    expect(agent.starts[0]?.settings).toEqual({ autonomyLevel: "high", modelId: "m-1" });
    agent.ask("request_permission", { toolUses: [], options: [{ label: "Yes", value: "proceed_once" }] });
    agent.ask("request_permission", { toolUses: [], options: [] });
    agent.ask("ask_user", { questions: [] });
    expect(agent.answers).toEqual([
      { selectedOption: "proceed_once" },
      { selectedOption: "cancel" },
      { cancelled: true, answers: [] },
    ]);
  });

  it("refuses what an interactive agent asks for, because nobody is there to answer", async () => {
    const { agent } = await start({ interactive: true });
    expect(agent.starts[0]?.settings).toEqual({ autonomyLevel: "off" });
    agent.ask("request_permission", { toolUses: [], options: [{ label: "Yes", value: "proceed_once" }] });
    expect(agent.answers).toEqual([{ selectedOption: "cancel" }]);
  });

  it("switches the model and tells the former one", async () => {
    const { worker, agent } = await start();
    expect(await worker.setModel("m-2", 100)).toBe("fake-1");
    expect(agent.calls).toEqual([{ method: "update_session_settings", params: { modelId: "m-2" } }]);
    expect(worker.model).toBe("m-2");
  });

  it("leaves nothing behind when the agent cannot open its conversation", async () => {
    const spawner = new FakeSpawner();
    spawner.onSpawn = (agent) => {
      agent.open = () => Promise.reject(new TypeError("no"));
    };
    const options = { spawner, spec, sessionId: newId<SessionId>(), cwd: "/", logger: silentLogger };
    await expect(TaskAgent.start(options)).rejects.toThrow("no");
    expect(spawner.agents[0]?.hasExited).toBe(true);
  });
});
