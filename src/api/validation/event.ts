import type { Event } from '#api/generated/core-v1.ts';
import type { Event as NewEvent } from '#api/generated/events-v1.ts';
import type { FieldError } from '#api/field-error.ts';
import { dns1123SubdomainProblems, labelKeyProblems } from '#api/names.ts';
import { Finding } from '#api/validation/check.ts';
import { namespacedName, validateImmutable, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';

const mostCharacters = 128;
const noteMostCharacters = 1024;

/** By the core API: what upstream has always asked, and no more. Also on updates. */
export function validateEvent(event: Event): readonly FieldError[] {
  const errors: FieldError[] = [];
  const at = (name: string): Finding => Finding.at(name, errors);
  const namespace = event.metadata?.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const mismatch = (): void => at('involvedObject').child('namespace').invalid(about, 'does not match event.namespace');
  if (!event.eventTime) {
    // Old clients put events about what has no namespace into "default".
    const agrees = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
    if (!agrees) mismatch();
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    const controller = event.reportingComponent ?? '';
    at('reportingController').text(controller);
    at('reportingController').problems(controller, labelKeyProblems(controller));
    for (const name of ['reportingInstance', 'action', 'reason'] as const) {
      if (at(name).text(event[name])) validateLength(event[name] ?? '', mostCharacters, at(name));
    }
    validateLength(event.message ?? '', noteMostCharacters, at('message'));
  }
  at('namespace').problems(namespace, dns1123SubdomainProblems(namespace));
  return errors;
}

/** By events.k8s.io: with a time and a reporter, and without the old fields. */
export function validateNewEvent(event: NewEvent): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateEvent(asCoreEvent(event)),
    ...validateMeta(event.metadata, namespacedName).errors,
  ];
  const at = (name: string): Finding => Finding.at(name, errors);
  validateSeries(event, at);
  at('eventTime').text(event.eventTime);
  if (event.type !== 'Normal' && event.type !== 'Warning')
    at('type').invalid('', `has invalid value: ${event.type ?? ''}`);
  const old = {
    firstTimestamp: event.deprecatedFirstTimestamp,
    lastTimestamp: event.deprecatedLastTimestamp,
    count: event.deprecatedCount || undefined,
    source: event.deprecatedSource?.component || event.deprecatedSource?.host,
  };
  for (const [name, value] of Object.entries(old)) if (value) at(name).invalid('', 'needs to be unset');
  return errors;
}

/** Only the series may go on. */
export function validateNewEventUpdate(event: NewEvent, old: NewEvent): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateEvent(asCoreEvent(event)),
    ...validateMetaUpdate(event.metadata, old.metadata).errors,
  ];
  const at = (name: string): Finding => Finding.at(name, errors);
  validateSeries(event, at);
  const after: Readonly<Record<string, unknown>> = { ...asCoreEvent(event) };
  const before: Readonly<Record<string, unknown>> = { ...asCoreEvent(old) };
  for (const name of immutable) validateImmutable(after[name], before[name], at(name));
  return errors;
}

const immutable = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
];

/** Both APIs show one object: the new one by other names. */
export function asCoreEvent(event: NewEvent): Event {
  const { regarding, note, reportingController, deprecatedSource, deprecatedCount } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, ...same } = event;
  const {
    regarding: _,
    note: __,
    reportingController: ___,
    deprecatedSource: ____,
    deprecatedCount: _____,
    ...kept
  } = same;
  return {
    ...kept,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    ...(reportingController === undefined ? {} : { reportingComponent: reportingController }),
    ...(deprecatedSource === undefined ? {} : { source: deprecatedSource }),
    ...(deprecatedFirstTimestamp === undefined ? {} : { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp === undefined ? {} : { lastTimestamp: deprecatedLastTimestamp }),
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
  };
}

function validateSeries({ series }: NewEvent, at: (name: string) => Finding): void {
  if (series === undefined) return;
  if (!(series.count >= 2)) at('series.count').invalid('', 'should be at least 2');
  at('series.lastObservedTime').text(series.lastObservedTime);
}

function validateLength(text: string, most: number, found: Finding): void {
  if (text.length > most) found.invalid('', `can have at most ${most} characters`);
}
