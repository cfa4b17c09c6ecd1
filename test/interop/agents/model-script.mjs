/**
 * What the loopback model says. A prompt holds its own answer as `<<[[round, …]]>>`: one round for each call of the model, each a
 * list of steps:
 *
 * - `{ say }`, `{ think }`: text, in pieces. `{ flood: n, everyMs }`: n words.
 * - `{ tool, args, isCustom }`: a use of a tool, which ends the round.
 * - `{ fail: status }`: an error in place of an answer. `{ cut: times }`: the connection breaks, that many times in all.
 * - `{ hang: true }`: silence, until the agent closes the connection.
 */
const SCRIPT = /<<(\[\[.*?\]\])>>/su;

/** A prompt for these rounds. `words` makes it unlike another prompt with the same rounds. */
export function prompt(words, ...rounds) {
  return `${words} <<${JSON.stringify(rounds)}>>`;
}

/** The script in a text; undefined when there is none. */
export function scriptIn(text) {
  const [, json] = SCRIPT.exec(text) ?? [];
  return json === undefined ? undefined : { json, rounds: JSON.parse(json) };
}

/**
 * The round that a request asks for. `turns` is the conversation as `{ role: "user" | "model" | "tool", text }`: the last user's
 * turn with a script counts, and each turn of the model after it is a round that is over.
 */
export function roundOf(turns) {
  const at = turns.findLastIndex(({ role, text }) => role === "user" && SCRIPT.test(text));
  if (at < 0) return undefined;
  const { json, rounds } = scriptIn(turns[at].text);
  const done = countRuns(turns.slice(at + 1));
  return { key: `${json}#${done}`, steps: rounds[done] ?? [{ say: "The script is over." }] };
}

/** How many times the model spoke: what it said in one go counts once, however many items it has. */
function countRuns(turns) {
  return turns.filter(({ role }, index) => role === "model" && turns[index - 1]?.role !== "model").length;
}

/** A text as the pieces that a model streams. */
export function pieces(text) {
  return text.match(/.{1,8}/gsu) ?? [];
}
