import type { Dial, Transport } from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";

/** What went over a link, as parsed messages in their order. */
export interface Recording {
  readonly sent: Record<string, unknown>[];
  readonly received: Record<string, unknown>[];
  readonly dial: Dial;
}

/** Dials like the client does, and writes down what goes over the link. */
export function recordingDial(): Recording {
  const sent: Record<string, unknown>[] = [];
  const received: Record<string, unknown>[] = [];
  const dial: Dial = async ({ url, signal }) => {
    const inner = await dialWebSocket(url, { signal });
    const outer: Transport = {
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      onMessage: undefined,
      onWritable: undefined,
      onClose: undefined,
      send(text) {
        sent.push(JSON.parse(text) as Record<string, unknown>);
        return inner.send(text);
      },
      close: (code, reason) => inner.close(code, reason),
      terminate: () => inner.terminate(),
    };
    inner.onMessage = (text) => {
      received.push(JSON.parse(text) as Record<string, unknown>);
      outer.onMessage?.(text);
    };
    inner.onWritable = () => outer.onWritable?.();
    inner.onClose = (event) => outer.onClose?.(event);
    return outer;
  };
  return { sent, received, dial };
}
