import { eventId, positionOf, SessionEvents } from "../events/index.js";
import { HttpRefusal } from "../problem/index.js";
import { ADDED_WEBHOOK, NEW_WEBHOOK, WEBHOOK, WEBHOOKS } from "../schemas/index.js";
import type { WebhookCursor } from "../webhooks/index.js";
import { acting, type Call, json, type Route, reading, route } from "./route.js";

/** Types of events that a webhook gets which names none. */
const DEFAULT_EVENTS = ["result", "requests"] as const;

interface WantedWebhook {
  readonly url: string;
  readonly sessionId: string;
  readonly events?: readonly string[];
  readonly after?: string;
}

/** Webhooks: the events of a session as requests to an address. */
export const WEBHOOK_ROUTES: readonly Route[] = [
  reading({
    path: "/webhooks",
    operationId: "listWebhooks",
    summary: "The caller's webhooks.",
    answer: { description: "All of them.", schema: WEBHOOKS },
    read: async (call) => ({ webhooks: (await webhooksOf(call).list(call.principal)).map(shown) }),
  }),
  route({
    method: "post",
    path: "/webhooks",
    operationId: "addWebhook",
    summary: "Delivers events of a session to an address, each until it is accepted, also after a restart.",
    body: NEW_WEBHOOK,
    answers: { 201: { description: "Added. The secret is stated once.", schema: ADDED_WEBHOOK } },
    async handle(call) {
      const webhooks = webhooksOf(call);
      const { url, sessionId, events = DEFAULT_EVENTS, after } = call.body as WantedWebhook;
      const added = await webhooks.add(call.principal, {
        url,
        sessionId,
        events,
        position: await beginOf(call, sessionId, after),
      });
      const location = call.services.address(`/webhooks/${added.webhookId}`);
      return json({ ...shown(added), secret: added.secret }, 201, { location });
    },
  }),
  reading({
    path: "/webhooks/{webhookId}",
    operationId: "getWebhook",
    summary: "A webhook, and how far it got.",
    answer: { description: "The webhook.", schema: WEBHOOK },
    async read(call) {
      const own = await webhooksOf(call).list(call.principal);
      const found = own.find(({ webhookId }) => webhookId === call.param("webhookId"));
      if (found === undefined) throw unknownWebhook();
      return shown(found);
    },
  }),
  acting({
    method: "delete",
    path: "/webhooks/{webhookId}",
    operationId: "removeWebhook",
    summary: "Ends the deliveries.",
    outcome: "Removed.",
    async act(call) {
      if (!(await webhooksOf(call).remove(call.principal, call.param("webhookId")))) throw unknownWebhook();
    },
  }),
];

function webhooksOf({ services: { webhooks } }: Call): NonNullable<Call["services"]["webhooks"]> {
  if (webhooks !== undefined) return webhooks;
  throw new HttpRefusal(501, "METHOD_NOT_FOUND", "This server delivers no webhooks. See the option `webhooks`.");
}

function unknownWebhook(): HttpRefusal {
  return new HttpRefusal(404, "RECIPIENT_NOT_FOUND", "The caller has no webhook of that id.");
}

/** Where the deliveries begin. Rejects where the session does not exist. */
async function beginOf({ daemon, request }: Call, sessionId: string, after: string | undefined) {
  const given = after === undefined ? undefined : positionOf(after);
  const options = { sessionId, after: given, partial: false, signal: request.signal };
  return (await SessionEvents.open(daemon, options)).position;
}

function shown({ principalId: _principalId, secret: _secret, position, ...rest }: WebhookCursor): object {
  return { ...rest, lastEventId: eventId(position) };
}
