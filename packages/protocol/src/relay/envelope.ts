import { isRecord, newId } from "../base/index.js";
import { LIMITS } from "../limits/index.js";
import {
  type Description,
  type NullRemover,
  nullRemoverOf,
  number,
  object,
  optional,
  record,
  type Shape,
  text,
} from "./description/index.js";
import type { MessageType } from "./message-types.js";
import { PAYLOADS, type RelayPayloads } from "./payloads/index.js";
import { isSafeData } from "./safe-data.js";
import { DELIVERY, type Delivery, SEND_META, type SendMeta } from "./side-bands.js";

// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/** `v` of every envelope we send. Never compared on receive: the original accepts any value. */
export const PROTOCOL_VERSION = 1;

/**
 * One message of the relay wire.
 *
 * Enums and types are open: a newer peer may send an unknown `type`.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#envelope
 */
export interface Envelope<T = Record<string, unknown>> {
  /** Always {@link PROTOCOL_VERSION} on what we send. */
  v: number;
  type: string;
  /** Opaque. Answers to queries carry the id of the query. */
  id: string;
  /** Unix milliseconds. */
  ts: number;
  /** Set by the daemon; a value from a client is ignored. */
  from?: string;
  /** Agent or user name, `*`, `@users`, or one of the daemon's own addresses. */
  to?: string;
  topic?: string;
  payload: T;
  /** A {@link SendMeta} on SEND and DELIVER, once `isEnvelopeOf` has checked it. */
  payload_meta?: object;
  /** A {@link Delivery} on DELIVER, once `isEnvelopeOf` has checked it. */
  delivery?: object;
}

/** Checked in detail by `isEnvelopeOf` only, because its type depends on the envelope's. */
const sideBand: Description<object> = { kind: "record" };

/** Description of an {@link Envelope} of any type. */
export const ENVELOPE = object<Envelope>({
  v: number,
  type: text,
  id: text,
  ts: number,
  from: optional(text),
  to: optional(text),
  topic: optional(text),
  payload: record,
  payload_meta: optional(sideBand),
  delivery: optional(sideBand),
});

/** An envelope of a known type with its payload. A DELIVER always has `from` and `delivery`. */
export type RelayEnvelope<Type extends MessageType> = Envelope<RelayPayloads[Type]> & {
  type: Type;
} & (Type extends "SEND" ? { payload_meta?: SendMeta } : unknown) &
  (Type extends "DELIVER" ? { from: string; payload_meta?: SendMeta; delivery: Delivery } : unknown);

/** Fields of an envelope besides type and payload. Default: a new `id`, and now for `ts`. */
export interface EnvelopeFields extends Partial<Pick<Envelope, "id" | "ts" | "from" | "to" | "topic">> {
  payload_meta?: SendMeta;
  delivery?: Delivery;
}

/** A new envelope, ready to be sent. `v` is set; `id` is a UUID v4 and `ts` is now, unless `fields` has them. */
export function createEnvelope<Type extends MessageType>(
  type: Type,
  payload: RelayPayloads[Type],
  fields?: EnvelopeFields,
): Envelope<RelayPayloads[Type]> & { type: Type } {
  return { v: PROTOCOL_VERSION, type, id: fields?.id ?? newId(), ts: fields?.ts ?? Date.now(), ...fields, payload };
}

/** Why a JSON value is no envelope, with the id it states, so that the refusal can name the id. */
export class EnvelopeFault {
  constructor(
    readonly message: string,
    readonly id: string | undefined,
  ) {}
}

/**
 * Reads a parsed frame as an envelope. Returns the fault if the frame is none.
 *
 * `null` counts as absent, in the envelope and in the optional fields of a known payload. Absent `v`, `ts` and `payload` are
 * filled in, because the original accepts such frames. A wrong type of one of them is refused, except of `v`, which may be
 * anything. Payload and `payload_meta`, which are forwarded, must not nest deeper than
 * {@link LIMITS.jsonDepth} nor hold keys that replace prototypes. Unknown fields are not checked.
 */
export function readEnvelope(value: unknown): Envelope | EnvelopeFault {
  if (!isRecord(value)) return new EnvelopeFault("the frame must hold a JSON object", undefined);
  if (!Number.isFinite(value.v)) value.v = PROTOCOL_VERSION;
  value.ts ??= Date.now();
  value.payload ??= {};
  removeNulls(value);
  const fault = faultyField(value) ?? (isSafe(value) ? undefined : UNSAFE);
  if (fault === undefined) return value as unknown as Envelope;
  return new EnvelopeFault(fault, typeof value.id === "string" ? value.id : undefined);
}

const NULL_REMOVERS = new Map<unknown, NullRemover>(
  Object.entries<Shape>(PAYLOADS).flatMap(([type, shape]) => {
    const remover = nullRemoverOf(shape);
    return remover === undefined ? [] : [[type, remover] as const];
  }),
);

const removeMetaNulls = nullRemoverOf(SEND_META);
const removeDeliveryNulls = nullRemoverOf(DELIVERY);

/** Written out field by field: this runs for every frame. */
function removeNulls(value: Record<string, unknown>): void {
  if (value.from === null) delete value.from;
  if (value.to === null) delete value.to;
  if (value.topic === null) delete value.topic;
  if (value.payload_meta === null) delete value.payload_meta;
  if (value.delivery === null) delete value.delivery;
  NULL_REMOVERS.get(value.type)?.(value.payload);
  if (value.payload_meta !== undefined) removeMetaNulls?.(value.payload_meta);
  if (value.delivery !== undefined) removeDeliveryNulls?.(value.delivery);
}

const UNSAFE = `the payload must nest at most ${LIMITS.jsonDepth} levels deep, without the keys __proto__ and constructor.prototype`;

function isSafe(value: Record<string, unknown>): boolean {
  return isSafeData(value.payload, LIMITS.jsonDepth) && isSafeData(value.payload_meta, LIMITS.jsonDepth);
}

/** Whether `value` is an envelope of any type. Its own fields are checked, the contents of payload and side bands are not. */
export function isEnvelope(value: unknown): value is Envelope {
  return isRecord(value) && Number.isFinite(value.v) && faultyField(value) === undefined;
}

/** Written out field by field: this runs for every frame. */
function faultyField(value: Record<string, unknown>): string | undefined {
  if (typeof value.type !== "string") return "`type` must be a string";
  if (typeof value.id !== "string") return "`id` must be a string";
  if (!Number.isFinite(value.ts)) return "`ts` must be a number of milliseconds";
  if (!isRecord(value.payload)) return "`payload` must be an object";
  if (!isOptionalText(value.from)) return "`from` must be a string";
  if (!isOptionalText(value.to)) return "`to` must be a string";
  if (!isOptionalText(value.topic)) return "`topic` must be a string";
  if (value.payload_meta !== undefined && !isRecord(value.payload_meta)) return "`payload_meta` must be an object";
  if (value.delivery !== undefined && !isRecord(value.delivery)) return "`delivery` must be an object";
  return undefined;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
