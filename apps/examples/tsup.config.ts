import { defineConfig } from "tsup";

export default defineConfig({
  // Every file is a program of its own; what they share becomes a chunk.
  entry: ["src/*.ts"],
  format: ["esm"],
  target: "node20",
  clean: true,
  splitting: true,
  sourcemap: true,
});
