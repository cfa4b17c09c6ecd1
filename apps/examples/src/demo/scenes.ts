import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DaemonConnection } from "@daemon-sdk/client";
import type { Cast } from "./cast.js";

const DELTAS_BEFORE_INTERRUPT = 5;

/** Both agents work at the same time; returns the files they wrote, after reading each back. */
export async function workOnFiles(cast: Cast): Promise<string[]> {
  const { writer, builder } = cast;
  await Promise.all([
    cast.play(writer, "list ; then read notes.md ; then write summary.md: The answer is 42."),
    cast.play(builder, "search hello in src ; then write src/part.ts: export const part = 1 ; then run node --version"),
  ]);
  return [
    verify(join(writer.directory, "summary.md"), "The answer is 42."),
    verify(join(builder.directory, "src", "part.ts"), "export const part = 1"),
  ];
}

/** A turn of a minute is interrupted after a few words. */
export async function interruptLongTurn(cast: Cast): Promise<void> {
  let deltas = 0;
  await cast.play(cast.writer, "count 3000 every 20", async (event) => {
    if (event.type !== "assistant_text_delta") return;
    deltas += 1;
    if (deltas === DELTAS_BEFORE_INTERRUPT) await cast.writer.session.interrupt();
  });
  if (cast.counts.interrupted !== 1) throw new Error("The long turn was not interrupted.");
}

/** One session is detached and resumed; its agent has the earlier conversation. */
export async function resumeAndRecall(connection: DaemonConnection, cast: Cast): Promise<void> {
  const { builder } = cast;
  const { sessionId } = builder.session;
  await builder.session.detach();
  builder.session = await connection.resumeSession(sessionId);
  const text = await cast.play(builder, "recall");
  if (!text.includes("search hello in src")) throw new Error(`The resumed session does not remember: ${text}`);
  cast.counts.resumed += 1;
}

function verify(path: string, expected: string): string {
  const found = readFileSync(path, "utf8").trim();
  if (found !== expected) throw new Error(`${path} holds ${JSON.stringify(found)}, not ${JSON.stringify(expected)}.`);
  return path;
}
