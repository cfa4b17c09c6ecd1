import { expect, test, vi } from "vitest";
import { DAEMON_LIMITS } from "../../src/limits/index.js";
import { SessionConnections, type SessionConnectionsOptions } from "../../src/session-connections.js";

test("connections that are closed soon after their start load nothing later", async () => {
  vi.useFakeTimers();
  try {
    const connections = new SessionConnections({ limits: DAEMON_LIMITS } as SessionConnectionsOptions);
    connections.preloadSoon();
    expect(vi.getTimerCount()).toBe(1);
    await connections.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
