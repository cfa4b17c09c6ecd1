/** A stand-in that reads all and answers nothing, not even `initialize`. */
process.stdin.resume();
process.stdin.on("end", () => process.exit());
