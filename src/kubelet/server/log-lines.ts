/**
 * The format in which every CRI runtime writes a container's output: `TIME STREAM TAG TEXT\n` (KEP-2040's log format).
 * TAG is F for a full line, P for a piece of one that was too long to keep in memory.
 */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as the runtime wrote it. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without a newline when it is only a piece. */
  readonly text: Uint8Array;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const PARTIAL = 0x50;

/** `line` is without its newline. undefined for what is no log line: a runtime killed while it wrote leaves such things. */
export function parseLogLine(line: Uint8Array): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = ascii(line, first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const content = line.subarray(third + 1);
  return { time: ascii(line, 0, first), stream, text: line[second + 1] === PARTIAL ? content : withNewline(content) };
}

function withNewline(content: Uint8Array): Uint8Array {
  const text = new Uint8Array(content.length + 1);
  text.set(content);
  text[content.length] = NEWLINE;
  return text;
}

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/** Cuts a stream of bytes into lines; what follows the last newline waits for more. */
export class LineCutter {
  #rest = new Uint8Array(0);

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    return lines;
  }
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
