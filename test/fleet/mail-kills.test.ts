import { expect, test } from "vitest";
import { HAS_NATS, NO_NATS } from "../../packages/fleet/test/support/nats-server.js";
import { runMailKills } from "./mail-kills.js";

test.skipIf(!HAS_NATS)(
  `mail between machines is delivered once and in order while daemons and the server are killed${NO_NATS}`,
  async () => {
    const result = await runMailKills({ messages: 120, kills: 3 });
    expect(result).toMatchObject({ sent: expect.any(Number), faults: [] });
    expect(result.sent).toBeGreaterThanOrEqual(120);
  },
);
