/**
 * Where in an object a value stands, as upstream writes it: `spec.containers[0].env[1].name`, `metadata.labels[a/b]`.
 * A path is a chain that is only turned into text when something is wrong there: validating a right object builds none.
 */
export interface FieldPath {
  readonly parent: FieldPath | undefined;
  readonly name: string;
  readonly kind: 'child' | 'index' | 'key';
}

export const rootPath = (name: string): FieldPath => ({ parent: undefined, name, kind: 'child' });

export const child = (parent: FieldPath | undefined, name: string): FieldPath => ({ parent, name, kind: 'child' });

export const at = (parent: FieldPath, index: number): FieldPath => ({ parent, name: String(index), kind: 'index' });

export const keyed = (parent: FieldPath | undefined, key: string): FieldPath => ({ parent, name: key, kind: 'key' });

export function pathText(path: FieldPath | undefined): string {
  if (path === undefined) return '<nil>';
  let text = '';
  for (let each: FieldPath | undefined = path; each !== undefined; each = each.parent) {
    const dot = each.kind === 'child' && each.parent !== undefined ? '.' : '';
    text = (each.kind === 'child' ? `${dot}${each.name}` : `[${each.name}]`) + text;
  }
  return text;
}
