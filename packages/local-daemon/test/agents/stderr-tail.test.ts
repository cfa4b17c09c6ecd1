import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StderrTail } from "../../src/agents/stderr-tail.js";
import { redacted, secretsOf } from "../../src/redaction.js";

async function tailOf(text: string, maxBytes: number, secrets: readonly string[] = []): Promise<string> {
  const stream = new PassThrough();
  const tail = new StderrTail(stream, maxBytes, secrets);
  stream.end(text);
  await new Promise((resolve) => stream.once("end", resolve));
  return tail.toString();
}

test.each([
  ["OPENAI_API_KEY=sk-proj-0123456789abcdefghij", "OPENAI_API_KEY=[redacted]"],
  ['{"apiKey":"abcdefgh12345678","model":"m-1"}', '{"apiKey":[redacted],"model":"m-1"}'],
  ["Authorization: Bearer abc.def-ghi0123", "Authorization: [redacted]"],
  ["sent bearer 0123456789abcdef", "sent bearer [redacted]"],
  [
    "GET https://user:hunter22@example.org/x?token=abcd1234&a=1",
    "GET https://[redacted]@example.org/x?token=[redacted]&a=1",
  ],
  ["incorrect key provided: sk-ant-api03-0123456789abcdef.", "incorrect key provided: [redacted]."],
  ["ghp_0123456789abcdefghijABCDEFGHIJ is revoked", "[redacted] is revoked"],
  ["AKIAABCDEFGHIJKLMNOP", "[redacted]"],
  ["jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl end", "jwt [redacted] end"],
  ["run --password hunter2222 now", "run --password [redacted] now"],
  ["a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb"],
  ["a\n-----BEGIN PRIVATE KEY-----\nMIIE\nabc", "a\n[redacted]"],
  ["bc\nMIIE\n-----END PRIVATE KEY-----\nb", "[redacted]\nb"],
])("a secret is replaced: %s", async (text, clean) => {
  expect(await tailOf(text, 1024)).toBe(clean);
});

test.each([
  "Error: Cannot find module '/srv/agent/main.js'",
  "used 1200 input tokens and 30 output tokens",
  "exceeded token limit",
  "TypeError: keys is not a function at Map.keys (node:internal)",
])("text without a secret stays: %s", async (text) => {
  expect(await tailOf(text, 1024)).toBe(text);
});

test("values of secret variables of the agent are replaced wherever they stand, and others are not", async () => {
  const secrets = secretsOf({
    HOME: "/home/somebody",
    MY_API_KEY: "plain words 1",
    SHORT_TOKEN: "1",
    DB_PASSWORD: "pässwörd9",
  });
  expect(await tailOf("in /home/somebody: plain words 1, pässwörd9 at 1", 1024, secrets)).toBe(
    "in /home/somebody: [redacted], [redacted] at 1",
  );
});

test("half a secret at the cut is not shown", async () => {
  expect(await tailOf(`key=${"s".repeat(100)} and the end`, 64)).toBe("and the end");
});

test("any text is redacted in a time that its length bounds", () => {
  const piece = fc.constantFrom(
    "eyJ",
    "-",
    ".",
    "sk-",
    "a",
    "token=",
    "://",
    "bearer ",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    '"',
    "key",
    " ",
  );
  const floods = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => {
    const unit = pieces.join("");
    return unit.repeat(Math.ceil((64 * 1024) / unit.length));
  });
  fc.assert(
    fc.property(floods, (text) => {
      const startedAt = process.cpuUsage();
      redacted(text);
      const { user } = process.cpuUsage(startedAt);
      expect(user / 1000).toBeLessThan(1_000);
    }),
    { numRuns: 60 },
  );
});
