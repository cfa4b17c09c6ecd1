import { expect, test } from "vitest";
import { Listener } from "./connection-pair.js";

for (const via of ["tcp", "unix"] as const) {
  test(`messages travel both ways over ${via}, and a polite close is clean on both sides`, async () => {
    await using listener = await Listener.open(via);
    const { near, far } = await listener.connect();
    const heard = new Promise<string>((resolve) => {
      far.onMessage = (text) => far.send(`${text} back`);
      near.onMessage = resolve;
    });
    near.send("there and");
    expect(await heard).toBe("there and back");
    const ends = Promise.all(
      [near, far].map(
        (end) =>
          new Promise((resolve) => {
            end.onClose = resolve;
          }),
      ),
    );
    near.close(4401, "enough");
    const end = { clean: true, code: 4401, reason: "enough" };
    expect(await ends).toEqual([end, end]);
    expect(near.bufferedBytes).toBe(0);
  });
}
