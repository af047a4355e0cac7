/** Names of images as every Kubernetes runtime normalises them: `nginx` is `docker.io/library/nginx:latest`. */
export interface ImageName {
  /** With registry, and with a tag or a digest. */
  readonly full: string;
  readonly repository: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const host = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9-]+)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const reference = new RegExp(
  `^(?:(?<host>${host})/)?(?<path>${component}(?:/${component})*)(?::(?<tag>\\w[\\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);

/** undefined for what is no name of an image. */
export function parseImageName(name: string): ImageName | undefined {
  // The first part is a host only if it looks like one; `minio/minio` is a path.
  const first = name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
  const hosted = first === 'localhost' || /[.:A-Z]/.test(first);
  const parts = reference.exec(hosted ? name : `docker.io/${name.includes('/') ? name : `library/${name}`}`)?.groups;
  const path = parts?.['path'];
  if (parts === undefined || path === undefined) return undefined;
  const repository = `${parts['host']}/${path}`;
  const version = parts['digest'] === undefined ? `:${parts['tag'] ?? 'latest'}` : `@${parts['digest']}`;
  return { full: repository + version, repository };
}
