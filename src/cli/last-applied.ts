import type { KubeObject } from '#api/meta.ts';
import type { ManifestObject } from '#cli/manifests.ts';

/** Where `kubectl apply` keeps what it was told last; without it, it warns and cannot tell what to delete. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifest with itself as that annotation, in the very bytes kubectl would write. */
export function withLastApplied(manifest: ManifestObject): ManifestObject {
  const { annotations, ...metadata } = manifest.metadata;
  const { [LAST_APPLIED]: _, ...others } = annotations ?? {};
  const plain = { ...manifest, metadata: { ...metadata, annotations: others } };
  return { ...plain, metadata: { ...metadata, annotations: { ...others, [LAST_APPLIED]: goJson(plain) } } };
}

/** What was applied last; undefined where nothing was, or somebody has broken it. */
export function lastApplied(object: KubeObject): object | undefined {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** JSON as Go's encoder writes it: keys sorted, what HTML would read escaped, a line break at the end. */
function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_, one: unknown) => sorted(one));
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
