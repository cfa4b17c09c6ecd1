/** The parts this program can play in a process of its own, by name. */
export const ROLES: ReadonlyMap<string, (args: readonly string[]) => void | Promise<void>> = new Map();
