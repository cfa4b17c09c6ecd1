#!/usr/bin/env node
import { runCheckAgent } from "./node/index.js";

void runCheckAgent(process.argv.slice(2), (text) => void process.stdout.write(text)).then((code) => {
  process.exitCode = code;
});
