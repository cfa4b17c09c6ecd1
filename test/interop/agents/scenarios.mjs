/** What is run with each agent: real daemon, our client, and a model that is scripted by the prompt. A throw is a failure. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { prompt } from "./model-script.mjs";

const RED_SQUARE =
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGO4IydHEmIY1TCqYfhqAACaMxgQdGu1YAAAAABJRU5ErkJggg==";

function expectSuccess(turn, text) {
  assert.equal(turn.result.subtype, "success", `${turn}`);
  if (text !== undefined) assert.equal(turn.result.text, text, `${turn}`);
}

/**
 * Every scenario in its order. Each gets the place, the model, the agent, and `talk`, an open session of its own. One returns
 * `notOffered` with the reason when what the agent cannot do ended as it has to.
 */
export const SCENARIOS = {
  async prompt({ talk }) {
    expectSuccess(await talk.turn(prompt("Say it.", [{ say: "The answer is 42." }])), "The answer is 42.");
  },

  async deltas({ talk }) {
    const turn = await talk.turn(prompt("Talk.", [{ flood: 40, everyMs: 5 }]));
    expectSuccess(turn);
    const deltas = turn.ofType("assistant_text_delta");
    assert.ok(deltas.length > 3, `${deltas.length} deltas`);
    assert.equal(turn.joined("assistant_text_delta").trim(), turn.result.text.trim());
    assert.match(turn.result.text, /^w0 .* w39/u);
  },

  async thinking({ talk }) {
    const turn = await talk.turn(prompt("Think.", [{ think: "I know a number." }, { say: "It is 42." }]));
    expectSuccess(turn, "It is 42.");
    const thinking = turn.joined("thinking_text_delta");
    assert.ok(thinking.includes("number."), `the thinking was "${thinking}"`);
    assert.equal(turn.ofType("thinking_text_complete").length, 1);
  },

  async tool({ talk, agent, place, model }) {
    const reading = [{ say: "I will read it." }, agent.read(join(place.project, "README.md"))];
    const turn = await talk.turn(prompt("Read the file.", reading, [{ say: "It says 42." }]));
    expectSuccess(turn, "It says 42.");
    assert.equal(turn.ofType("tool_call").length, 1);
    assert.deepEqual(
      turn.ofType("tool_result").map(({ isError }) => isError),
      [false],
    );
    assert.ok(model.requests.at(-1).includes("The answer is 42."), "the model got no content of the file");
  },

  async "permission allow"({ talk, agent, place }) {
    const asked = [];
    talk.answer = (request) => {
      asked.push(request);
      return "proceed_once";
    };
    const turn = await talk.turn(prompt("Run it.", [agent.run("echo allowed > allowed.txt")], [{ say: "Done." }]));
    expectSuccess(turn, "Done.");
    assert.equal(asked.length, 1, `${asked.length} permissions were asked`);
    const [{ details }] = asked[0].toolUses;
    assert.match(details.fullCommand ?? "", /echo allowed/u, JSON.stringify(details));
    assert.ok(existsSync(join(place.project, "allowed.txt")), "the command did not run");
    assert.deepEqual(
      turn.ofType("tool_result").map(({ isError }) => isError),
      [false],
    );
  },

  async "permission refuse"({ talk, agent, place }) {
    let asked = 0;
    talk.answer = () => {
      asked += 1;
      return "cancel";
    };
    const turn = await talk.turn(
      prompt("Run it.", [agent.run("echo no > refused.txt")], [{ say: "You did not let me." }]),
    );
    assert.equal(asked, 1, `${asked} permissions were asked`);
    assert.equal(turn.result.reason, "completed", `${turn}`);
    assert.deepEqual(
      turn.ofType("tool_result").map(({ isError }) => isError),
      [true],
    );
    expectSuccess(await talk.turn(prompt("Go on.", [{ say: "Still here." }])), "Still here.");
    assert.ok(!existsSync(join(place.project, "refused.txt")), "the command ran");
  },

  async "late answer after interrupt"({ talk, agent, place }) {
    let answer;
    const asked = new Promise((resolve) => {
      talk.answer = ({ signal }) => {
        resolve(signal);
        return new Promise((late) => {
          answer = late;
        });
      };
    });
    const running = talk.turn(prompt("Run it.", [agent.run("echo late > late.txt")], [{ say: "I ran it." }]));
    await asked;
    await talk.session.interrupt();
    answer("proceed_once");
    const turn = await running;
    assert.equal(turn.result.subtype, "interrupted", `${turn}`);
    // Two more turns: an agent that took the answer would have run the command meanwhile.
    talk.answer = () => "cancel";
    for (const text of ["Here.", "Still here."])
      expectSuccess(await talk.turn(prompt("Go on.", [{ say: text }])), text);
    assert.ok(!existsSync(join(place.project, "late.txt")), "the command ran after the interrupt");
  },

  async cancel({ talk }) {
    const { ended } = await talk.begin(prompt("Talk.", [{ flood: 4000, everyMs: 5 }]), "assistant_text_delta");
    await talk.session.interrupt();
    const turn = await ended;
    assert.equal(turn.result.subtype, "interrupted", `${turn}`);
    assert.ok(!turn.result.text.includes("w3999"));
    expectSuccess(await talk.turn(prompt("Are you there?", [{ say: "Yes, I am." }])), "Yes, I am.");
  },

  async "model error 400"(context) {
    await modelFails(context, [{ fail: 400 }]);
  },

  async "model error 500"(context) {
    await modelFails(context, [{ fail: 500 }]);
  },

  async "cut model stream"({ talk, agent }) {
    const whole = "This is one whole sentence that the model says.";
    const rounds = [{ say: whole.slice(0, 22) }, { cut: 1 }, { say: whole.slice(22) }];
    const turn = await talk.turn(prompt("Say it.", rounds));
    // An agent that does not ask its model again says so; one that does says the text once.
    if (turn.result.subtype === "error_during_execution") return expectReason(turn);
    expectSuccess(turn);
    if (agent.retriesInSilence !== undefined) {
      assert.ok(turn.result.text.endsWith(whole), `${turn}`);
      return { notOffered: agent.retriesInSilence };
    }
    assert.equal(turn.result.text, whole, `${turn}`);
    assert.equal(turn.joined("assistant_text_delta"), whole, `${turn}`);
    const texts = await storedTexts(talk);
    assert.deepEqual(texts.slice(1), [whole]);
  },

  async "model stream always cut"(context) {
    await modelFails(context, [{ say: "This is one whole sent" }, { cut: 1000 }]);
  },

  async "load after restart"({ talk, agent, place, model, reconnect }) {
    expectSuccess(await talk.turn(prompt("Remember the number 4711.", [{ say: "I will." }])), "I will.");
    await place.stopDaemon();
    await place.startDaemon();
    const connection = await reconnect();
    talk.session = await connection.resumeSession(talk.id, { loadAllMessages: true });
    const notices = [];
    const turn = await talk.turn(prompt("Which number?", [{ say: "That one." }]), {
      onEvent: (event) => event.type === "session_notice" && notices.push(event.code),
    });
    expectSuccess(turn, "That one.");
    const texts = await storedTexts(talk);
    assert.equal(texts.filter((text) => text === "I will.").length, 1, "the replay was stored again");
    if (agent.forgets !== undefined) {
      assert.deepEqual(notices, ["CONVERSATION_LOST"]);
      return { notOffered: agent.forgets };
    }
    assert.deepEqual(notices, []);
    assert.ok(model.requests.at(-1).includes("Remember the number 4711."), "the agent has forgotten the conversation");
  },

  async kill({ talk, place }) {
    expectSuccess(await talk.turn(prompt("Remember the number 4712.", [{ say: "I will." }])), "I will.");
    const { ended } = await talk.begin(prompt("Talk.", [{ flood: 4000, everyMs: 5 }]), "assistant_text_delta");
    const pids = place.agentPids(talk.id);
    assert.equal(pids.length, 1, `${pids.length} processes`);
    process.kill(pids[0], "SIGKILL");
    const turn = await ended;
    assert.equal(turn.result.reason, "agent_exited", `${turn}`);
    expectSuccess(await talk.turn(prompt("Are you there?", [{ say: "Yes, I am." }])), "Yes, I am.");
  },

  async "two at once"({ talk, open }) {
    const other = await open();
    const turns = await Promise.all([
      talk.turn(prompt("One.", [{ say: "one" }, { flood: 60, everyMs: 5 }])),
      other.turn(prompt("Two.", [{ say: "two" }, { flood: 60, everyMs: 5 }])),
    ]);
    await other.close();
    const texts = turns.map(({ result }) => result.text.slice(0, 3));
    for (const turn of turns) expectSuccess(turn);
    assert.deepEqual(texts, ["one", "two"]);
  },

  async "second prompt while busy"({ talk }) {
    const { ended } = await talk.begin(prompt("Talk.", [{ flood: 150, everyMs: 5 }]), "assistant_text_delta");
    const { messageId } = await talk.session.send(prompt("Me too.", [{ say: "The second." }]));
    const turn = await ended;
    expectSuccess(turn);
    assert.match(turn.result.text, /^w0 .*w149/u, "the first was disturbed");
    const receipt = await talk.session.waitForReceipt(messageId);
    assert.deepEqual([receipt.state, receipt.text], ["completed", "The second."]);
  },

  async images({ talk, model }) {
    const images = [{ type: "base64", data: RED_SQUARE, mediaType: "image/png" }];
    const turn = await talk.turn(prompt("What is on it?", [{ say: "A red square." }]), { images });
    expectSuccess(turn, "A red square.");
    assert.ok(/image_url|input_image|inlineData/u.test(model.requests.at(-1)), "the model got no image");
  },
};

/** A model that fails ends the turn as an error with a reason, and the session goes on. */
async function modelFails({ talk }, round) {
  const turn = await talk.turn(prompt("Fail.", round));
  expectReason(turn);
  expectSuccess(await talk.turn(prompt("Again.", [{ say: "Fine again." }])), "Fine again.");
}

function expectReason(turn) {
  assert.equal(turn.result.subtype, "error_during_execution", `${turn}`);
  assert.notEqual(turn.result.error?.message ?? "", "", `${turn}`);
}

/** The conversation as the daemon has stored it, the text of each message. */
async function storedTexts(talk) {
  const { messages } = await talk.session.getMessages();
  return messages.map(({ content }) => content.map(({ text }) => text ?? "").join(""));
}
