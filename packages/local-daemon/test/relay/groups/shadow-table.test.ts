import { describe, expect, it } from "vitest";
import { shadowPayload } from "../../../src/relay/groups/shadow-copies.js";
import { ShadowTable } from "../../../src/relay/groups/shadow-table.js";

function bound(fields: object = {}): ShadowTable {
  const table = new ShadowTable();
  table.bind("Watcher", { primaryAgent: "Worker", ...fields });
  return table;
}

describe("ShadowTable", () => {
  it("copies what the primary sends and receives unless it is told otherwise", () => {
    const table = bound();
    expect(table.copiesOf({ from: "Worker", to: "Lead" })).toEqual([
      { shadow: "Watcher", primary: "Worker", direction: "outgoing" },
    ]);
    expect(table.copiesOf({ from: "Lead", to: "Worker" })).toEqual([
      { shadow: "Watcher", primary: "Worker", direction: "incoming" },
    ]);
    expect(table.copiesOf({ from: "Lead", to: "Other" })).toEqual([]);
  });

  it("leaves out the direction that a shadow does not want", () => {
    expect(bound({ receiveOutgoing: false }).copiesOf({ from: "Worker", to: "Lead" })).toEqual([]);
    expect(bound({ receiveIncoming: false }).copiesOf({ from: "Lead", to: "Worker" })).toEqual([]);
  });

  it("copies a broadcast of the primary, and none that the primary merely hears", () => {
    expect(bound().copiesOf({ from: "Worker", to: "*" })).toHaveLength(1);
    expect(bound().copiesOf({ from: "Lead", to: "*" })).toEqual([]);
  });

  it("never copies a message to the one who sent or gets it anyway", () => {
    expect(bound().copiesOf({ from: "Watcher", to: "Worker" })).toEqual([]);
    expect(bound().copiesOf({ from: "Worker", to: "Watcher" })).toEqual([]);
  });

  it("copies what the primary sends to itself once", () => {
    expect(bound().copiesOf({ from: "Worker", to: "Worker" })).toHaveLength(1);
  });

  it("gives a shadow one primary: a new binding replaces the old one", () => {
    const table = bound();
    table.bind("Watcher", { primaryAgent: "Lead" });
    expect(table.of("Worker")).toEqual([]);
    expect(table.of("Lead")).toHaveLength(1);
  });

  it("gives a primary as many shadows as want it", () => {
    const table = bound();
    table.bind("Second", { primaryAgent: "Worker" });
    expect(table.copiesOf({ from: "Worker", to: "Lead" }).map(({ shadow }) => shadow)).toEqual(["Watcher", "Second"]);
  });

  it("speaks on an explicit ask unless it says otherwise", () => {
    expect(bound().of("Worker")[0]?.speakOn).toEqual(["EXPLICIT_ASK"]);
    expect(bound({ speakOn: ["CODE_WRITTEN"] }).of("Worker")[0]?.speakOn).toEqual(["CODE_WRITTEN"]);
  });

  it("unbinds from the present primary only", () => {
    const table = bound();
    expect(table.unbind("Watcher", "Lead")).toBe(false);
    expect(table.of("Worker")).toHaveLength(1);
    expect(table.unbind("Watcher", "Worker")).toBe(true);
    expect(table.of("Worker")).toEqual([]);
    expect(table.drop("Watcher")).toBe(false);
  });
});

describe("shadowPayload", () => {
  it("marks the copy and keeps everything else", () => {
    const payload = { kind: "message", body: "hi", thread: "t", data: { a: 1 } };
    const copy = shadowPayload(payload, { shadow: "W", primary: "P", direction: "incoming" });
    expect(copy).toEqual({
      ...payload,
      data: { a: 1, _shadowCopy: true, _shadowOf: "P", _shadowDirection: "incoming" },
    });
    expect(payload.data).toEqual({ a: 1 });
  });
});
