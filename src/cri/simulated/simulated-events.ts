import type { RuntimeEvent, RuntimeEvents } from '#cri/runtime.ts';
import { Inbox, SlowReaderError } from '#lib/inbox.ts';

/** As many as the CRI adapter keeps. */
const INBOX_LIMIT = 2000;

export class SimulatedEvents implements RuntimeEvents {
  readonly #inboxes = new Set<Inbox<RuntimeEvent>>();

  emit(event: RuntimeEvent): void {
    for (const inbox of this.#inboxes) inbox.push(event);
  }

  async *subscribe(signal: AbortSignal): AsyncGenerator<RuntimeEvent, never> {
    for (;;) {
      const inbox = new Inbox<RuntimeEvent>(INBOX_LIMIT);
      this.#inboxes.add(inbox);
      try {
        yield { kind: 'resync' };
        yield* inbox.drain(signal);
      } catch (error) {
        if (!(error instanceof SlowReaderError)) throw error;
      } finally {
        this.#inboxes.delete(inbox);
      }
    }
  }
}
