/** Numbers from a seed, so that a failure can be repeated (mulberry32). */
export function randomSource(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound) => Math.floor(next() * bound);
  return { next, below, pick: (list) => list[below(list.length)] };
}

const ALPHABETS = [
  "abcdefghijklmnopqrstuvwxyz ABC.,:;-_/\\\"'{}[]()<>0123456789",
  "äöüßéèñçøåÄÖÜ",
  "漢字仮名交じり文한국어",
  "😀🚀👩‍👩‍👧🇩🇪",
  "\n\r\t\u0000\u001f\u007f\u0080\u00a0\u2028\u2029\ufeff\ufffd",
];
const TYPES = ["SEND", "DELIVER", "ACK", "HELLO", "CHANNEL_MESSAGE", "SPAWN_RESULT", "A_TYPE_OF_TOMORROW"];
const KEYS = ["kind", "body", "data", "thread", "n", "ünï", "a b", "", "toString", "0"];

/** Envelopes of every sort a peer might send: tiny and large, plain and in all scripts, with lone surrogates, deep and flat. */
export function randomEnvelope(random) {
  const envelope = { v: 1, type: random.pick(TYPES), id: randomText(random, 40), ts: random.below(2 ** 41) };
  for (const field of ["from", "to", "topic"]) if (random.next() < 0.4) envelope[field] = randomText(random, 30);
  envelope.payload = randomRecord(random, 4);
  if (random.next() < 0.7) envelope.payload = { kind: "message", body: randomBody(random), ...envelope.payload };
  if (random.next() < 0.3) envelope.payload_meta = { importance: random.below(101), replyTo: randomText(random, 36) };
  if (random.next() < 0.3) envelope.delivery = { seq: random.below(1e6), session_id: randomText(random, 24) };
  return envelope;
}

function randomBody(random) {
  return randomText(random, random.pick([20, 200, 200, 1000, 5000, 40_000]));
}

function randomText(random, maxLength) {
  const alphabet = random.next() < 0.6 ? ALPHABETS[0] : random.pick(ALPHABETS);
  const characters = [...alphabet];
  const length = random.below(maxLength + 1);
  let text = "";
  while (text.length < length) text += random.pick(characters).repeat(1 + random.below(3));
  return random.next() < 0.02 ? `${text}${String.fromCharCode(0xd800 + random.below(2048))}` : text;
}

function randomRecord(random, depth) {
  const record = {};
  for (let count = random.below(5); count > 0; count -= 1) record[random.pick(KEYS)] = randomValue(random, depth - 1);
  return record;
}

function randomValue(random, depth) {
  const kind = random.below(depth > 0 ? 8 : 6);
  if (kind === 6) return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  if (kind === 7) return randomRecord(random, depth);
  return [
    null,
    random.next() < 0.5,
    random.below(1000),
    random.next() * 1e9,
    -random.below(2 ** 31),
    randomText(random, 60),
  ][kind];
}
