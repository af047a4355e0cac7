import assert from 'node:assert/strict';
import test from 'node:test';
import { compileFieldSelector, escapeFieldValue, exactField, parseFieldSelector } from '#api/field-selectors.ts';
import type { KubeObject } from '#api/meta.ts';
import { selectableFieldsOf } from '#api/selectable-fields.ts';
import { SelectorError } from '#api/selectors.ts';

const pod: unknown = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: { nodeName: 'node1', restartPolicy: 'Always' },
  status: { phase: 'Running' },
};
const pods = selectableFieldsOf('v1', 'Pod');

const matching: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==web', true],
  ['metadata.name!=web', false],
  ['status.phase!=Running', false],
  ['spec.nodeName=node1,status.phase=Running', true],
  ['spec.nodeName=', false],
  ['spec.host=node1', true],
  ['spec.hostNetwork=false', true],
  ['status.nominatedNodeName=', true],
];
for (const [text, want] of matching) {
  test(`field selectors: ${JSON.stringify(text)} ${want ? 'matches' : 'does not match'}`, () => {
    assert.equal(compileFieldSelector(text, pods).matches(pod as KubeObject), want);
  });
}

const wrong: readonly (readonly [string, string, string])[] = [
  ['Pod', 'x', "invalid selector: 'x'; can't understand 'x'"],
  ['Pod', 'metadata.name=a,x', "invalid selector: 'metadata.name=a,x'; can't understand 'x'"],
  ['Pod', 'spec.image=a', 'field label not supported: spec.image'],
  ['Pod', 'constructor=a', 'field label not supported: constructor'],
  ['ConfigMap', 'data=a', '"data" is not a known field selector: only "metadata.name", "metadata.namespace"'],
  ['Pod', 'metadata.name=a=b', 'invalid field selector: unescaped character in value: 61'],
  ['Pod', 'metadata.name=a\\b', 'invalid field selector: invalid escape sequence: \\b'],
  ['Pod', 'metadata.name=a\\', 'invalid field selector: invalid escape sequence: \\'],
];
for (const [kind, text, want] of wrong) {
  test(`field selectors: ${text} is refused for ${kind}`, () => {
    assert.throws(() => compileFieldSelector(text, selectableFieldsOf('v1', kind)), new SelectorError(want));
  });
}

test('field selectors: what is escaped stands for itself', () => {
  const value = 'a,b=c\\d';
  const terms = parseFieldSelector(`reason=${escapeFieldValue(value)},type!=x`);
  assert.deepEqual(terms, [
    { field: 'reason', operator: '=', value },
    { field: 'type', operator: '!=', value: 'x' },
  ]);
  assert.equal(exactField(terms, 'reason'), value);
  assert.equal(exactField(terms, 'type'), undefined);
});
