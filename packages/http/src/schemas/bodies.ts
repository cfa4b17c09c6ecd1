import { LIMITS, SETTING_NAMES } from "@daemon-sdk/protocol";
import {
  addUserMessageParamsSchema,
  askUserResultSchema,
  availableSessionSchema,
  fileSourceSchema,
  getSessionMessagesParamsSchema,
  getSessionMessagesResultSchema,
  imageSourceSchema,
  inboxRequestSchema,
  initializeSessionParamsSchema,
  listRequestsParamsSchema,
  mcpServerConfigSchema,
  messageBlockSchema,
  receiptSchema,
  renameSessionParamsSchema,
  requestPermissionResultSchema,
  searchSessionsParamsSchema,
  searchSessionsResultSchema,
  sessionMessageSchema,
  sessionSettingsSchema,
  sessionTagSchema,
} from "@daemon-sdk/protocol/schema";
import * as z from "zod/mini";
import { HTTP_LIMITS } from "../limits.js";
import { component, described, fieldsOf, redescribed } from "./components.js";

const text = z.string().check(z.minLength(1));
const time = described(z.number(), "Unix milliseconds.");
const eventId = described(z.string(), "Id of an event, opaque: `Last-Event-ID` and `after` take it.");

component("MessageBlock", messageBlockSchema);
component("SessionMessage", sessionMessageSchema);
component("SessionTag", sessionTagSchema);
component("SessionSettings", sessionSettingsSchema);
const AVAILABLE_SESSION = component(
  "AvailableSession",
  z.looseObject({
    ...fieldsOf(availableSessionSchema, ["sessionId", "title", "hostId", "cwd", "messagesCount", "tags"]),
    updatedAt: time,
    archivedAt: z.exactOptional(time),
    machineId: z.exactOptional(described(text, "In a fleet: the machine that has it.")),
  }),
);
/** Machines that have no part in an answer. */
const missing = {
  missing: z.exactOptional(
    described(
      z.array(
        component(
          "MissingMachine",
          z.looseObject({ machineId: text, code: text, detail: described(text, "For people.") }),
        ),
      ),
      "In a fleet: the machines that have no part in this answer, and why. Empty where it is whole.",
    ),
  ),
} as const;
const onMachine = z.looseObject({
  machineId: z.exactOptional(described(text, "In a fleet: the machine that has it.")),
});
component("InboxRequest", inboxRequestSchema);
component("McpServerConfig", mcpServerConfigSchema);
component("ImageSource", imageSourceSchema);
component("FileSource", fileSourceSchema);
component("PermissionAnswer", requestPermissionResultSchema);
component("QuestionsAnswer", askUserResultSchema);

/** What became of a message. */
export const RECEIPT = component("Receipt", receiptSchema);
/** A page of sessions. */
export const SESSION_PAGE = component(
  "SessionPage",
  z.looseObject({
    sessions: z.array(AVAILABLE_SESSION),
    hasMore: z.boolean(),
    nextCursor: z.exactOptional(described(z.number(), "`before` of the next page.")),
    ...missing,
  }),
);
/** A page of a conversation. */
export const MESSAGE_PAGE = component("MessagePage", getSessionMessagesResultSchema);
/** Hits of a search. */
export const SEARCH_RESULT = component(
  "SearchResult",
  z.intersection(searchSessionsResultSchema, z.looseObject({ sessions: z.array(onMachine), ...missing })),
);
/** Pending requests. */
export const REQUESTS = component(
  "Requests",
  z.looseObject({ requests: z.array(z.intersection(inboxRequestSchema, onMachine)), ...missing }),
);
/** The machines of a fleet. */
export const MACHINES = component(
  "Machines",
  z.looseObject({
    machines: z.array(
      component(
        "Machine",
        z.looseObject({
          machineId: text,
          state: described(z.enum(["online", "lost"]), "`lost`: it renewed its entry in the registry too long ago."),
          labels: z.record(z.string(), z.string()),
          agents: described(z.array(text), "Names of its agents, the default first."),
          working: described(z.number(), "Sessions at work."),
          capacity: described(z.number(), "Sessions at work that count as full."),
          load: described(z.number(), "`working` by `capacity`."),
          version: z.string(),
        }),
      ),
    ),
  }),
);

/** A session, as it is now. */
export const SESSION = component(
  "Session",
  z.looseObject({
    sessionId: text,
    title: z.exactOptional(z.string()),
    cwd: z.exactOptional(z.string()),
    settings: sessionSettingsSchema,
    messages: described(z.array(sessionMessageSchema), "The newest messages; `GET …/messages` has all, in pages."),
    lastEventId: z.exactOptional(eventId),
  }),
);

const initializeParams = fieldsOf(initializeSessionParamsSchema, ["cwd", "agent"]);

/** A new session. Unknown fields are refused, because a misspelt one must not pass in silence. */
export const NEW_SESSION = component(
  "NewSession",
  z.strictObject({
    ...fieldsOf(initializeSessionParamsSchema, [...SETTING_NAMES, "mcpServers", "sessionSource"]),
    sessionId: z.exactOptional(described(z.uuid(), "A random UUID. The same id again gives the same session.")),
    cwd: z.exactOptional(redescribed(initializeParams.cwd, "Working directory of the agent.")),
    agent: redescribed(initializeParams.agent, "Name of a configured agent."),
    systemPrompt: z.exactOptional(text),
    labels: z.exactOptional(
      described(
        z.record(z.string(), z.string()),
        "In a fleet: labels that the machine must have. One with the agent and these labels is chosen by its load.",
      ),
    ),
  }),
);

/** Changes of a session. */
export const SESSION_CHANGE = component(
  "SessionChange",
  z.strictObject(fieldsOf(renameSessionParamsSchema, ["title"])),
);

/** A prompt. */
export const PROMPT = component(
  "Prompt",
  z.strictObject(fieldsOf(addUserMessageParamsSchema, ["text", "images", "files", "outputFormat"])),
);

/** A prompt that the daemon has stored. */
export const ACCEPTED = component("Accepted", z.looseObject({ messageId: text, receipt: receiptSchema }));

/** An answer to a permission request, or to questions. */
export const ANSWER = component("Answer", z.union([requestPermissionResultSchema, askUserResultSchema]));

/** One event of a stream, or the body of a webhook's request. */
export const EVENT = component(
  "Event",
  z.looseObject({
    type: described(z.string(), "Such as `assistant`, `tool_call`, `gap`, `result`. New types may be added."),
    turnId: z.exactOptional(described(z.string(), "Id of the prompt whose turn the event belongs to.")),
  }),
);

const webhook = {
  url: z.url().check(z.maxLength(HTTP_LIMITS.urlChars)),
  sessionId: text,
  events: z.exactOptional(
    described(z.array(text).check(z.minLength(1), z.maxLength(100)), "Types of events. Default: `result`, `requests`."),
  ),
};

/** A webhook to add. */
export const NEW_WEBHOOK = component(
  "NewWebhook",
  z.strictObject({
    ...webhook,
    after: z.exactOptional(described(z.string(), "Id of an event. Default: the events from now on.")),
  }),
);

const stored = {
  ...webhook,
  webhookId: text,
  events: z.array(text),
  createdAt: time,
  lastEventId: eventId,
  failingSince: z.exactOptional(time),
};

/** A webhook. */
export const WEBHOOK = component("Webhook", z.looseObject(stored));
/** A webhook that was added. */
export const ADDED_WEBHOOK = component(
  "AddedWebhook",
  z.looseObject({ ...stored, secret: described(z.string(), "Signs each delivery. It is stated here only.") }),
);
/** All webhooks of the caller. */
export const WEBHOOKS = component("Webhooks", z.looseObject({ webhooks: z.array(WEBHOOK) }));

/** Every failure. */
export const PROBLEM = component(
  "Problem",
  z.looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: described(z.string(), "Stable code of the failure."),
    retryable: z.boolean(),
  }),
);

const messagesParams = fieldsOf(getSessionMessagesParamsSchema, ["cursor", "role"]);

/** Query fields, by name. */
export const QUERY = {
  sessionLimit: upTo(LIMITS.sessionPageMax),
  messageLimit: upTo(LIMITS.messagePageMax),
  before: z.exactOptional(described(z.coerce.number(), "Unix milliseconds; `nextCursor` of the page before.")),
  cursor: redescribed(messagesParams.cursor, "`nextCursor` of the page before."),
  role: messagesParams.role,
  wait: z.exactOptional(
    described(
      z.coerce.number().check(z.minimum(0), z.maximum(HTTP_LIMITS.waitSeconds)),
      "Seconds to wait for the end of the turn. Default 0.",
    ),
  ),
  partial: z.exactOptional(described(z.enum(["true", "false"]), "Whether parts of messages are sent. Default false.")),
  force: z.exactOptional(described(z.enum(["true", "false"]), "Whether a turn that runs is ended. Default false.")),
  after: z.exactOptional(described(z.string(), "Id of an event; `Last-Event-ID` takes precedence.")),
  ...fieldsOf(listRequestsParamsSchema, ["sessionId"]),
  ...fieldsOf(searchSessionsParamsSchema, ["query", "kind"]),
  count: z.exactOptional(z.coerce.number().check(z.minimum(1))),
} as const;

function upTo(max: number) {
  const count = z.coerce.number().check(z.minimum(1), z.maximum(max));
  return z.exactOptional(described(count, `Size of the page, ${max} at most.`));
}
