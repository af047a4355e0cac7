/**
 * The shapes of names, keys and values. Each `…Problems` function says what is wrong in upstream's words (clients show
 * them to people) and gives an empty list for what is right. Lengths are in UTF-8 bytes.
 */
const labelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainPattern = `${labelPattern}(\\.${labelPattern})*`;
const dns1035Pattern = '[a-z]([-a-z0-9]*[a-z0-9])?';
const keyPattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const identifierPattern = '[A-Za-z_][A-Za-z0-9_]*';
const configKeyPattern = '[-._a-zA-Z0-9]+';
const headerPattern = '[-A-Za-z0-9]+';

const labelExpression = new RegExp(`^${labelPattern}$`);
const subdomainExpression = new RegExp(`^${subdomainPattern}$`);
const dns1035Expression = new RegExp(`^${dns1035Pattern}$`);
const keyExpression = new RegExp(`^${keyPattern}$`);
const labelValueExpression = new RegExp(`^(${keyPattern})?$`);
const identifierExpression = new RegExp(`^${identifierPattern}$`);
const configKeyExpression = new RegExp(`^${configKeyPattern}$`);
const headerExpression = new RegExp(`^${headerPattern}$`);

const none: readonly string[] = [];

export const tooLong = (most: number): string => `must be no more than ${most} bytes`;
export const notInRange = (least: number, most: number): string => `must be between ${least} and ${most}, inclusive`;
const notEmpty = 'must be non-empty';

function mismatch(message: string, pattern: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** Lengths that can be seen without encoding are: a UTF-16 unit is at most three bytes. */
const isLongerThan = (value: string, most: number): boolean =>
  value.length > most || (value.length * 3 > most && new TextEncoder().encode(value).length > most);

export function dns1123LabelProblems(value: string): readonly string[] {
  if (value.length <= 63 && labelExpression.test(value)) return none;
  const problems = isLongerThan(value, 63) ? [tooLong(63)] : [];
  if (labelExpression.test(value)) return problems;
  // A valid subdomain that is no valid label can only have dots in it.
  if (subdomainExpression.test(value)) return [...problems, 'must not contain dots'];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, mismatch(message, labelPattern, ['my-name', '123-abc'])];
}

export function dns1123SubdomainProblems(value: string): readonly string[] {
  if (value.length <= 253 && subdomainExpression.test(value)) return none;
  const problems = isLongerThan(value, 253) ? [tooLong(253)] : [];
  if (subdomainExpression.test(value)) return problems;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, mismatch(message, subdomainPattern, ['example.com'])];
}

/** What can be one segment of a URL's path: all that is asked of the names of some kinds. */
export function pathSegmentProblems(value: string): readonly string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((each) => value.includes(each)).map((each) => `may not contain '${each}'`);
}

const percentPattern = '[0-9]+%';
const percentExpression = new RegExp(`^${percentPattern}$`);

export function percentProblems(value: string): readonly string[] {
  if (percentExpression.test(value)) return none;
  const message = "a valid percent string must be a numeric string followed by an ending '%'";
  return [mismatch(message, percentPattern, ['1%', '93%'])];
}

const conditionReasonPattern = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const conditionReasonExpression = new RegExp(`^${conditionReasonPattern}$`);

/** A condition's machine-readable reason. */
export function conditionReasonProblems(value: string): readonly string[] {
  if (conditionReasonExpression.test(value)) return none;
  const message =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  const examples = ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'];
  return [mismatch(message, conditionReasonPattern, examples)];
}

export function dns1035LabelProblems(value: string): readonly string[] {
  if (value.length <= 63 && dns1035Expression.test(value)) return none;
  const problems = isLongerThan(value, 63) ? [tooLong(63)] : [];
  if (dns1035Expression.test(value)) return problems;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, mismatch(message, dns1035Pattern, ['my-name', 'abc-123'])];
}

const keyMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** A label's key, also called a qualified name: `name` or `prefix.example/name`. */
export function labelKeyProblems(value: string): readonly string[] {
  if (value.length <= 63 && keyExpression.test(value)) return none;
  const parts = value.split('/');
  const why = mismatch(keyMessage, keyPattern, ['MyName', 'my.name', '123-abc']);
  if (parts.length > 2) {
    return [`a valid label key ${why} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  const problems: string[] = [];
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  if (prefix === '') problems.push(`prefix part ${notEmpty}`);
  else if (prefix !== undefined)
    problems.push(...dns1123SubdomainProblems(prefix).map((each) => `prefix part ${each}`));
  if (name === '') problems.push(`name part ${notEmpty}`);
  else if (isLongerThan(name, 63)) problems.push(`name part ${tooLong(63)}`);
  if (!keyExpression.test(name)) problems.push(`name part ${why}`);
  return problems;
}

export function labelValueProblems(value: string): readonly string[] {
  if (value.length <= 63 && labelValueExpression.test(value)) return none;
  const problems = isLongerThan(value, 63) ? [tooLong(63)] : [];
  if (labelValueExpression.test(value)) return problems;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...problems, mismatch(message, `(${keyPattern})?`, ['MyValue', 'my_value', '12345'])];
}

/** Anything printable in ASCII but `=`. */
export function envVarNameProblems(value: string): readonly string[] {
  if (value === '') return [`environment variable name ${notEmpty}`];
  return /^[ -<>-~]+$/.test(value)
    ? none
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export const identifierProblems = (value: string): readonly string[] =>
  identifierExpression.test(value)
    ? none
    : [
        mismatch(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          identifierPattern,
          ['my_name', 'MY_NAME', 'MyName'],
        ),
      ];

/** A key of a ConfigMap or a Secret: it may become a file's name. */
export function configKeyProblems(value: string): readonly string[] {
  const problems = isLongerThan(value, 253) ? [tooLong(253)] : [];
  if (!configKeyExpression.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(mismatch(message, configKeyPattern, ['key.name', 'KEY_NAME', 'key-name']));
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** A port's name, as IANA's service names. */
export function portNameProblems(value: string): readonly string[] {
  const problems = isLongerThan(value, 15) ? [tooLong(15)] : [];
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export const portNumberProblems = (port: number): readonly string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? none : [notInRange(1, 65535)];

export const httpHeaderNameProblems = (value: string): readonly string[] =>
  headerExpression.test(value)
    ? none
    : [
        mismatch("a valid HTTP header must consist of alphanumeric characters or '-'", headerPattern, [
          'X-Header-Name',
        ]),
      ];

/** Names made with `generateName` end in a suffix, so a dash at the end of the prefix is no fault of its author. */
export const maskTrailingDash = (prefix: string): string =>
  prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix;
