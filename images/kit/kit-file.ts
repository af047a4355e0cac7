/** `kit.json`: what a finished kit holds. It is the contract with whoever uses a kit without building it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Raised when the meaning of the file changes: a kit of another version is built anew, never read. */
const version = 1;

export interface KitFile {
  readonly version: typeof version;
  readonly architecture: string;
  /** The storage folder for a docker-registry, relative to the kit. Blobs may be hard-linked; links are rewritten in place by a push and must be copied. */
  readonly registry: string;
  readonly images: readonly KitImage[];
  readonly layers: readonly KitLayer[];
}

export interface KitImage {
  readonly name: string;
  /** Full references: `docker.io/library/nginx:latest` first, then other tags. */
  readonly references: readonly string[];
  /** Of the manifest. */
  readonly digest: string;
  /** Sum of the layers, bytes, as unpacked. */
  readonly size: number;
  readonly description: string;
  readonly standInFor?: string;
  /** An OCI archive, relative to the kit; it carries the first reference. */
  readonly archive: string;
  /** Names of its layers, bottom first. */
  readonly layers: readonly string[];
}

export interface KitLayer {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  /** Hash of everything that went in, but for the packages' contents. */
  readonly inputs: string;
  /** File names of the Debian packages that files came from. */
  readonly debs: readonly string[];
}

export function makeKitFile(parts: Omit<KitFile, 'version' | 'registry'>): KitFile {
  return { version, registry: 'registry', ...parts };
}

/** `undefined` when there is no finished kit of this version in the folder. */
export function readKitFile(kit: string): KitFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(kit, 'kit.json'), 'utf8');
  } catch {
    return undefined;
  }
  const found: unknown = JSON.parse(text);
  return isKitFile(found) ? found : undefined;
}

/** The file is written whole and only by this project, so its version vouches for the rest. */
function isKitFile(found: unknown): found is KitFile {
  return typeof found === 'object' && found !== null && 'version' in found && found.version === version;
}
