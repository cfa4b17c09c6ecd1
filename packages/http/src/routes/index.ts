import { EVENT_ROUTES } from "./events.js";
import { MACHINE_ROUTES } from "./machines.js";
import { MESSAGE_ROUTES } from "./messages.js";
import { REQUEST_ROUTES } from "./requests.js";
import type { Route } from "./route.js";
import { SESSION_ROUTES } from "./sessions.js";
import { WEBHOOK_ROUTES } from "./webhooks.js";

export type { Call, Route, RouteServices } from "./route.js";

/** Every route but that of the OpenAPI document. */
export const ROUTES: readonly Route[] = [
  ...SESSION_ROUTES,
  ...MESSAGE_ROUTES,
  ...EVENT_ROUTES,
  ...REQUEST_ROUTES,
  ...WEBHOOK_ROUTES,
  ...MACHINE_ROUTES,
];
