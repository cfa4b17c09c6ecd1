/** What a machine of a fleet announces of a name that it knows. */
export interface NamePlace {
  readonly entityType: "agent" | "user";
  readonly isConnected: boolean;
  /** When the name was last connected, in Unix milliseconds of that machine's clock. */
  readonly lastSeen: number;
}

/** One message for a name on another machine, as it is published. */
export interface MailLetter {
  /** The generation of the outbox in which the letter was written. */
  readonly generation: number;
  /** The generation has the positions after this one. */
  readonly start: number;
  readonly position: number;
  /** Everything up to this position was reported as stored, or dropped by its sender. */
  readonly lowWater: number;
  /** The DELIVER, as JSON. Empty: it was too large, and its position is used up. */
  readonly text: string;
}

/** What one machine has stored of another machine's mail. */
export interface MailAccount {
  /** The generation of the last letter; 0: none was ever stored. */
  readonly generation: number;
  /** Position of the last letter that was stored or refused. */
  readonly position: number;
  /** Runs of positions whose letters were refused, both ends included, until the sender knows. */
  readonly refused: readonly (readonly [number, number])[];
}

/** An account as it is sent to the machine that wrote the letters. */
export interface MailReport extends MailAccount {
  /** Letters are missing before one that came: they are to be published again. */
  readonly isGap: boolean;
}

/** The mail of other machines for this one, while a carrier is attached. */
export interface MailExchange {
  /** Stores letters of a machine. Rejects when the store fails. */
  receive(machineId: string, letters: readonly MailLetter[]): Promise<MailReport>;
  /** What is stored of a machine's mail. */
  accountOf(machineId: string): MailAccount;
  /** A machine reports what it has stored of this machine's mail. */
  reported(machineId: string, report: MailReport): void;
  /** An envelope of another machine's `post`. */
  posted(text: string): void;
  /** Ends it. What is not reported stays in the store. */
  detach(): void;
}

/** What of a daemon's relay spans a fleet: names, and mail between machines. A daemon provides it, and `joinFleet` of `@daemon-sdk/fleet` carries it. */
export interface FleetRelay {
  /** Called after a name has connected, disconnected or been forgotten. */
  onNameChanged: ((name: string) => void) | undefined;
  /** The names that this machine announces, each with whether it is connected. */
  names(): { readonly name: string; readonly place: NamePlace }[];
  /** What this machine announces of a name; undefined when it announces nothing. */
  placeOf(name: string): NamePlace | undefined;
  /** Another machine announces a name; undefined: it does not any more. */
  nameElsewhere(machineId: string, name: string, place: NamePlace | undefined): void;
  /** The daemon left its fleet: names of other machines are not known any more. */
  forgetElsewhere(): void;
  /** Begins to publish and to receive. One carrier at a time: a former one is detached. */
  attach(carrier: MailCarrier): MailExchange;
}

/** The way of mail to other machines. It may lose, repeat and delay letters. */
export interface MailCarrier {
  /** Resolves when the network keeps the letter, or its empty place because it is too large. Rejects otherwise. */
  publish(machineId: string, letter: MailLetter): Promise<"kept" | "too_large">;
  /** Asks a machine what it has stored of this machine's mail; undefined when it does not answer. */
  ask(machineId: string): Promise<MailAccount | undefined>;
  /** Sends an envelope to a machine, or to all, that is not kept for them: it gets there at most once. */
  post(machineId: string | undefined, text: string): void;
}
