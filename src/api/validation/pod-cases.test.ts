/** How the tables of pod validation are run: the faults of a defaulted pod, in upstream's words. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultObject } from '#api/defaults/defaults.ts';
import { fieldErrorText } from '#api/field-error.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { validatePod } from '#api/validation/pod.ts';

export const given = (spec: object, metadata: object = {}): Pod =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default', ...metadata }, spec }) as Pod;
export const faults = (spec: object, metadata: object = {}): readonly string[] =>
  validatePod(defaultObject(given(spec, metadata))).map(fieldErrorText);

export interface Case {
  readonly name: string;
  readonly want: readonly string[];
}
/** Parts of the one container of a pod. */
export function containerCases(
  group: string,
  cases: readonly (Case & { readonly container: object; readonly spec?: object })[],
): void {
  for (const { name, container, spec, want } of cases) {
    test(`validation, ${group}: ${name}`, () => {
      const found = faults({ containers: [{ name: 'a', image: 'x', ...container }], ...spec });
      assert.deepEqual(
        found,
        want.map((each) => (each.startsWith('spec') ? each : `spec.containers[0].${each}`)),
      );
    });
  }
}
/** Parts of a spec with one right container. */
export function specCases(group: string, cases: readonly (Case & { readonly spec: object })[]): void {
  for (const { name, spec, want } of cases) {
    test(`validation, ${group}: ${name}`, () => {
      const found = faults({ containers: [{ name: 'a', image: 'x' }], ...spec });
      assert.deepEqual(
        found,
        want.map((each) => `spec.${each}`),
      );
    });
  }
}
