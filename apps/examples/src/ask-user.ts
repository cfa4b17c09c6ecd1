/** The agent has a question with options; the program answers for its user. */
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();
await using session = await connection.createSession({
  cwd: scratch.workspace,
  askUserHandler({ questions }) {
    const answers = questions.map(({ index, question, options }) => {
      const answer = options.at(-1) ?? "";
      console.log(`asked  ${question} ${options.join(" or ")}: ${answer}`);
      return { index, question, answer };
    });
    return { answers };
  },
});

for await (const event of session.stream("ask Which colour? red | green | blue")) printEvent("agent", event);
