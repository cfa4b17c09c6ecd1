import { expect, test } from "vitest";
import { UnreadRoom } from "../../src/connection/unread-room.js";

const MOST = 800;

/** Connections that have not read so much, and a room over them. */
function roomOf(...unread: readonly number[]) {
  const cut: string[] = [];
  const connections = unread.map((bufferedBytes, index) => ({
    bufferedBytes,
    cut(error: Error) {
      cut.push(`${index}: ${error.message}`);
    },
  }));
  return { room: new UnreadRoom(connections, MOST), connections, cut };
}

test("past the bound of all, the connection with most unread bytes is cut, by name and number", () => {
  const { room, cut } = roomOf(100, 500, 300, 0);
  room.noteSent(MOST);
  expect(cut).toEqual([
    expect.stringMatching(/^1: .*900 bytes wait for the connections of this key, 800 may \(unreadBytesPerKey\)/),
  ]);
});

test("as many are cut as have to be, and none while all is within the bound", () => {
  const many = roomOf(400, 500, 500, 700);
  many.room.noteSent(MOST);
  expect(many.cut.map((text) => text[0])).toEqual(["3", "1", "2"]);
  const few = roomOf(400, 400);
  few.room.noteSent(MOST);
  expect(few.cut).toEqual([]);
});

test("a connection that alone has unread bytes has the bound of every connection only", () => {
  const { room, cut } = roomOf(0, 5_000, 0);
  room.noteSent(MOST);
  expect(cut).toEqual([]);
});

test("the connections are looked at each time an eighth of the bound was sent", () => {
  const { room, connections, cut } = roomOf(500, 500);
  let looks = 0;
  Object.defineProperty(connections[0], "bufferedBytes", { get: () => ++looks && 0 });
  for (let sent = 0; sent < 30; sent += 1) room.noteSent(10);
  expect(looks).toBe(3);
  expect(cut).toEqual([]);
});
