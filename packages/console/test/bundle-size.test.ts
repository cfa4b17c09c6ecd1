import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const DIST = join(import.meta.dirname, "..", "dist");

/** All that the page loads, gzipped. The daemon sends it as it is, from the same machine. */
const LIMIT_BYTES = 130_000;

const files = readdirSync(join(DIST, "assets")).map((name) => ({
  name,
  body: readFileSync(join(DIST, "assets", name)),
}));

test(`the console has at most ${LIMIT_BYTES} bytes, gzipped`, () => {
  const sizes = files.map(({ name, body }) => [name, gzipSync(body).byteLength] as const);
  const all = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  process.stdout.write(
    `The console, gzipped: ${sizes.map(([name, bytes]) => `${name} ${bytes}`).join(", ")}; ${all} in all\n`,
  );
  expect(all).toBeLessThanOrEqual(LIMIT_BYTES);
});

test("nothing is inline, so that the page's policy needs no exception", () => {
  const page = readFileSync(join(DIST, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
  for (const [, address = ""] of page.matchAll(/(?:src|href)="([^"]+)"/g))
    expect(address).toMatch(/^\/console\/assets\//);
});

test("no address of another host is in it, but those in texts of licences and of the wire", () => {
  for (const { name, body } of files.filter(({ name }) => /\.(js|css)$/.test(name))) {
    const hosts = [...body.toString("utf8").matchAll(/\b(?:https?|wss?):\/\/([a-z0-9.-]+\.[a-z]+)/g)].map(
      ([, host]) => host,
    );
    const known = ["www.w3.org", "relay.factory.ai", "github.com"];
    expect(
      hosts.filter((host) => !known.includes(host ?? "")),
      name,
    ).toEqual([]);
  }
});
