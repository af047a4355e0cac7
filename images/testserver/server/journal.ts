import { appendFileSync } from 'node:fs';

export interface Received {
  readonly signal: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What happened to this process, for its log and for whoever asks over HTTP. */
export class Journal {
  readonly #signalLog: string | undefined;
  readonly #signals: Received[] = [];

  constructor(signalLog: string | undefined) {
    this.#signalLog = signalLog;
  }

  get signals(): readonly Received[] {
    return this.#signals;
  }

  say(line: string): void {
    console.log(line);
  }

  /** Written before this returns: the next signal may be one that nobody survives. */
  receive(signal: string): void {
    const received = { signal, at: new Date().toISOString() };
    this.#signals.push(received);
    this.say(`signal ${signal}`);
    if (this.#signalLog !== undefined) appendFileSync(this.#signalLog, `${signal} ${received.at}\n`);
  }
}
