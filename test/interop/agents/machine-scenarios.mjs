/** What is run with no published agent or with one, on a machine of its own: the command line, and the daemon's other face. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ACPX, AGENTS, NODE } from "./agents.mjs";
import { prompt } from "./model-script.mjs";
import { Workplace } from "./workplace.mjs";

const SILENT = fileURLToPath(new URL("silent-agent.mjs", import.meta.url));
const ANSWER = prompt("Say it.", [{ say: "The answer is 42." }]);
const run = promisify(execFile);

/** A program that answers nothing, in a daemon of its own. */
export async function neverAnswersInitialize() {
  const place = new Workplace([]);
  place.configure({ agents: { silent: { driver: "acp", command: ["node", SILENT], startTimeoutMs: 500 } } });
  await place.startDaemon();
  const connection = await place.connect();
  try {
    const sessionId = "00000000-0000-4000-8000-000000000001";
    const opened = connection.createSession({ agent: "silent", cwd: place.project, sessionId });
    await assert.rejects(opened, (error) => {
      assert.equal(error.data.code, "REQUEST_TIMEOUT");
      assert.match(error.message, /agent "silent" to initialize timed out/u);
      return true;
    });
    assert.deepEqual(place.agentPids(sessionId), []);
  } finally {
    await connection.close();
    await place.stopDaemon();
    place.remove();
  }
}

/** `local-daemon run --agent` where only that agent is installed, with a model and without a login. */
export const COMMAND_LINE = {
  async run(name, model) {
    await onMachineWith(name, model.url, async (place) => {
      const { code, stdout, stderr } = await place.run("run", "--agent", name, ANSWER);
      assert.deepEqual([code, stdout.trim()], [0, "The answer is 42."], stderr);
    });
  },

  async "run without a login"(name, model) {
    const agent = AGENTS.find((one) => one.name === name);
    await onMachineWith(name, undefined, async (place) => {
      agent.settleWithoutLogin?.(place.home, model.url);
      const { code, stderr } = await place.run("run", "--agent", name, ANSWER);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`local-daemon agents login ${name}`, "u"));
    });
  },
};

async function onMachineWith(name, modelUrl, use) {
  const place = new Workplace(
    AGENTS.filter((agent) => agent.name === name),
    modelUrl,
  );
  try {
    await use(place);
  } finally {
    await place.run("stop", "--now");
    place.remove();
  }
}

/** Whether this build has the face for ACP clients. */
export async function hasFace() {
  const place = new Workplace([]);
  try {
    return (await place.run("--help")).stdout.includes("\n  acp ");
  } finally {
    place.remove();
  }
}

/** acpx, a published client of ACP, against `local-daemon acp` with the embedded agent. */
export const FACE = {
  async prompt(acpx) {
    assert.match(await acpx("exec", "say Hello from the daemon."), /Hello from the daemon\./u);
  },

  async "permission allow"(acpx, place) {
    await acpx("exec", "run echo allowed > acpx-allowed.txt");
    assert.match((await run("cat", ["acpx-allowed.txt"], { cwd: place.project })).stdout, /allowed/u);
  },

  async "permission refuse"(acpx, place) {
    await acpx.refusing("exec", "run echo no > acpx-refused.txt").catch(() => {});
    await assert.rejects(run("cat", ["acpx-refused.txt"], { cwd: place.project }));
  },

  async "two prompts of a session"(acpx) {
    await acpx("sessions", "new");
    await acpx("prompt", "say One.");
    assert.match(await acpx("prompt", "recall"), /say One\./u);
  },

  async cancel(acpx, place) {
    await acpx("sessions", "new");
    const counting = acpx("prompt", "write begun.txt: yes ; then count 5000 every 20").catch(
      (error) => error.stdout ?? "",
    );
    await until(() => existsSync(`${place.project}/begun.txt`));
    await acpx("cancel");
    assert.doesNotMatch(await counting, /4999/u);
    assert.match(await acpx("prompt", "say Still here."), /Still here\./u);
  },

  async "load after restart"(acpx, place) {
    await acpx("sessions", "new");
    await acpx("prompt", "say Before the restart.");
    // The process of acpx that keeps the agent ends, and the daemon does; both begin anew.
    await setTimeout(3000);
    await place.run("stop", "--now");
    assert.match(await acpx("prompt", "recall"), /say Before the restart\./u);
  },
};

async function until(isTrue) {
  while (!isTrue()) await setTimeout(20);
}

/** Runs these scenarios on one machine. `check` is called with the name and the run of each. */
export async function runFace(check) {
  const place = new Workplace([]);
  const face = `${process.execPath} ${place.program} acp`;
  const call = async (policy, args) => {
    const options = { cwd: place.project, env: place.env, timeout: 60_000 };
    const flags = ["--agent", face, "--cwd", place.project, policy, "--ttl", "1"];
    return (await run(NODE, [ACPX, ...flags, ...args], options)).stdout;
  };
  const acpx = (...args) => call("--approve-all", args);
  acpx.refusing = (...args) => call("--deny-all", args);
  try {
    for (const [name, scenario] of Object.entries(FACE)) await check(name, () => scenario(acpx, place));
  } finally {
    await place.run("stop", "--now");
    place.remove();
  }
}
