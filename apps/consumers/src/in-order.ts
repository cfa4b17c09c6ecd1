const last = new Map<string, Promise<unknown>>();

/** Calls `step` when the earlier steps of that key are over, also when they failed: messages of a session keep their order. */
export function inOrder<Result>(key: string, step: () => Promise<Result>): Promise<Result> {
  const done = (last.get(key) ?? Promise.resolve()).then(step, step);
  const forget = () => {
    if (last.get(key) === done) last.delete(key);
  };
  last.set(key, done);
  done.then(forget, forget);
  return done;
}
