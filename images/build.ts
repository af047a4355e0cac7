/**
 * bin/node images/build.ts [--out DIR] [--rebuild] [NAME...]
 *
 * Builds the image kit: all images, or the named ones beside those it has. Progress as plain lines on standard output, each beginning with
 * `layer NAME:` or `image NAME:`; the last is `kit: …`. Ctrl-C and SIGTERM leave the kit as it was.
 */
import { parseArgs } from 'node:util';
import { images } from '#images/images.ts';
import type { ImageSpec } from '#images/kit/image.ts';
import { readKitFile } from '#images/kit/kit-file.ts';
import { buildKit } from '#images/kit/kit.ts';

const usage = 'usage: bin/node images/build.ts [--out DIR] [--rebuild] [NAME...]';

async function main(args: readonly string[]): Promise<number> {
  const wish = parse(args);
  if ('problem' in wish) {
    console.error(`${wish.problem}\n${usage}`);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  try {
    const kit = await buildKit({ ...wish, progress: console.log }, stop.signal);
    console.log(`kit: ${kit.images.length} images in ${wish.out}`);
    return 0;
  } catch (error) {
    console.error(`building images failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** Wrong usage is `problem`, one line. */
export function parse(args: readonly string[]) {
  const options = {
    out: { type: 'string', default: '/var/cache/peapod/kit' },
    rebuild: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const unknown = positionals.filter((name) => !images.some((image) => image.name === name));
    if (unknown.length > 0)
      return {
        problem: `no image is called ${unknown.join(', ')}; there are ${images.map((image) => image.name).join(', ')}`,
      };
    const there = readKitFile(values.out)?.images ?? [];
    const isWanted = ({ name }: ImageSpec): boolean =>
      positionals.includes(name) || there.some((each) => each.name === name);
    const wanted = positionals.length === 0 ? images : images.filter(isWanted);
    return { images: wanted, out: values.out, rebuild: values.rebuild };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
