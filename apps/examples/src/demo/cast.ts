import { join } from "node:path";
import type { DaemonConnection, DaemonSession, DroidStreamEvent, PermissionRequest } from "@daemon-sdk/client";
import { printEvent } from "../print-event.js";
import { makeWorkspace } from "../scratch.js";

/** One of the two sessions, and its working directory. */
export interface Actor {
  readonly name: string;
  readonly directory: string;
  session: DaemonSession;
}

/** The two sessions, and the counts of their events. */
export class Cast {
  readonly counts = { toolCalls: 0, permissionsAsked: 0, interrupted: 0, resumed: 0 };
  readonly writer: Actor;
  readonly builder: Actor;

  private constructor(writer: Actor, builder: Actor) {
    this.writer = writer;
    this.builder = builder;
  }

  /** Opens both sessions on one connection, each in a directory of its own. */
  static async assemble(connection: DaemonConnection, workspace: string): Promise<Cast> {
    const actors = ["writer", "builder"].map(async (name): Promise<Actor> => {
      const directory = makeWorkspace(join(workspace, name));
      const session = await connection.createSession({
        cwd: directory,
        autonomyLevel: "off",
        permissionHandler: (request) => cast.#grant(name, request),
      });
      console.log(`session  ${name}: ${session.sessionId}`);
      return { name, directory, session };
    });
    const [writer, builder] = (await Promise.all(actors)) as [Actor, Actor];
    const cast = new Cast(writer, builder);
    return cast;
  }

  get sessions(): readonly DaemonSession[] {
    return [this.writer.session, this.builder.session];
  }

  /** Streams a prompt to its end: prints and counts events, passes each to `onEvent`, returns the last text. */
  async play(actor: Actor, prompt: string, onEvent?: (event: DroidStreamEvent) => unknown): Promise<string> {
    const label = actor.name.padEnd(8);
    console.log(`${label} asked  ${prompt}`);
    let text = "";
    for await (const event of actor.session.stream(prompt, { includePartialMessages: true })) {
      printEvent(label, event);
      if (event.type === "tool_call") this.counts.toolCalls += 1;
      if (event.type === "result") {
        if (event.subtype === "interrupted") this.counts.interrupted += 1;
        text = event.text;
      }
      await onEvent?.(event);
    }
    return text;
  }

  #grant(name: string, { toolUses }: PermissionRequest): "proceed_once" {
    this.counts.permissionsAsked += 1;
    console.log(`${name.padEnd(8)} may I  ${toolUses.map(({ toolUse }) => toolUse.name).join(", ")}? Yes, once.`);
    return "proceed_once";
  }
}
