/**
 * Reads JSON text a character at a time, for its mistakes: the first character Go's decoder would stop at, in its words,
 * and the paths of keys that stand twice in one object.
 */

class Stop extends Error {}

const WHITE = /[ \t\r\n]*/y;
// oxlint-disable-next-line no-control-regex -- control characters are what JSON forbids in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const DIGIT = /[0-9]/;
const HEX = /[0-9a-fA-F]/;
const literals: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

export class JsonScanner {
  readonly duplicates: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What Go says is wrong with the text; undefined if nothing is. Called once. */
  scan(): string | undefined {
    try {
      this.#value('');
      this.#white();
      if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
      return undefined;
    } catch (error) {
      if (error instanceof Stop) return error.message;
      throw error;
    }
  }

  #value(path: string): void {
    this.#white();
    const first = this.#peek();
    if (first === '{') return this.#object(path);
    if (first === '[') return this.#array(path);
    if (first === '"') return void this.#string();
    if (first === '-' || DIGIT.test(first)) return this.#number();
    const literal = literals[first];
    if (literal === undefined) throw this.#unexpected('looking for beginning of value');
    this.#literal(literal);
  }

  #object(path: string): void {
    const seen = new Set<string>();
    this.#at++;
    this.#white();
    if (this.#accept('}')) return;
    for (;;) {
      this.#white();
      if (this.#peek() !== '"') throw this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      const inner = path === '' ? key : `${path}.${key}`;
      if (seen.has(key) && !this.duplicates.includes(inner)) this.duplicates.push(inner);
      seen.add(key);
      this.#white();
      if (!this.#accept(':')) throw this.#unexpected('after object key');
      this.#value(inner);
      this.#white();
      if (this.#accept('}')) return;
      if (!this.#accept(',')) throw this.#unexpected('after object key:value pair');
    }
  }

  #array(path: string): void {
    this.#at++;
    this.#white();
    if (this.#accept(']')) return;
    for (let i = 0; ; i++) {
      this.#value(`${path}[${i}]`);
      this.#white();
      if (this.#accept(']')) return;
      if (!this.#accept(',')) throw this.#unexpected('after array element');
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      PLAIN.lastIndex = this.#at;
      this.#at += PLAIN.exec(this.#text)![0].length;
      const character = this.#peek();
      if (character === '"') break;
      if (character !== '\\') throw this.#unexpected('in string literal');
      this.#at++;
      this.#escape();
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #escape(): void {
    const character = this.#peek();
    if (!'bfnrt\\/"u'.includes(character)) throw this.#unexpected('in string escape code');
    this.#at++;
    for (let i = 0; character === 'u' && i < 4; i++, this.#at++) {
      if (!HEX.test(this.#peek())) throw this.#unexpected('in \\u hexadecimal character escape');
    }
  }

  #number(): void {
    if (this.#accept('-') && !DIGIT.test(this.#peek())) throw this.#unexpected('in numeric literal');
    if (!this.#accept('0')) this.#digits();
    if (this.#accept('.')) {
      if (!DIGIT.test(this.#peek())) throw this.#unexpected('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#accept('e') || this.#accept('E')) {
      if (!this.#accept('+')) this.#accept('-');
      if (!DIGIT.test(this.#peek())) throw this.#unexpected('in exponent of numeric literal');
      this.#digits();
    }
  }

  #digits(): void {
    while (DIGIT.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#peek() !== word[i]) {
        throw this.#unexpected(`in literal ${word} (expecting '${word[i]}')`);
      }
      this.#at++;
    }
  }

  #white(): void {
    WHITE.lastIndex = this.#at;
    this.#at += WHITE.exec(this.#text)![0].length;
  }

  /** The next character; at the end of the text Go has one message for every state. */
  #peek(): string {
    const character = this.#text[this.#at];
    if (character === undefined) throw new Stop('unexpected end of JSON input');
    return character;
  }

  #accept(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #unexpected(context: string): Stop {
    return new Stop(`invalid character ${quoted(this.#peek())} ${context}`);
  }
}

/** As Go's %q of one character. */
function quoted(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}
