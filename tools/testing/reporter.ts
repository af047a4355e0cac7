/** What `node --test --test-reporter` loads. */
import type { TestEvent } from 'node:test/reporters';
import { outcomeOf } from '#tools/testing/events.ts';

// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from there only
export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const outcome = outcomeOf(event);
    if (outcome) yield `${JSON.stringify(outcome)}\n`;
  }
}
