import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/slack-bot.ts", "src/linear-agent.ts", "src/automation.ts", "src/coordinator.ts", "src/rest-back-end.ts"],
  format: ["esm"],
  target: "node20",
  clean: true,
  splitting: true,
  sourcemap: true,
});
