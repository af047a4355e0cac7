/** The keys of scripts (script.ts), with what their values mean. Every parser throws ScriptMistake. */
import type { PullReason } from '#cri/fault.ts';
import type { ContainerBehaviour, SimulatedAnswer } from '#cri/simulated/behaviour.ts';
import {
  parseBytes,
  parseDuration,
  parseLine,
  parseTimeline,
  type ScriptedLine,
  ScriptMistake,
  type Timeline,
  valueAt,
} from '#cri/simulated/script-values.ts';

/** One for each attempt; the last one for all that follow. */
export type Codes = readonly (number | 'never')[];

export interface ContainerValues {
  readonly 'exit-code': Codes;
  readonly 'exit-after': number;
  readonly 'exit-reason': string;
  readonly 'exit-message': string;
  readonly 'start-after': number;
  readonly 'start-error': string;
  readonly 'stop-after': number;
  readonly memory: Timeline<number>;
  readonly disk: Timeline<number>;
  readonly log: readonly ScriptedLine[];
  readonly answers: NonNullable<ContainerBehaviour['answer']>;
}

export interface PodValues {
  readonly 'pull-after': number;
  readonly 'pull-error': string;
  readonly 'pull-error-reason': PullReason;
  readonly 'pull-error-times': number;
  readonly 'sandbox-after': number;
  readonly 'sandbox-error': string;
}

const reasons: readonly PullReason[] = [
  'ErrImagePull',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];

type Parsers<Values> = { readonly [Key in keyof Values]: (text: string) => Values[Key] };

export const containerParsers: Parsers<ContainerValues> = {
  'exit-code': parseCodes,
  'exit-after': parseDuration,
  'exit-reason': (text) => text,
  'exit-message': (text) => text,
  'start-after': parseDuration,
  'start-error': (text) => text,
  'stop-after': (text) => (text === 'never' ? Infinity : parseDuration(text)),
  memory: (text) => parseTimeline(text, parseBytes),
  disk: (text) => parseTimeline(text, parseBytes),
  log: (text) => text.replace(/\n$/, '').split('\n').map(parseLine),
  answers: parseAnswers,
};

export const podParsers: Parsers<PodValues> = {
  'pull-after': parseDuration,
  'pull-error': (text) => text,
  'pull-error-reason': parseReason,
  'pull-error-times': parseCount,
  'sandbox-after': parseDuration,
  'sandbox-error': (text) => text,
};

function parseCodes(text: string): Codes {
  return text
    .trim()
    .split(/\s+/)
    .map((code) => {
      if (code === 'never') return code;
      if (!/^\d{1,3}$/.test(code) || Number(code) > 255)
        throw new ScriptMistake(
          `"${code}" is no exit code: write 0 to 255, or never; several are for one attempt each`,
        );
      return Number(code);
    });
}

const QUESTION = /^(http:\d+\/\S*|tcp:\d+|grpc:\d+\/\S*|exec:.+)$/;
const EXAMPLE = '{"http:8080/ready": "fail 5s:ok", "exec:cat /healthy": "ok 1m:fail"}';

/** What a question put to a container gets, by the time since it started. */
function parseAnswers(text: string): NonNullable<ContainerBehaviour['answer']> {
  const byQuestion = new Map<string, Timeline<SimulatedAnswer>>();
  for (const [question, times] of Object.entries(parseObject(text))) {
    if (!QUESTION.test(question))
      throw new ScriptMistake(
        `"${question}" is no question: write http:PORT/PATH, tcp:PORT, grpc:PORT/SERVICE or exec:COMMAND`,
      );
    byQuestion.set(question, parseTimeline(String(times), parseAnswer));
  }
  return (question, since) => {
    const timeline = byQuestion.get(question);
    return timeline && valueAt(timeline, since);
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw new ScriptMistake(`this is no JSON object: write ${EXAMPLE}`);
}

function parseAnswer(text: string): SimulatedAnswer {
  if (text === 'ok' || text === 'fail' || text === 'hang') return text;
  throw new ScriptMistake(
    `"${text}" is no answer: write ok, fail or hang, and a time before it if need be, as in fail 5s:ok`,
  );
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new ScriptMistake(`"${text}" is no number: write 1, 2, 3, …`);
  return Number(text);
}

function parseReason(text: string): PullReason {
  const found = reasons.find((reason) => reason === text);
  if (found === undefined) throw new ScriptMistake(`"${text}" is no reason: write one of ${reasons.join(', ')}`);
  return found;
}
