import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** Every module that is loaded by importing `entry`, and the packages among them. */
function loadedBy(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, clause = "", specifier = ""] of readFileSync(file, "utf8").matchAll(
      /^(?:import|export)\b([^;]*?)\bfrom "([^"]+)"/gm,
    )) {
      if (/^\s*type\b/.test(clause)) continue;
      if (specifier.startsWith(".")) visit(resolve(dirname(file), specifier.replace(/\.js$/, ".ts")));
      else packages.add(specifier);
    }
  };
  visit(resolve(SRC, entry));
  return { files, packages };
}

describe("the doors of the relay wire", () => {
  it("bring guards without zod, and schemas with it", () => {
    expect([...loadedBy("relay.ts").packages]).toEqual([]);
    expect(loadedBy("relay/schema.ts").packages).toContain("zod/mini");
  });

  it("use nothing that a browser lacks", () => {
    for (const file of [...loadedBy("relay.ts").files, ...loadedBy("relay/schema.ts").files]) {
      // Comments may end a sentence with "process.".
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      expect(code, file).not.toMatch(/\bBuffer\.|\bprocess\.|"node:|\brequire\(/);
    }
  });
});
