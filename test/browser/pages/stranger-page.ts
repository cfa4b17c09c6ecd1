/** What a page of somebody else can find out about a port of this machine. */
const actions = {
  /** Whether a WebSocket opens there. */
  opens(url: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onopen = () => {
        socket.close();
        resolve(true);
      };
      socket.onclose = () => resolve(false);
    });
  },

  /** What can be read there, or undefined. */
  async reads(url: string, mode: RequestMode): Promise<string | undefined> {
    try {
      const response = await fetch(url, { mode });
      return (await response.text()) || undefined;
    } catch {
      return undefined;
    }
  },
};

/** What the tests call. */
export type StrangerPage = typeof actions;

Object.assign(globalThis, { page: actions });
