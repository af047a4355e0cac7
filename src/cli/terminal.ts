import { styleText } from 'node:util';
import type { Tell } from '#cli/tell.ts';

/** Standard output as people see it: live lines on a terminal, plain ones elsewhere. */
export interface Terminal extends Tell {
  /** True when somebody looks on: lines may be drawn anew. */
  readonly live: boolean;
  /** Replaces what `draw` last drew; elsewhere than on a terminal nothing. */
  draw(lines: readonly string[]): void;
  readonly width: number;
  style(format: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', text: string): string;
}

export function standardTerminal(out: NodeJS.WriteStream): Terminal {
  const live = out.isTTY === true && process.env['TERM'] !== 'dumb';
  let drawn: readonly string[] = [];
  const erase = (): void => {
    if (drawn.length > 0) out.write(`\u001b[${drawn.length}A\u001b[J`);
  };
  return {
    live,
    get width() {
      return out.columns ?? 100;
    },
    line(text) {
      erase();
      out.write(`${text}\n`);
      if (drawn.length > 0) out.write(`${drawn.join('\n')}\n`);
    },
    draw(lines) {
      if (!live) return;
      erase();
      drawn = lines.map((line) => line.slice(0, (out.columns ?? 100) + line.length - visibleLength(line)));
      if (drawn.length > 0) out.write(`${drawn.join('\n')}\n`);
    },
    style: (format, text) => (live && process.env['NO_COLOR'] === undefined ? styleText(format, text) : text),
  };
}

// eslint-disable-next-line no-control-regex -- escape sequences are what is to be left out
const visibleLength = (text: string): number => text.replace(/\u001b\[[0-9;]*m/g, '').length;
