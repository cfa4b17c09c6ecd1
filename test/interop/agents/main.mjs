/**
 * Published agents through the real daemon, and a published client through its other face. Started by
 * scripts/interop-agents.mjs, which installs them. Words after the flags choose agents and scenarios.
 */
import { AGENTS, versionOf } from "./agents.mjs";
import { Conversation } from "./conversation.mjs";
import { COMMAND_LINE, hasFace, neverAnswersInitialize, runFace } from "./machine-scenarios.mjs";
import { ModelServer } from "./model-server.mjs";
import { Results } from "./results.mjs";
import { SCENARIOS } from "./scenarios.mjs";
import { Workplace } from "./workplace.mjs";

const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const isDocumented = process.argv.includes("--write");
const chosen = (names) => {
  const found = names.filter((name) => words.includes(name.replaceAll(" ", "-")));
  return found.length === 0 ? names : found;
};

const isChosen = (name) => words.length === 0 || words.includes(name);

/** All, unless the words name some; none when they name only what is no agent. */
function chosenAgents() {
  const names = AGENTS.map((agent) => agent.name);
  const isOther = words.length > 0 && words.every((word) => word === "acpx" || word === "stand-in");
  return isOther ? [] : chosen(names);
}

const results = new Results(Object.fromEntries(AGENTS.map((agent) => [agent.name, versionOf(agent.package)])));
const model = await new ModelServer().start();
try {
  for (const name of chosenAgents()) {
    await runAgent(AGENTS.find((agent) => agent.name === name));
    await runCommandLine(name);
  }
  if (isChosen("stand-in")) {
    console.log("stand-in");
    await results.check("stand-in", "never answers initialize", neverAnswersInitialize);
  }
  if (isChosen("acpx")) await runAcpx();
} finally {
  model.stop();
}
process.exitCode = results.finish({ isDocumented });

async function runCommandLine(name) {
  for (const scenario of chosen(Object.keys(COMMAND_LINE))) {
    await results.check(name, scenario, () => COMMAND_LINE[scenario](name, model));
  }
}

async function runAcpx() {
  console.log("acpx, against local-daemon acp");
  if (await hasFace()) await runFace((scenario, run) => results.check(`acpx ${versionOf("acpx")}`, scenario, run));
  else console.log("  not run: this build has no `local-daemon acp`");
}

async function runAgent(agent) {
  console.log(`${agent.name} (${agent.package})`);
  const place = new Workplace([agent], model.url);
  await place.startDaemon();
  let connection = await place.connect();
  const reconnect = async () => {
    await connection.close();
    connection = await place.connect();
    return connection;
  };
  const open = () => Conversation.open(connection, { agent: agent.name, cwd: place.project });
  try {
    for (const scenario of chosen(Object.keys(SCENARIOS))) {
      const lack = agent.lacks[scenario];
      if (lack !== undefined) results.notOffered(agent.name, scenario, lack);
      else {
        await results.check(agent.name, scenario, async () => {
          const talk = await open();
          try {
            return await SCENARIOS[scenario]({ agent, place, model, talk, open, reconnect });
          } finally {
            await talk.close().catch(() => {});
          }
        });
      }
    }
  } finally {
    await connection.close();
    await place.stopDaemon();
    place.remove();
  }
}
