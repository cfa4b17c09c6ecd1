import { CloseCode, type GetMetricsResult, LIMITS, type Metric, newId, RpcCode } from "@daemon-sdk/protocol";
import { optionalString, requiredString, rpcFault } from "../../wire/index.js";
import type { FakeCall, FakeMethod } from "../calls.js";

/** Methods of the connection itself (docs/protocol.md §3, §12). */
export const CONNECTION_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["authenticate", authenticate],
  ["logout", logout],
  ["ping", () => ({})],
  ["create_ticket", createTicket],
  ["get_metrics", getMetrics],
]);

function authenticate(call: FakeCall): unknown {
  const { daemon, link } = call;
  try {
    link.principal = principalOf(call);
    link.isAuthenticated = true;
  } catch (fault) {
    link.refusals++;
    if (!daemon.isPlain && link.refusals >= LIMITS.authenticateAttempts) {
      call.afterReply(() => link.close(CloseCode.unauthenticated, "not authenticated"));
    }
    throw fault;
  }
  if (typeof call.params.proof === "string") link.usesExtensions = true;
  call.afterReply(() =>
    link.notify("connection_status", { isDroidCLIInPath: false, homedir: "/home/fake", platform: "linux" }),
  );
  const { capabilities, epoch } = daemon;
  const offers = daemon.isPlain ? {} : { capabilities, instanceId: `fake-${epoch}` };
  return { userId: "fake-user", orgId: "fake-org", ...offers };
}

/** Principal of a connection: its credential, or the principal that made its ticket. */
function principalOf({ daemon, params }: FakeCall): string {
  requiredString(params, "caller");
  const given = ["token", "apiKey", "proof"].map((name) => optionalString(params, name));
  const known = given.find(
    (credential) =>
      credential !== undefined && ((daemon.credential ?? credential) === credential || daemon.keys.has(credential)),
  );
  if (known !== undefined) return known;
  const ticket = optionalString(params, "ticket");
  const made = ticket === undefined ? undefined : daemon.tickets.get(ticket);
  if (ticket !== undefined) daemon.tickets.delete(ticket);
  if (made && made.expiresAt > daemon.clock.now()) return made.principal;
  if (ticket === undefined && given.every((credential) => credential === undefined)) {
    throw rpcFault(RpcCode.invalidParams, "Invalid params: a credential is required");
  }
  throw rpcFault(RpcCode.authentication, "Authentication failed");
}

function logout({ link, afterReply }: FakeCall): unknown {
  link.isAuthenticated = false;
  afterReply(() => link.close(CloseCode.normal, "logged out"));
  return { accepted: true };
}

function createTicket({ daemon, link }: FakeCall): unknown {
  const ticket = newId();
  const expiresAt = daemon.clock.now() + LIMITS.ticketMs;
  daemon.tickets.set(ticket, { principal: link.principal, expiresAt });
  return { ticket, expiresAt };
}

/** A fake counts turns only, all of them in the minute that runs. */
function getMetrics({ daemon }: FakeCall): GetMetricsResult {
  const at = daemon.clock.now();
  const turns = [...daemon.sessions.values()].reduce((sum, { turnsEnded }) => sum + turnsEnded, 0);
  const metrics: Metric[] = [
    {
      name: "daemon_sdk_turns_ended_total",
      type: "counter",
      help: "Turns that ended.",
      samples: [{ labels: { reason: "completed" }, value: turns }],
    },
  ];
  return { at, startedAt: at, metrics, minutes: [{ at, durationMs: 0, events: 0, turns, rssBytes: 0 }] };
}
