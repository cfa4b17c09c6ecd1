import { describe, expect, it } from "vitest";
import { ChannelTable } from "../../../src/relay/groups/channel-table.js";

describe("ChannelTable", () => {
  it("has a member once, whatever the case of its name", () => {
    const table = new ChannelTable();
    expect(table.join("#dev", "Alice")).toBe(true);
    expect(table.join("#dev", "ALICE")).toBe(false);
    expect(table.has("#dev", "alice")).toBe(true);
  });

  it("keeps two agents apart whose names differ in case only", () => {
    const table = new ChannelTable();
    table.join("#dev", "Bob");
    table.join("#dev", "bob");
    expect(table.members("#dev")).toEqual(["Bob", "bob"]);
    table.leave("#dev", "bob");
    expect(table.members("#dev")).toEqual(["Bob"]);
  });

  it("lets a name leave that was added in another case", () => {
    const table = new ChannelTable();
    table.join("#dev", "alice");
    expect(table.leave("#dev", "Alice")).toBe(true);
    expect(table.has("#dev", "alice")).toBe(false);
    expect(table.leave("#dev", "Alice")).toBe(false);
  });

  it("takes #dev and dev for two channels", () => {
    const table = new ChannelTable();
    table.join("#dev", "Alice");
    expect(table.has("dev", "Alice")).toBe(false);
    expect(table.members("dev")).toEqual([]);
  });

  it("forgets a channel with its last member", () => {
    const table = new ChannelTable();
    table.join("#dev", "Alice");
    table.join("#ops", "Alice");
    table.leave("#dev", "Alice");
    expect(table.channels).toEqual(["#ops"]);
  });

  it("takes a name out of every channel, and its namesake out of none", () => {
    const table = new ChannelTable();
    for (const channel of ["#dev", "#ops"]) table.join(channel, "Alice");
    table.join("#dev", "alice");
    table.join("#art", "alice");
    expect(table.leaveAll("Alice")).toEqual(["#dev", "#ops"]);
    expect(table.members("#dev")).toEqual(["alice"]);
    expect(table.channels).toEqual(["#dev", "#art"]);
  });

  it("holds channels and members by names that would harm a plain object", () => {
    const table = new ChannelTable();
    table.join("__proto__", "constructor");
    expect(table.members("__proto__")).toEqual(["constructor"]);
    expect(table.has("toString", "constructor")).toBe(false);
  });
});
