import { isRecord, newId } from "../base/index.js";
import { LIMITS } from "../limits/index.js";
import { type Description, number, object, optional, record, text } from "./description/index.js";
import type { MessageType } from "./message-types.js";
import type { RelayPayloads } from "./payloads/index.js";
import { isSafeData } from "./safe-data.js";
import type { Delivery, SendMeta } from "./side-bands.js";

// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/** `v` of every envelope we send. Never compared on receive: the original accepts any value. */
export const PROTOCOL_VERSION = 1;

/**
 * One message of the relay wire.
 *
 * Enums and types are open: a newer peer may send a `type` that this version does not know.
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
  /** Set by the daemon; what a client writes here is not believed. */
  from?: string;
  /** Agent or user name, `*`, `@users`, or one of the daemon's own addresses. */
  to?: string;
  topic?: string;
  payload: T;
  /** A {@link SendMeta} on SEND and DELIVER, once `isEnvelopeOf` has looked at it. */
  payload_meta?: object;
  /** A {@link Delivery} on DELIVER, once `isEnvelopeOf` has looked at it. */
  delivery?: object;
}

/** Looked at by `isEnvelopeOf` alone, which knows of which type it has to be. */
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

/** An envelope whose type, and so its payload, is known. DELIVER always says from whom and where it stands. */
export type RelayEnvelope<Type extends MessageType> = Envelope<RelayPayloads[Type]> & {
  type: Type;
} & (Type extends "SEND" ? { payload_meta?: SendMeta } : unknown) &
  (Type extends "DELIVER" ? { from: string; payload_meta?: SendMeta; delivery: Delivery } : unknown);

/** Everything of an envelope but its type and payload; what is left out of `id` and `ts` is made up. */
export interface EnvelopeFields extends Partial<Pick<Envelope, "id" | "ts" | "from" | "to" | "topic">> {
  payload_meta?: SendMeta;
  delivery?: Delivery;
}

/** A new envelope, ready to be sent: `v` is stamped, `id` is a UUID v4, `ts` is now, unless `fields` says otherwise. */
export function createEnvelope<Type extends MessageType>(
  type: Type,
  payload: RelayPayloads[Type],
  fields?: EnvelopeFields,
): Envelope<RelayPayloads[Type]> & { type: Type } {
  return { v: PROTOCOL_VERSION, type, id: fields?.id ?? newId(), ts: fields?.ts ?? Date.now(), ...fields, payload };
}

/** Why a JSON value is no envelope, with the id it claims, so that the refusal can name it. */
export class EnvelopeFault {
  constructor(
    readonly message: string,
    readonly id: string | undefined,
  ) {}
}

/**
 * Takes a parsed frame for an envelope, or tells why it is none.
 *
 * `v`, `ts` and `payload` are filled in where a careless peer left them out, because the original takes such frames;
 * whatever stands there with a wrong type is refused, except `v`, which may be anything. What travels on, the payload
 * and its meta, must not nest deeper than {@link LIMITS.jsonDepth} nor hold keys that replace prototypes; fields we do not
 * know are not looked at.
 */
export function readEnvelope(value: unknown): Envelope | EnvelopeFault {
  if (!isRecord(value)) return new EnvelopeFault("the frame must hold a JSON object", undefined);
  if (!Number.isFinite(value.v)) value.v = PROTOCOL_VERSION;
  if (value.ts === undefined) value.ts = Date.now();
  if (value.payload === undefined) value.payload = {};
  const fault = faultyField(value) ?? (isSafe(value) ? undefined : UNSAFE);
  if (fault === undefined) return value as unknown as Envelope;
  return new EnvelopeFault(fault, typeof value.id === "string" ? value.id : undefined);
}

const UNSAFE = `the payload must nest at most ${LIMITS.jsonDepth} levels deep, without the keys __proto__ and constructor.prototype`;

function isSafe(value: Record<string, unknown>): boolean {
  return isSafeData(value.payload, LIMITS.jsonDepth) && isSafeData(value.payload_meta, LIMITS.jsonDepth);
}

/** Whether `value` is an envelope of any type, its own fields checked and what they hold not. */
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
