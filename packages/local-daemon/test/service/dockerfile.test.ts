import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.js";

const text = readFileSync(new URL("../../docker/Dockerfile", import.meta.url), "utf8");
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** The words of an instruction in its JSON form. */
function words(pattern: RegExp): string[] {
  return JSON.parse(pattern.exec(text)?.[1] ?? "[]");
}

// There is no container engine where these tests run: what can be compared with the sources is.
test.each([
  ["CMD", /^CMD (\[.*\])$/m],
  ["HEALTHCHECK", /^HEALTHCHECK .*CMD (\[.*\])$/m],
])("%s of the Dockerfile is a command that there is, with options that there are", (_instruction, pattern) => {
  const [bin = "", name = "", ...args] = words(pattern);
  expect(Object.keys(manifest.bin)).toContain(bin);
  const command = createProgram().commands.find((one) => one.name() === name);
  const flags = args.filter((word) => word.startsWith("--"));
  expect(command?.options.map(({ long }) => long)).toEqual(expect.arrayContaining(flags));
});

test("the container runs as nobody special, reaps, installs this package, and keeps its state in a volume of its user", () => {
  expect(text).toMatch(new RegExp(`npm install --global "${manifest.name}@`));
  expect(/^USER (\S+)$/m.exec(text)?.[1]).toBe("node");
  const [init = ""] = words(/^ENTRYPOINT (\[.*\])$/m);
  expect(/apt-get install (.*)$/m.exec(text)?.[1]?.split(" ")).toContain(init);
  const home = /^ENV DAEMON_SDK_HOME=(\S+)$/m.exec(text)?.[1];
  expect(words(/^VOLUME (\[.*\])$/m)).toContain(home);
  expect(text).toContain(`--owner=node --group=node --mode=0700 ${home}`);
  const version = Number(/^FROM node:(\d+)/m.exec(text)?.[1]);
  expect(version).toBeGreaterThanOrEqual(Number(/\d+/.exec(manifest.engines.node)?.[0]));
});
