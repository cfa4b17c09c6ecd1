import type { AskUserReply, PermissionAnswer } from "@daemon-sdk/client";

/** Answers a request of an agent. */
export type Answer = (value: PermissionAnswer | AskUserReply) => Promise<void>;
