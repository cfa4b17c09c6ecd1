import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "tsup";

const programs = readdirSync("src").filter((name) => name.endsWith(".ts"));

export default defineConfig({
  // Every file is a program of its own; what they share becomes a chunk.
  entry: Object.fromEntries(programs.map((name) => [basename(name, ".ts"), `src/${name}`])),
  format: ["esm"],
  target: "node20",
  clean: true,
  splitting: true,
  sourcemap: true,
});
