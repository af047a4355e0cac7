import assert from 'node:assert/strict';
import test from 'node:test';
import { hasReason } from '#api/errors.ts';
import { negotiate } from '#server/http/negotiation.ts';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const cases: readonly { accept: string | undefined; want: string }[] = [
  { accept: undefined, want: 'json object v1' },
  { accept: '*/*', want: 'json object v1' },
  { accept: 'application/yaml', want: 'yaml object v1' },
  { accept: `${table},application/json`, want: 'json table v1' },
  { accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json', want: 'json table v1beta1' },
  { accept: 'application/json;as=Table;g=other.io;v=v1,application/json', want: 'json object v1' },
  { accept: 'application/vnd.kubernetes.protobuf, */*', want: 'protobuf object v1' },
  {
    accept: 'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json',
    want: 'json object v1',
  },
  { accept: 'application/yaml;q=0.5, application/json;q=0.9', want: 'json object v1' },
  { accept: 'application/json;stream=watch', want: 'json object v1' },
  { accept: 'text/html, application/json;q=0.1', want: 'json object v1' },
  { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', want: 'json metadata v1' },
];
for (const { accept, want } of cases) {
  test(`negotiation: ${accept ?? 'no Accept'}`, () => {
    const { encoding, as, version } = negotiate(accept);
    assert.equal(`${encoding} ${as} ${version}`, want);
  });
}

test('negotiation: nothing that can be given is 406', () => {
  for (const accept of ['text/html', 'application/json;q=0']) {
    assert.throws(
      () => negotiate(accept),
      (error) => hasReason(error, 'NotAcceptable'),
    );
  }
  assert.throws(
    () => negotiate('application/yaml', ({ encoding }) => encoding === 'json'),
    /only the following media types/,
  );
});
