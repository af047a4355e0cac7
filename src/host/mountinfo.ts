/** /proc/self/mountinfo, read. One line a mount, in the order they were made. */
import { readFileSync } from 'node:fs';

export interface MountLine {
  readonly id: number;
  /** major:minor: the same for every mount of one filesystem. */
  readonly device: string;
  /** The part of the filesystem that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  readonly fsType: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

export const readMountinfo = (): readonly MountLine[] => parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));

export function parseMountinfo(text: string): readonly MountLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      // Between the options and the dash stand any number of propagation fields.
      const dash = fields.indexOf('-', 6);
      const field = (index: number): string => fields[index] ?? '';
      return {
        id: Number(field(0)),
        device: field(2),
        root: unescapeOctal(field(3)),
        mountPoint: unescapeOctal(field(4)),
        options: field(5).split(','),
        fsType: field(dash + 1),
        source: unescapeOctal(field(dash + 2)),
        superOptions: field(dash + 3).split(','),
      };
    });
}

export const isUnder = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);

/** The kernel writes space, tab, newline and backslash as \ooo. Other bytes stand as they are. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
