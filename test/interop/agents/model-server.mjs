/** A model on 127.0.0.1 that says what the prompt tells it to (model-script.mjs), in the formats of three services. */
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { chatCompletions, generateContent, responses } from "./model-dialects.mjs";
import { pieces, roundOf } from "./model-script.mjs";

const DIALECTS = [
  { path: /\/chat\/completions$/u, dialect: chatCompletions },
  { path: /\/responses$/u, dialect: responses },
  { path: /:streamGenerateContent/u, dialect: generateContent },
];
/** Agents ask a model for titles and for a choice of models, too; they offer no tools then. */
const SIDE_ANSWER = [{ say: "A title" }];

/** The running model. `requests` are the bodies that it got, newest last. */
export class ModelServer {
  requests = [];
  #server;
  #cuts = new Map();

  async start() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const found = DIALECTS.find(({ path }) => path.test(request.url));
    if (request.method !== "POST" || found === undefined) return this.#other(request, response);
    const body = JSON.parse(text);
    this.requests.push(text);
    const round = roundOf(found.dialect.turns(body));
    const isSide = !found.dialect.hasTools(body) || round === undefined;
    await this.#answer(response, found.dialect, isSide ? { key: "side", steps: SIDE_ANSWER } : round);
  }

  /** Lists of models, counts of tokens, whole answers: a service has more than what is scripted. */
  #other(request, response) {
    response.setHeader("content-type", "application/json");
    if (request.url.includes(":generateContent")) {
      const content = { role: "model", parts: [{ text: SIDE_ANSWER[0].say }] };
      response.end(JSON.stringify({ candidates: [{ index: 0, content, finishReason: "STOP" }] }));
    } else if (request.url.includes(":countTokens")) response.end(JSON.stringify({ totalTokens: 100 }));
    else if (request.url.endsWith("/models")) response.end(JSON.stringify({ object: "list", data: [], models: [] }));
    else {
      response.statusCode = 404;
      response.end("{}");
    }
  }

  async #answer(response, dialect, { key, steps }) {
    const failure = steps.find(({ fail }) => fail !== undefined);
    if (failure !== undefined) {
      // Agents that ask again do so at once.
      response.writeHead(failure.fail, { "content-type": "application/json", "retry-after-ms": "10" });
      const message = `mock: the model fails with ${failure.fail}`;
      response.end(JSON.stringify({ error: { message, type: "api_error", code: failure.fail, status: "INTERNAL" } }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (data) => response.write(dialect.frame(data));
    const state = {};
    dialect.begin(send, state);
    for (const step of steps) {
      if (await this.#step(step, { response, dialect, send, state, key })) return;
    }
    dialect.end(send, { state, hasTool: steps.some(({ tool }) => tool !== undefined) });
    response.end();
  }

  /** Writes one step. True when nothing follows. */
  async #step(step, { response, dialect, send, state, key }) {
    for (const piece of pieces(step.think ?? "")) dialect.think(send, piece, state);
    for (const piece of pieces(step.say ?? "")) dialect.say(send, piece, state);
    for (let word = 0; word < (step.flood ?? 0) && !response.destroyed; word += 1) {
      dialect.say(send, `w${word} `, state);
      if (step.everyMs > 0) await pause(step.everyMs);
    }
    if (step.tool !== undefined) dialect.tool(send, step, state);
    if (step.hang === true) await once(response, "close");
    if (step.cut !== undefined && this.#isCut(key, step.cut)) {
      // What was written is on its way before the connection breaks.
      await pause(300);
      response.destroy();
    }
    return response.destroyed;
  }

  #isCut(key, times) {
    const cuts = this.#cuts.get(key) ?? 0;
    this.#cuts.set(key, cuts + 1);
    return cuts < times;
  }
}
