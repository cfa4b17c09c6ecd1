import type { Position } from "@daemon-sdk/protocol";
import type { Frame, RawClient } from "../../raw-client.js";

/** A request to run a command. */
export const permission = {
  toolUses: [
    {
      toolUse: { type: "tool_use" as const, id: "t-1", name: "Execute", input: { command: "ls" } },
      confirmationType: "exec",
      details: { type: "exec" as const, fullCommand: "ls", command: "ls" },
    },
  ],
};

/** The position of an entry. */
export const placeOf = (frame: Frame) => frame._meta as (Position & { early?: true }) | undefined;
export const seqsOf = (frames: readonly Frame[]) => frames.flatMap((frame) => placeOf(frame)?.seq ?? []);
/** What came of journals. */
export const entriesOf = (client: RawClient) => client.frames.filter((frame) => placeOf(frame) !== undefined);
