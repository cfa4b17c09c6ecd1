export * from "./fake-agent.js";
