/** One message for a name on another machine, as it is published. */
export interface MailLetter {
  /** The generation of the sender's outbox in which the letter was written. */
  readonly generation: number;
  /** The generation has the positions after this one. */
  readonly start: number;
  readonly position: number;
  /** Everything up to this position was reported as stored, or dropped by its sender. */
  readonly lowWater: number;
  /** The message. Empty: it was too large, and its position is used up. */
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

/** The way of mail to other machines. It may lose, repeat and delay letters. */
export interface MailCarrier {
  /** Resolves when the network keeps the letter, or its empty place because it is too large. Rejects otherwise. */
  publish(machineId: string, letter: MailLetter): Promise<"kept" | "too_large">;
  /** Asks a machine what it has stored of this machine's mail; undefined when it does not answer. */
  ask(machineId: string): Promise<MailAccount | undefined>;
  /** Sends an envelope to a machine, or to all, that is not kept for them: it gets there at most once. */
  post(machineId: string | undefined, text: string): void;
}

/** The mail of other machines for this one, while a carrier is attached. */
export interface MailExchange {
  receive(machineId: string, letters: readonly MailLetter[]): Promise<MailReport>;
  accountOf(machineId: string): MailAccount;
  reported(machineId: string, report: MailReport): void;
  /** An envelope of another machine's `post`. */
  posted(text: string): void;
  detach(): void;
}

/** What a machine announces of a name that it knows. Times in Unix milliseconds. */
export interface NamePlace {
  readonly entityType: "agent" | "user";
  readonly isConnected: boolean;
  readonly lastSeen: number;
}

/** What of a daemon's relay spans the fleet: names, and mail between machines. */
export interface FleetRelay {
  onNameChanged: ((name: string) => void) | undefined;
  names(): { readonly name: string; readonly place: NamePlace }[];
  placeOf(name: string): NamePlace | undefined;
  nameElsewhere(machineId: string, name: string, place: NamePlace | undefined): void;
  forgetElsewhere(): void;
  attach(carrier: MailCarrier): MailExchange;
}
