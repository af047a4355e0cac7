import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AnswerReader, MalformedAnswer, type Page } from '#kubelet/probes/http-answer.ts';

/** Fed in pieces of these lengths, then closed. */
function read(text: string, pieces: readonly number[] = []): Page {
  const reader = new AnswerReader();
  let left = Buffer.from(text, 'latin1');
  for (const length of [...pieces, Infinity]) {
    if (left.length === 0) break;
    const page = reader.push(left.subarray(0, length));
    if (page) return page;
    left = left.subarray(length);
  }
  return reader.end();
}

const ok = { status: 200, location: undefined, body: '' };
const cases: readonly (readonly [string, string, Page])[] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more', { ...ok, body: 'hi' }],
  ['no reason phrase', 'HTTP/1.1 204\r\n\r\n', { ...ok, status: 204 }],
  ['until the end', 'HTTP/1.0 200 OK\r\n\r\nall of it', { ...ok, body: 'all of it' }],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 1\n\nx', { ...ok, body: 'x' }],
  ['no body by its status', 'HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n', { ...ok, status: 304 }],
  [
    'chunks, with extensions and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n',
    { ...ok, body: 'abc0123456789' },
  ],
  [
    'what is said before the answer',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy',
    { ...ok, status: 503, body: 'busy' },
  ],
  [
    'a redirect, in any case',
    'HTTP/1.1 302 Found\r\nLOCATION:  /there \r\ncontent-length: 0\r\n\r\n',
    { ...ok, status: 302, location: '/there' },
  ],
  ['ten KiB of more', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(20_000)}`, { ...ok, body: 'x'.repeat(10_240) }],
];

for (const [name, text, page] of cases) {
  test(`an answer: ${name}, in whatever pieces it comes`, () => {
    assert.deepEqual(read(text), page);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (pieces) => {
        assert.deepEqual(read(text, pieces), page);
      }),
      { numRuns: 50 },
    );
  });
}

test('an answer: what is none is told as Go’s client does', () => {
  const wrong: Readonly<Record<string, string>> = {
    '': 'EOF',
    'HTTP/1.1 200': 'unexpected EOF',
    'SSH-2.0-OpenSSH\r\n\r\n': 'malformed HTTP response "SSH-2.0-OpenSSH"',
    'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n': 'bad Content-Length "many"',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc': 'unexpected EOF',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n': 'invalid chunk length',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab': 'unexpected EOF',
  };
  for (const [text, message] of Object.entries(wrong))
    assert.throws(() => read(text), { name: MalformedAnswer.name, message });
});
