import { METHODS, ProtocolEngine, silentLogger, type Transport } from "@daemon-sdk/protocol";
import { AcpFace } from "../../src/acp-face/index.js";
import type { FakeAgent } from "../sessions/fake-agent.js";
import { Harness, type HarnessOptions } from "../sessions/harness.js";
import { Editor } from "./editor.js";

/** Options of {@link FaceDesk.open}. */
export interface FaceDeskOptions extends HarnessOptions {
  readonly ownTurnsOnly?: boolean;
  /** Wraps the daemon's end of each link. */
  through?(far: Transport): Transport;
}

/** An editor, its face, and a daemon with agents that the test plays. */
export class FaceDesk implements AsyncDisposable {
  readonly editor: Editor;
  readonly face: AcpFace;
  readonly harness: Harness;
  /** Whether the editor reads; when not, the face is told that its output is full. */
  isReading = true;
  /** Each link of the face to the daemon, the first one first. */
  readonly links: Transport[] = [];
  /** Set to make the daemon unreachable. */
  failure: Error | undefined;
  #waiting: (() => void)[] = [];

  static async open(options: FaceDeskOptions = {}): Promise<FaceDesk> {
    const desk = new FaceDesk(await Harness.start(options), options);
    await desk.editor.open({ clientCapabilities: { session: { notices: {} }, elicitation: { form: {} } } });
    return desk;
  }

  private constructor(harness: Harness, { ownTurnsOnly = false, through }: FaceDeskOptions) {
    this.harness = harness;
    this.editor = new Editor((line) => this.face.receive(line));
    this.face = new AcpFace({
      output: {
        send: (text) => {
          this.editor.receive(text);
          return this.isReading;
        },
        onceWritable: (callback) => void this.#waiting.push(callback),
      },
      ...{ logger: silentLogger, ownTurnsOnly, mustAuthenticate: false, isLasting: true, onEnd: () => {} },
      connect: async () => {
        if (this.failure !== undefined) throw this.failure;
        const link = harness.link(through);
        this.links.push(link);
        const engine = new ProtocolEngine(link, { prefix: "daemon" });
        const { capabilities = {} } = await engine.request(METHODS.authenticate, { proof: "good", caller: "test" });
        return { engine, capabilities };
      },
    });
  }

  /** The editor reads again. */
  read(): void {
    this.isReading = true;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  /** A new session with its agent. */
  async session(): Promise<{ id: string; agent: FakeAgent }> {
    const id = await this.editor.newSession("/");
    return { id, agent: await this.harness.spawner.agentOf(id) };
  }

  /** Cuts the face's present link. */
  cut(): void {
    this.links.at(-1)?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.face.end();
    await this.harness[Symbol.asyncDispose]();
  }
}
