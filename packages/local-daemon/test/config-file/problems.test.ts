import { expect, onTestFinished, test } from "vitest";
import { parseConfig, problemText } from "../../src/config-file/problems.js";

/** The lines that a person reads about a text. */
function problemsOf(text: string): string[] {
  const reading = parseConfig(text);
  return "problems" in reading ? reading.problems.map(problemText) : [];
}

test("a misspelt key is named with its line, its column, and the key that is near", () => {
  const text = `{
  "agents": {
    "mine": { "comand": ["node"], "command": ["node"] }
  },
  "alowedOrigins": []
}`;
  expect(problemsOf(text)).toEqual([
    'line 3, column 15: agents.mine.comand: unknown key; did you mean "command"?',
    'line 5, column 3: alowedOrigins: unknown key; did you mean "allowedOrigins"?',
  ]);
});

test("a misspelt field of a key's policy is named, and so is a limit", () => {
  const key = "0123456789abcdef";
  const text = JSON.stringify({
    apiKeys: [key, { key, autonmy: "low" }, { key, quotas: { tickts: 1 } }],
    limits: { liveAgent: 3 },
  });
  expect(problemsOf(text)).toEqual([
    expect.stringContaining('apiKeys.1.autonmy: unknown key; did you mean "autonomy"?'),
    expect.stringContaining('apiKeys.2.quotas.tickts: unknown key; did you mean "tickets"?'),
    expect.stringContaining('limits.liveAgent: unknown key; did you mean "liveAgents"?'),
  ]);
});

test("a key that is like no other is answered with those that there are", () => {
  expect(problemsOf('{"apiKeys":[{"key":"0123456789abcdef","zzz":1}]}')).toEqual([
    "line 1, column 39: apiKeys.0.zzz: unknown key; known keys: key, name, cwd, agents, autonomy, approves, metrics, quotas",
  ]);
});

test.each<[string, unknown, string]>([
  ["a type", { port: "80" }, "port: expected a whole number from 0 to 65535, found a text"],
  ["a bound", { port: 70_000 }, "port: expected a whole number from 0 to 65535, found 70000"],
  ["accepted values", { logLevel: "loud" }, 'logLevel: expected one of "debug", "info", "warn", "error", found a text'],
  ["an object", { agents: [] }, "agents: expected an object, found an empty list"],
  ["a limit's bound", { limits: { liveAgents: 0 } }, "limits.liveAgents: expected a number from 1 on, found 0"],
  ["a union", { apiKeys: [true] }, "apiKeys.0: expected a text or an object, found true"],
  ["a short key", { apiKeys: ["short-secret"] }, "apiKeys.0: expected a key of at least 16 characters, found a text"],
  [
    "a command",
    { agents: { "my.agent": { command: "node a.mjs" } } },
    'agents.my.agent.command: expected a list with a program and its arguments, such as ["node", "agent.mjs"], found a text',
  ],
  [
    "a directory",
    { agents: { mine: { command: ["node"], cwd: "here" } } },
    "agents.mine.cwd: expected an absolute path of a directory, or one that begins with ~/, found a text",
  ],
  [
    "a version",
    { agents: { mine: { command: ["node"], protocolVersion: 3 } } },
    "agents.mine.protocolVersion: expected 1 or 2, found 3",
  ],
  ["what is missing", { agents: { mine: {} } }, "agents.mine.command: expected a list with a program"],
])("%s is named with what was expected and what was found", (_, config, expected) => {
  expect(problemsOf(JSON.stringify(config))).toEqual([expect.stringContaining(expected)]);
});

test.each([
  [
    '{\n  // mine\n  "port": 1\n}',
    "line 2, column 3: not valid JSON: a comment stands here; the file is plain JSON, which has none",
  ],
  ['{"port": 1,}', 'line 1, column 12: not valid JSON: a comma must not stand before "}"'],
  ['{"port": 1, "port": 2}', "line 1, column 13: not valid JSON: this key stands twice"],
  ["{'port': 1}", "line 1, column 2: not valid JSON: expected a key in double quotes, but a single quote stands here"],
  ['{"port" 1}', 'line 1, column 9: not valid JSON: expected ":", but something else stands here'],
  ['{"logLevel": "in\nfo"}', "line 1, column 14: not valid JSON: this string has no valid end on its line"],
  ["{", "line 1, column 2: not valid JSON: expected a key in double quotes, but the file ends here"],
  ["", "line 1, column 1: not valid JSON: expected a value, but the file ends here"],
  ['{"port": 01}', "line 1, column 10: not valid JSON: expected a value"],
  [`${"[".repeat(60_000)}`, "levels of nesting"],
])("a text that is no JSON is named with where and why: %#", (text, expected) => {
  expect(problemsOf(text)[0]).toContain(expected);
});

test("a program that has a language of its own for schemas gets the same messages", async () => {
  const { config, locales } = await import("zod");
  config(locales.en());
  onTestFinished(() => void config({ localeError: undefined }));
  const [problem] = problemsOf(JSON.stringify({ agents: [] }));
  expect(problem).toContain("agents: expected an object, found an empty list");
});

test("no message repeats a value, or a key that may be a secret", () => {
  const secret = "sk-0123456789abcdef0123";
  const wrong = [
    { apiKeys: { [secret]: 1 } },
    { apiKeys: [{ [secret]: true }] },
    { apiKeys: [{ key: secret, autonomy: secret }] },
    { logLevel: secret },
    { agents: { mine: { command: [secret], env: { KEY: [secret] }, [secret]: 1 } } },
  ];
  const said = wrong.flatMap((config) => problemsOf(JSON.stringify(config)));
  expect(said.length).toBeGreaterThanOrEqual(wrong.length);
  expect(said.join("\n")).not.toContain(secret);
});
