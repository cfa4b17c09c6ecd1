/** What is sent between peers: texts as long as those of our own measures. */

/** Of a request that is answered with the same. */
export const CALL_TEXT = "x".repeat(200);
/** Of one event; with what its protocol puts around it, some 300 bytes. */
export const EVENT = {
  sessionId: "0d3c6a1e-8a54-4d0e-9a5b-000000000001",
  type: "assistant_text_delta",
  textDelta: "x".repeat(160),
};
/** Events between two looks whether the socket is full. */
export const BATCH = 64;
/** Bytes ahead of the socket above which a sender waits. */
export const MOST_WAITING_BYTES = 1024 * 1024;

/** Lets others have the loop. */
export const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
