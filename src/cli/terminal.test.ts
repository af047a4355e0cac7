import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { standardTerminal } from '#cli/terminal.ts';

const UP = (lines: number): string => `\u001b[${lines}A\u001b[J`;

/** A stream that says it is a terminal, and what was written to it since last asked. */
function fakeStream(size: { isTTY?: boolean; columns?: number; rows?: number }): {
  stream: NodeJS.WriteStream;
  written: () => string;
} {
  const through = new PassThrough({ encoding: 'utf8' });
  // A WriteStream is more than a terminal looks at.
  const stream = Object.assign(through, {
    isTTY: true,
    columns: 40,
    rows: 10,
    ...size,
  }) as unknown as NodeJS.WriteStream;
  return { stream, written: () => String(through.read() ?? '') };
}

const kept = { ...process.env };
beforeEach(() => {
  process.env['TERM'] = 'xterm';
  delete process.env['NO_COLOR'];
  delete process.env['NODE_DISABLE_COLORS'];
});
afterEach(() => {
  process.env = { ...kept };
});

test('terminal: a drawing replaces the one before', () => {
  const { stream, written } = fakeStream({});
  const terminal = standardTerminal(stream);
  terminal.draw(['a', 'b']);
  assert.equal(written(), 'a\nb\n');
  terminal.draw(['c']);
  assert.equal(written(), `${UP(2)}c\n`);
  terminal.draw([]);
  assert.equal(written(), UP(1));
  terminal.draw([]);
  assert.equal(written(), '');
});

test('terminal: a line goes above the drawing', () => {
  const { stream, written } = fakeStream({});
  const terminal = standardTerminal(stream);
  terminal.draw(['a', 'b']);
  written();
  terminal.line('told');
  assert.equal(written(), `${UP(2)}told\na\nb\n`);
});

test('terminal: a drawing is cut to the screen, styles closed', () => {
  const { stream, written } = fakeStream({ columns: 5, rows: 3 });
  const terminal = standardTerminal(stream);
  terminal.draw([`${terminal.style('green', '✔✔✔')}bcdefg`, terminal.style('red', '1234567'), 'beyond']);
  assert.equal(written(), '\u001b[32m✔✔✔\u001b[39mbc\n\u001b[31m12345\u001b[39m\n');
  terminal.draw(['x']);
  assert.equal(written(), `${UP(2)}x\n`);
});

test('terminal: elsewhere there are plain lines only', () => {
  const { stream, written } = fakeStream({ isTTY: false });
  const terminal = standardTerminal(stream);
  assert.equal(terminal.live, false);
  terminal.draw(['a']);
  terminal.line(terminal.style('red', 'told'));
  assert.equal(written(), 'told\n');
});

test('terminal: a dumb one is drawn on by nobody, and NO_COLOR is heard', () => {
  process.env['TERM'] = 'dumb';
  assert.equal(standardTerminal(fakeStream({}).stream).live, false);
  process.env['TERM'] = 'xterm';
  process.env['NO_COLOR'] = '1';
  assert.equal(standardTerminal(fakeStream({}).stream).style('red', 'x'), 'x');
});
