import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { WebhookCursor, WebhookCursors } from "./cursors.js";

const ID = /^[0-9a-f-]{36}$/;

/**
 * Keeps webhooks in a directory, one file each, which only its user can read: a file holds the secret of its webhook. A write is
 * complete or has no effect, also when the machine loses its power.
 *
 * @param directory made when it is needed
 */
export function fileCursors(directory: string): WebhookCursors {
  if (typeof directory !== "string" || directory === "")
    throw new InvalidOptionError("directory", "a path that is not empty", directory);
  /** The last write, by webhook: an older position must not replace a newer one. */
  const writes = new Map<string, Promise<void>>();
  const inOrder = (webhookId: string, write: () => Promise<void>): Promise<void> => {
    const before = writes.get(webhookId) ?? Promise.resolve();
    const written = before.catch(() => {}).then(write);
    writes.set(webhookId, written);
    const forget = () => writes.get(webhookId) === written && writes.delete(webhookId);
    written.then(forget, forget);
    return written;
  };
  return {
    list: () => readAll(directory),
    put: (cursor) => inOrder(cursor.webhookId, () => write(directory, cursor)),
    remove: (webhookId) => inOrder(webhookId, () => rm(pathOf(directory, webhookId), { force: true })),
  };
}

function pathOf(directory: string, webhookId: string): string {
  if (!ID.test(webhookId)) throw new InvalidOptionError("webhookId", "the id of a webhook");
  return join(directory, `${webhookId}.json`);
}

async function readAll(directory: string): Promise<WebhookCursor[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const found = names.filter((name) => name.endsWith(".json"));
  return Promise.all(found.map(async (name) => parsed(await readFile(join(directory, name), "utf8"), name)));
}

function parsed(text: string, name: string): WebhookCursor {
  try {
    return JSON.parse(text) as WebhookCursor;
  } catch (cause) {
    throw new DaemonError("STORAGE_FAILED", `The webhook in ${name} cannot be read. Restore or remove the file.`, {
      cause,
    });
  }
}

async function write(directory: string, cursor: WebhookCursor): Promise<void> {
  const path = pathOf(directory, cursor.webhookId);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(cursor));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
