import { open } from 'node:fs/promises';
import { openEach, resolveWithin } from '#kubelet/volumes/sub-path.ts';

/**
 * What a file in a volume says; undefined when there is none. Links are followed within the volume, and nowhere else (sub-path.ts
 * tells how). Throws for what is no file, or larger than `maxBytes`.
 */
export async function readWithin(volume: string, path: string, maxBytes: number): Promise<string | undefined> {
  const found = await resolveWithin(volume, path);
  if (found.there < found.parts.length) return undefined;
  await using held = await openEach(found);
  // A named pipe would keep whoever opens it waiting.
  if (!(await held.stat()).isFile()) throw new Error(`"${path}" is not a file`);
  await using file = await open(`/proc/self/fd/${held.fd}`, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
  if (bytesRead > maxBytes) throw new Error(`"${path}" is larger than ${maxBytes} bytes`);
  return buffer.toString('utf8', 0, bytesRead);
}
