import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createNonce,
  createProof,
  isNonce,
  type ProofContext,
  tcpAuthority,
  verifyProof,
} from "../../src/access/proof.js";
import { secretsEqual } from "../../src/access/secrets.js";
import { createToken } from "../../src/rendezvous/token.js";

const token = createToken();
const context: ProofContext = {
  version: "1.2.3",
  instanceId: "5f0c2a0e-93a5-4c0f-8f53-0d5f4b9b7c11",
  clientNonce: createNonce(),
  serverNonce: createNonce(),
  authority: tcpAuthority(4000),
};

describe("a proof", () => {
  test("is HMAC-SHA256 of the fields, joined by a bar, under the token's text", () => {
    const fixed = {
      version: "1",
      instanceId: "i",
      clientNonce: "c".repeat(43),
      serverNonce: "s".repeat(43),
      authority: "127.0.0.1:1",
    };
    expect(createProof("t", "server", fixed)).toBe("b218be96a1a0786d1b46fbf53c03a3078673f18b3e75a7b29c696cba79cf5c25");
  });

  test("holds for its own label and context", () => {
    for (const label of ["server", "client"] as const) {
      expect(verifyProof(token, label, context, createProof(token, label, context))).toBe(true);
    }
  });

  test("reflected under the other label is refused", () => {
    expect(verifyProof(token, "client", context, createProof(token, "server", context))).toBe(false);
    expect(verifyProof(token, "server", context, createProof(token, "client", context))).toBe(false);
  });

  test.each([
    { version: "1.2.4" },
    { instanceId: "another" },
    { clientNonce: createNonce() },
    { serverNonce: createNonce() },
    { authority: tcpAuthority(4001) },
    { authority: "unix" },
  ])("is worth nothing when %o differs", (change) => {
    const proof = createProof(token, "server", context);
    expect(verifyProof(token, "server", { ...context, ...change }, proof)).toBe(false);
  });

  test("under another token is refused", () => {
    expect(verifyProof(createToken(), "server", context, createProof(token, "server", context))).toBe(false);
  });

  test("is refused for contexts whose fields could be read in two ways", () => {
    const split = { ...context, version: "1|2", instanceId: "3" };
    expect(verifyProof(token, "server", split, createProof(token, "server", split))).toBe(false);
  });

  test("of any other text is refused and never throws", () => {
    const proof = createProof(token, "server", context);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(proof.toUpperCase()), fc.constant(`${proof}0`)), (text) => {
        expect(verifyProof(token, "server", context, text)).toBe(false);
      }),
    );
  });
});

test("nonces and tokens are 32 bytes, and no two are the same", () => {
  const nonces = new Set(Array.from({ length: 100 }, createNonce));
  expect(nonces.size).toBe(100);
  for (const nonce of nonces) expect(Buffer.from(nonce, "base64url")).toHaveLength(32);
  expect(isNonce(createToken())).toBe(true);
  expect(isNonce("short")).toBe(false);
  expect(isNonce(undefined)).toBe(false);
});

test("secrets compare by their whole content, whatever their lengths", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(secretsEqual(a, b)).toBe(a === b);
      expect(secretsEqual(a, a)).toBe(true);
    }),
  );
});
