import type { Dial } from "@daemon-sdk/protocol";
import { recordTransport } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";

type Frame = Record<string, unknown>;

/** What went over a link, as parsed messages in their order; without the credentials. */
export interface Recording {
  readonly sent: Frame[];
  readonly received: Frame[];
  readonly dial: Dial;
}

/** Dials like the client does, and writes down what goes over the link. */
export function recordingDial(): Recording {
  const recording = { "to-daemon": [] as Frame[], "to-client": [] as Frame[] };
  const write = (line: string) => {
    const { direction, frame } = JSON.parse(line) as { direction: keyof typeof recording; frame: Frame };
    recording[direction].push(frame);
  };
  return {
    sent: recording["to-daemon"],
    received: recording["to-client"],
    dial: async ({ url, signal }) => recordTransport(await dialWebSocket(url, { signal }), write),
  };
}
