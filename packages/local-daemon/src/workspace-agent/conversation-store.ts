import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "@daemon-sdk/protocol";
import { isMissing } from "../workspace/index.js";
import { Conversation, type ConversationData } from "./conversation.js";
import { FileHistory } from "./file-history.js";

/** Ids that are used as file names. Others are hashed, because clients choose the ids of sessions. */
const PLAIN_ID = /^[0-9a-zA-Z-]{1,64}$/;

/**
 * Conversations on disk, one file each, readable by this user only.
 *
 * A file is replaced by rename, so a reader gets the old or the new one, even if the process is killed. Without a directory
 * (the agent was started by hand) nothing is stored.
 */
export class ConversationStore {
  readonly #directory: string | undefined;
  /** The last write, so that writes are done in order. */
  #writes: Promise<void> = Promise.resolve();

  constructor(agentStateDir: string | undefined) {
    this.#directory = agentStateDir === undefined ? undefined : join(agentStateDir, "workspace-agent");
  }

  /** Loads a conversation; undefined when none of that id was saved. */
  async load(id: string): Promise<{ conversation: Conversation; history: FileHistory } | undefined> {
    const data = await this.#read(`${fileName(id)}.json`);
    if (!isConversationData(data)) return undefined;
    return {
      conversation: new Conversation(data),
      history: FileHistory.from(await this.#read(`${fileName(id)}.files.json`)),
    };
  }

  /** Saves the present conversation, and the file history if it changed since the last save. */
  save({ data }: Conversation, history?: FileHistory): Promise<void> {
    // Serialized now, because the conversation may change while the file is written.
    const files = [{ name: `${fileName(data.id)}.json`, text: JSON.stringify(data) }];
    if (history?.takeChanged() === true) {
      files.push({ name: `${fileName(data.id)}.files.json`, text: JSON.stringify(history) });
    }
    const write = this.#writes.then(() => this.#write(files));
    // The caller of a failed write gets the error. The next write is not affected.
    this.#writes = write.catch(() => {});
    return write;
  }

  /** Deletes a conversation, with its file history. One that is not there counts as deleted. */
  delete(id: string): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) return Promise.resolve();
    const names = [`${fileName(id)}.json`, `${fileName(id)}.files.json`];
    const deletion = this.#writes.then(async () => {
      for (const name of names) await rm(join(directory, name), { force: true });
    });
    this.#writes = deletion.catch(() => {});
    return deletion;
  }

  async #read(name: string): Promise<unknown> {
    if (this.#directory === undefined) return undefined;
    try {
      return JSON.parse(await readFile(join(this.#directory, name), "utf8"));
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #write(files: readonly { name: string; text: string }[]): Promise<void> {
    if (this.#directory === undefined) return;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const { name, text } of files) {
      const path = join(this.#directory, name);
      const draft = `${path}.${process.pid}.tmp`;
      await writeFile(draft, text, { mode: 0o600 });
      await rename(draft, path);
    }
  }
}

function fileName(id: string): string {
  return PLAIN_ID.test(id) ? id : `x-${createHash("sha256").update(id).digest("hex")}`;
}

function isConversationData(value: unknown): value is ConversationData {
  return isRecord(value) && typeof value.id === "string" && Array.isArray(value.messages) && isRecord(value.settings);
}
