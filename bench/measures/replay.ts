import type { Measure } from "../measure.js";
import { connectTo, openDaemon, openSessions } from "./lanes.js";

const MISSED = 10_000;
const OURS = "follow() after a position, on our daemon";

/** A client that was away gets what it missed, from the journal. */
export const replay: Measure = {
  name: "replay",
  title: `Replay: ${MISSED} missed events, from the attach to the last one`,
  unit: "ms",
  better: "less",
  bars: [{ contestant: OURS, atMost: 60 }],
  async open() {
    const { daemon, connection } = await openDaemon();
    const [session] = await openSessions(connection, 1);
    if (session === undefined) throw new Error("No session was opened.");
    const { position: after } = session.snapshot;
    for await (const _ of session.stream(String(MISSED)));
    const other = await connectTo(daemon);
    return {
      contestants: [
        {
          name: OURS,
          async round() {
            const started = performance.now();
            let deltas = 0;
            for await (const { type } of other.follow(session.sessionId, { after, includePartialMessages: true })) {
              if (type === "assistant_text_delta") deltas += 1;
              if (type === "result" && deltas > 0) break;
            }
            if (deltas !== MISSED) throw new Error(`The replay had ${deltas} deltas of ${MISSED}.`);
            return performance.now() - started;
          },
        },
      ],
      async close() {
        await Promise.all([connection.close(), other.close()]);
        await daemon.stop();
      },
    };
  },
};
