import { playDaemon } from "./daemon.js";
import { playEcho } from "./echo.js";
import { playFeed } from "./feed.js";
import { playBlaster, playPipeAgent } from "./pipe-agent.js";
import { playPipeHub } from "./pipe-hub.js";
import { playRelayHub } from "./relay-hub.js";

/** The parts this program can play in a process of its own, by name. */
export const ROLES: ReadonlyMap<string, () => void | Promise<void>> = new Map([
  ["blaster", playBlaster],
  ["daemon", playDaemon],
  ["echo", playEcho],
  ["feed", playFeed],
  ["pipe-agent", playPipeAgent],
  ["pipe-hub", playPipeHub],
  ["relay-hub", playRelayHub],
]);
