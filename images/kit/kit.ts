/**
 * Builds a kit. A finished kit is never changed: a new one is built beside it and the kit's path, a symbolic link, is
 * turned to it by one rename. A reader sees the old kit or the new one, and a build that dies is not seen at all.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { adoptBlob, nameInRegistry, writeArchive, writeDocument, writeLayer } from '#images/kit/blobs.ts';
import { buildLock } from '#images/kit/build-lock.ts';
import { type DebianFiles, debianFiles, upstreamVersion } from '#images/kit/debian.ts';
import type { ImageSpec, LayerSpec } from '#images/kit/image.ts';
import { inputsOf } from '#images/kit/inputs.ts';
import { type KitFile, type KitImage, type KitLayer, makeKitFile, readKitFile } from '#images/kit/kit-file.ts';
import { architecture, imageDocuments } from '#images/kit/oci.ts';
import { Tree } from '#images/kit/tree.ts';

export interface KitRequest {
  readonly images: readonly ImageSpec[];
  /** The kit's path. It becomes a symbolic link into the folder `OUT.d` beside it. */
  readonly out: string;
  /** Take nothing over from the kit that is there, and ask Debian for its newest packages. */
  readonly rebuild: boolean;
  readonly progress: (line: string) => void;
}

/**
 * Makes sure that the kit holds the images as they should be now, and returns its contents. Images of the kit that are
 * not asked for are dropped. Quick when nothing has changed. When `signal` aborts, the kit stays as it was.
 */
export async function buildKit(request: KitRequest, signal: AbortSignal): Promise<KitFile> {
  const upToDate = unchanged(request);
  if (upToDate) return upToDate;
  const generations = `${resolve(request.out)}.d`;
  using _lock = await buildLock(
    join(generations, 'lock'),
    () => request.progress('another build is at work on this kit; waiting for it'),
    signal,
  );
  const meanwhile = unchanged(request);
  if (meanwhile) return meanwhile;
  removeUnfinished(generations);
  const kit = mkdtempSync(join(generations, 'building-'));
  try {
    const file = await new Build(request, kit, join(generations, 'debs')).run(signal);
    publish(kit, request.out, generations);
    return file;
  } catch (error) {
    rmSync(kit, { recursive: true, force: true });
    throw error;
  }
}

function unchanged({ out, images, rebuild }: KitRequest): KitFile | undefined {
  const kit = rebuild ? undefined : readKitFile(out);
  if (!kit || kit.images.length !== images.length) return undefined;
  const isCurrent = (layer: LayerSpec): boolean =>
    kit.layers.some((each) => each.name === layer.name && each.inputs === inputsOf(layer));
  const isThere = (image: ImageSpec): boolean =>
    kit.images.some((each) => each.name === image.name && existsSync(join(out, each.archive)));
  return images.every(isThere) && layersOf(images).every(isCurrent) ? kit : undefined;
}

class Build {
  readonly #request: KitRequest;
  readonly #kit: string;
  readonly #debs: string;
  readonly #trees = new Map<string, Tree>();
  readonly #done = new Map<string, KitLayer>();

  constructor(request: KitRequest, kit: string, debs: string) {
    this.#request = request;
    this.#kit = kit;
    this.#debs = debs;
  }

  async run(signal: AbortSignal): Promise<KitFile> {
    const { images, progress } = this.#request;
    const work = join(this.#kit, 'work');
    const stale = layersOf(images).filter((layer) => !this.#adopt(layer));
    // What is copied from a layer beneath must be known to the layers above, whether it is taken over or not.
    const needed = [...new Set(stale.flatMap((layer) => [...layer.on, layer]))];
    const packages = [...new Set(needed.flatMap((layer) => layer.packages))];
    if (packages.length > 0) progress(`packages: ${packages.join(' ')}`);
    mkdirSync(work);
    const debian = await debianFiles(packages, { cache: this.#debs, work: join(work, 'debs') }, signal);
    for (const layer of layersOf(images)) if (needed.includes(layer)) await this.#layer(layer, debian, signal);
    const built = images.map((image) => this.#image(image));
    rmSync(work, { recursive: true, force: true });
    const file = makeKitFile({ architecture, images: built, layers: [...this.#done.values()] });
    writeFileSync(join(this.#kit, 'kit.json'), `${JSON.stringify(file, undefined, 2)}\n`);
    return file;
  }

  #adopt(layer: LayerSpec): boolean {
    const { out, rebuild } = this.#request;
    const before = rebuild ? undefined : readKitFile(out)?.layers.find((each) => each.name === layer.name);
    if (before?.inputs !== inputsOf(layer) || !adoptBlob(this.#kit, out, before.digest)) return false;
    this.#done.set(layer.name, before);
    return true;
  }

  async #layer(layer: LayerSpec, debian: DebianFiles, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const before = performance.now();
    const tree = new Tree();
    const work = mkdtempSync(join(this.#kit, 'work', `${layer.name}-`));
    const below = layer.on.flatMap((each) => this.#trees.get(each.name) ?? []);
    await layer.fill(tree, { debian, below, work }, signal);
    this.#trees.set(layer.name, tree);
    const debs = debian.takeUsed();
    if (this.#done.has(layer.name)) return;
    const blob = writeLayer(this.#kit, tree);
    this.#done.set(layer.name, { name: layer.name, ...blob, inputs: inputsOf(layer), debs });
    this.#request.progress(`layer ${layer.name}: ${megabytes(blob.size)} in ${seconds(before)}`);
  }

  #image(image: ImageSpec): KitImage {
    const layers = image.layers.map((layer) => this.#done.get(layer.name)!);
    const deb = layers.flatMap((layer) => layer.debs).find((name) => name.startsWith(`${image.versionOf}_`));
    const version = deb === undefined ? undefined : upstreamVersion(deb);
    const tags = [...image.tags, ...(version === undefined ? [] : [version])];
    const references = tags.map((tag) => `${image.repository}:${tag}`);
    const documents = imageDocuments(image, version, layers);
    writeDocument(this.#kit, documents.config);
    writeDocument(this.#kit, documents.manifest);
    nameInRegistry(this.#kit, references, { documents, layers });
    const archive = writeArchive(this.#kit, image.name, references[0]!, { documents, layers });
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    this.#request.progress(`image ${image.name}: ${references.join(' ')} (${megabytes(size)})`);
    return {
      name: image.name,
      references,
      digest: documents.manifest.digest,
      size,
      description: image.description,
      ...(image.standInFor !== undefined && { standInFor: image.standInFor }),
      archive,
      layers: layers.map((layer) => layer.name),
    };
  }
}

/** Every layer once, each after those it stands on. */
function layersOf(images: readonly ImageSpec[]): readonly LayerSpec[] {
  return [...new Set(images.flatMap((image) => image.layers.flatMap((layer) => [...layer.on, layer])))];
}

function publish(kit: string, out: string, generations: string): void {
  const finished = join(generations, basename(kit).replace('building-', 'kit-'));
  const previous = existsSync(out) ? basename(readlinkIfLink(out)) : undefined;
  // An empty folder that somebody made for us is not worth refusing; one with contents is, and rmdir does.
  if (previous === '') rmdirSync(out);
  renameSync(kit, finished);
  const link = join(generations, 'link');
  rmSync(link, { force: true });
  symlinkSync(join(basename(generations), basename(finished)), link);
  renameSync(link, out);
  // The kit that was just replaced stays until the next time: somebody may be copying it.
  for (const name of readdirSync(generations))
    if (name.startsWith('kit-') && name !== basename(finished) && name !== previous)
      rmSync(join(generations, name), { recursive: true, force: true });
}

function readlinkIfLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function removeUnfinished(generations: string): void {
  for (const name of readdirSync(generations))
    if (name.startsWith('building-')) rmSync(join(generations, name), { recursive: true, force: true });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
