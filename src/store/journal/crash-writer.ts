import { writeSync } from 'node:fs';
import { SqliteJournal } from '#store/journal/sqlite-journal.ts';

// The child of journal.test.ts: appends until it is killed, and prints how far a read has shown it to be.
const [path = ''] = process.argv.slice(2);
const journal = new SqliteJournal(path);
for (let next = 1; ; next++) {
  const subject = { uid: `uid-${next % 7}`, key: `ns/pod-${next % 7}`, born: 1 };
  journal.append(subject, [{ at: next, text: `${next} ${'x'.repeat(next % 900)}` }]);
  if (next % 50 !== 0) continue;
  await journal.read(subject.uid);
  writeSync(1, `${next}\n`);
}
