import { styleText } from 'node:util';
import type { Tell } from '#cli/tell.ts';

/** Standard output as people see it: live lines on a terminal, plain ones elsewhere. */
export interface Terminal extends Tell {
  /** True when somebody looks on: lines may be drawn anew. */
  readonly live: boolean;
  /** Replaces what `draw` last drew, as far as the screen holds it; [] erases it. Elsewhere than on a terminal nothing. */
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
      return out.columns || 100;
    },
    line(text) {
      erase();
      out.write(`${text}\n`);
      if (drawn.length > 0) out.write(`${drawn.join('\n')}\n`);
    },
    draw(lines) {
      if (!live) return;
      erase();
      // What has left the screen at the top cannot be drawn anew, and a line that wraps counts twice.
      const shown = lines.slice(0, Math.max(1, (out.rows || 24) - 1));
      drawn = shown.map((line) => clipped(line, out.columns || 100));
      if (drawn.length > 0) out.write(`${drawn.join('\n')}\n`);
    },
    style: (format, text) =>
      // Whether it is a terminal was decided above, for this very stream.
      live && !process.env['NO_COLOR'] ? styleText(format, text, { validateStream: false }) : text,
  };
}

/** Its first `width` characters; styles take no room, and end where they would have. */
function clipped(line: string, width: number): string {
  let room = width;
  // eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
  return line.replace(/(\u001b\[[0-9;]*m)|[^]/gu, (character, style: string | undefined) => {
    if (style !== undefined) return style;
    room -= 1;
    return room >= 0 ? character : '';
  });
}
