/**
 * The image kit: images that pods ask for by their usual names, made of Debian and npm packages, for where a public
 * registry cannot be reached.
 *
 * An image is a chain of layers and a config; a layer is a value that says which packages it needs and how to fill a
 * tree with their files. Layers that several images share (`base`, `node`) are built, stored and pulled once. Each image
 * has a folder here, `images/NAME/image.ts`, with the files it brings beside it; `images/images.ts` lists them.
 *
 * What is built is a function of what went in, and what went in is hashed: a layer whose inputs are those of the last
 * build is taken over from it. `kit.ts` builds, `kit-file.ts` says what is in a finished kit.
 */
import type { DebianFiles } from '#images/kit/debian.ts';
import type { Tree } from '#images/kit/tree.ts';

export interface LayerSpec {
  /** Unique among all layers. */
  readonly name: string;
  /** Everything in this folder is an input of the layer. */
  readonly folder: string;
  readonly packages: readonly string[];
  /** Layers beneath: what they have is not repeated. */
  readonly on: readonly LayerSpec[];
  readonly fill: (tree: Tree, from: Materials, signal: AbortSignal) => Promise<void> | void;
}

export interface Materials {
  readonly debian: DebianFiles;
  /** The trees of the layers in `on`, bottom first. */
  readonly below: readonly Tree[];
  /** A folder for the layer's own use, empty, gone when the kit is finished. */
  readonly work: string;
}

export interface ImageSpec {
  readonly name: string;
  /** Registry and repository: `docker.io/library/nginx`. */
  readonly repository: string;
  /** Tags beside the version of `versionOf`. */
  readonly tags: readonly string[];
  /** The Debian package whose upstream version is one more tag. */
  readonly versionOf?: string;
  readonly description: string;
  /** Set when the name is that of other software: what it stands in for. */
  readonly standInFor?: string;
  /** Bottom first. */
  readonly layers: readonly LayerSpec[];
  readonly config: ImageConfig;
}

/** The part of an OCI image's config that says how to run it, in OCI's spelling. */
export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
}

export const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
