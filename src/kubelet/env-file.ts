/**
 * Files that variables are read from (KEP-3721): a strict subset of what a POSIX shell reads, so that both understand the same.
 * `NAME='value'`, lines after one another: no spaces around the `=`, the value in single quotes and as it stands, line ends included.
 * Blank lines, spaces before a name, and lines that begin with `#` mean nothing. Anything else makes no sense, and so does the file.
 */

/** Larger files are not read. */
export const ENV_FILE_BYTES = 64 * 1024;

/** Of a name that is there twice the last value holds. Throws SyntaxError, with the line's number and nothing of its content. */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const entry = /[^\S\n]*(?:(?:#[^\n]*)?|(?<name>[^\s=#'][^\s=']*)='(?<value>[^']*)'[^\S\n]*)(?:\n|$)/y;
  while (entry.lastIndex < text.length) {
    const at = entry.lastIndex;
    const { name, value = '' } = entry.exec(text)?.groups ?? failAt(text, at);
    if (name !== undefined) variables.set(name, value);
  }
  return variables;
}

function failAt(text: string, at: number): never {
  throw new SyntaxError(`line ${text.slice(0, at).split('\n').length} is not of the form NAME='value'`);
}
