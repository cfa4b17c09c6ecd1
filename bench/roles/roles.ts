import { playDaemon } from "./daemon.js";
import { playEcho } from "./echo.js";
import { playFeed } from "./feed.js";
import { playMachines } from "./machines.js";
import { playPacedAgent } from "./paced-agent.js";
import { playPeer } from "./peers.js";
import { playPipeHub } from "./pipe-hub.js";
import { playRelayHub } from "./relay-hub.js";

/** The parts this program can play in a process of its own, by name. */
export const ROLES: ReadonlyMap<string, () => void | Promise<void>> = new Map([
  ["daemon", playDaemon],
  ["echo", playEcho],
  ["feed", playFeed],
  ["machines", playMachines],
  ["paced-agent", playPacedAgent],
  ["peer", playPeer],
  ["pipe-hub", playPipeHub],
  ["relay-hub", playRelayHub],
]);
