import { connectFleet } from "@daemon-sdk/fleet/browser";

/** What the test calls in the page. */
export interface FleetPage {
  /** Runs one prompt on a machine that the fleet chooses, and lists what there is. */
  run(options: Parameters<typeof connectFleet>[0], text: string, cwd: string): Promise<unknown>;
}

const page: FleetPage = {
  async run(options, text, cwd) {
    const fleet = await connectFleet(options);
    const machines = [...fleet.machines()].map(({ machineId, state }) => ({ machineId, state }));
    const session = await fleet.createSession({ cwd });
    let answer: string | undefined;
    for await (const event of session.stream(text)) if (event.type === "result") answer = event.text;
    const { items, missing } = await fleet.listSessions();
    await fleet.close();
    return { machines, answer, sessions: items.map(({ machineId }) => machineId), missing };
  },
};
Object.assign(globalThis, { page });
