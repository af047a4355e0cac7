/**
 * The tag an image reference stands for: `latest` when neither tag nor digest is given, '' when there is only a digest
 * or when the reference cannot be read.
 */
export function imageTag(reference: string): string {
  if (reference.length > mostCharacters) return '';
  const found = referenceExpression.exec(reference);
  if (found === null) return '';
  const { tag, digest } = found.groups ?? {};
  return tag ?? (digest === undefined ? 'latest' : '');
}

/** Far beyond what the grammar allows (a name of 255, a tag of 128, a digest): keeps matching short. */
const mostCharacters = 1024;

/** Docker's grammar: an optional host (with a dot, a port, upper case or being `localhost`), a lower-case path, tag, digest. */
const component = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const host = `(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
const referenceExpression = new RegExp(
  `^(?:${host}/)?${component}(?:/${component})*` +
    '(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?' +
    '(?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$',
);
