/**
 * `$(VAR)` in a container's command, args and env. `$$` is a dollar that starts nothing, and a reference to a variable
 * that is not known stays as it was written.
 */
export type Variables = ReadonlyMap<string, string>;

export function expand(text: string, variables: Variables): string {
  const first = text.indexOf('$');
  if (first < 0) return text;
  let result = text.slice(0, first);
  let index = first;
  while (index < text.length) {
    const next = text[index + 1];
    if (text[index] !== '$' || next === undefined) {
      result += text.charAt(index);
      index += 1;
    } else if (next === '$') {
      result += '$';
      index += 2;
    } else {
      const end = next === '(' ? text.indexOf(')', index + 2) : -1;
      if (end < 0) {
        // No reference: the dollar and what follows it stand for themselves, as upstream takes both at once.
        result += `$${next}`;
        index += 2;
      } else {
        const name = text.slice(index + 2, end);
        result += variables.get(name) ?? `$(${name})`;
        index = end + 1;
      }
    }
  }
  return result;
}

/**
 * The values of an env list in order: a later one may refer to those before it and to `known` (service links, envFrom).
 * `read` gives the value of a variable with a `valueFrom`; undefined leaves the variable out (an optional key that does
 * not exist).
 */
export function expandEnv<E extends { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }>(
  env: readonly E[],
  known: Variables,
  read: (variable: E) => string | undefined,
): ReadonlyMap<string, string> {
  const own = new Map<string, string>();
  const visible = new Map(known);
  for (const variable of env) {
    const found = variable.valueFrom === undefined ? expand(variable.value ?? '', visible) : read(variable);
    if (found === undefined) continue;
    own.set(variable.name, found);
    visible.set(variable.name, found);
  }
  return own;
}
